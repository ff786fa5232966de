"""Analysis files: what is written is read back, and whatever does not fit is told by name."""

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.analyses import RIGHT, SHAP, analysis
from tests.attributions import example
from tests.explainers import trained
from workbench.analysis import (
    Analysis,
    Step,
    analysis_of,
    load_analysis,
    numbers_digest,
    parse_analysis,
    save_analysis,
    step_of,
    to_yaml,
)
from workbench.analysis.yaml_file import MAX_BYTES
from workbench.core.errors import InvalidInputError
from workbench.jobs.request import Request, registered_methods

DIGEST = "0123456789abcdef" * 4
OTHER = "f" * 64
HOSTILE = [
    "<script>alert(1)</script>", "=HYPERLINK(1)", "a: b", "- a", "!!python/object:os.system x",
    "*x", "&x y", "no", "null", "1e-3", "0123", "12:30", "~", "{a: b}", "# not a comment", "%TAG",
    "line\nline\n\n  indented", "trailing \n",
    "\ttab", "\u202eright to left", "a\x00b", "é日本😀", "'",
    '"', "$\\frac{1}{2}$", "---", "...", "? x", "<<", "  ", "\r\n", "\u2028",
]  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(HOSTILE)


def request_for(name, **changes):
    """A request with every setting of a method at its default."""
    method = registered_methods()[name]
    values = {
        "method": name, "params": method.params().model_dump(mode="json"), "model": "m@1",
        "model_digest": DIGEST, "table": "my:t", "table_digest": OTHER, "split": "test",
        "rows": (3, 4, 5, 9), "background": 7, "seed": 5, "cohort": "age:30..",
    }  # fmt: skip
    return Request(**values | changes)


@pytest.mark.parametrize("name", list(registered_methods()))
def test_a_request_survives_as_a_step_in_a_file(name):
    for changes in ({}, {"rows": None, "count": 12, "device": "cuda:1"}, {"explainer": OTHER}):
        asked = request_for(name, **changes)
        made = analysis_of([asked])
        (step,) = parse_analysis(to_yaml(made)).steps
        assert step.request(model_digest=DIGEST, table_digest=OTHER) == asked
        assert step.request(model_digest=DIGEST, table_digest=OTHER).key == asked.key
        assert made.models == {"m@1": DIGEST}


@given(TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3), TEXT)
def test_any_text_comes_back_as_it_was(title, remark, heading, comments, cell):
    condition = {
        "step": "shap", "value": "attribution", "where": {"feature": cell}, "above": 1.5
    }  # fmt: skip
    made = analysis(
        SHAP | {"title": title, "remark": remark, "cohort": heading}, title=heading,
        comments=comments, fail_if=[condition], tables={"wine": {"beside": comments}},
    )  # fmt: skip
    text = to_yaml(made)
    assert parse_analysis(text) == made
    assert text.isprintable() or "\x00" not in text
    # Another program that reads YAML understands the same.
    read = yaml.safe_load(text)
    assert (read["title"], read.get("comments", [])) == (heading, comments)


@given(st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.floats(
    allow_nan=False, allow_infinity=False) | TEXT, max_size=4))  # fmt: skip
def test_values_keep_their_types(cells):
    begin = "prediction: "  # of these columns any may be there
    cells = {begin + re.sub("[\ud800-\udfff]", "", key): value for key, value in cells.items()}
    condition = {"step": "shap", "value": "distance", "where": cells, "above": 1}
    step = SHAP | {"method": "counterfactual.search", "params": {}}
    (read,) = parse_analysis(to_yaml(analysis(step, fail_if=[condition]))).fail_if
    assert json.dumps(read.where) == json.dumps(cells)


def test_rows_may_be_a_range_and_are_written_as_one():
    step = analysis(SHAP | {"rows": [4, 5, 6, 7]}).steps[0]
    assert step.fields()["rows"] == "4:8"
    assert analysis(SHAP | {"rows": "4:8"}).steps[0] == step
    assert analysis(SHAP | {"rows": [4, 7]}).steps[0].fields()["rows"] == [4, 7]


def test_the_file_says_what_it_is_and_is_read_back(tmp_path):
    path = save_analysis(analysis(SHAP, RIGHT, level="auditor"), tmp_path / "a; rm -rf.yaml")
    first = path.read_text(encoding="utf-8").split("\n")[0]
    assert first.startswith("# Analysis of the explainability workbench: workbench run ")
    assert ";" not in first
    assert load_analysis(path) == analysis(SHAP, RIGHT, level="auditor")


def test_all_faults_are_told_at_once_by_step_and_field():
    text = """
format: 1
titel: x
steps:
- {id: shap, method: shapley.exactt, model: m, table: 3}
- {id: ker, method: shapley.kernel, model: m, table: t, params: {budget: -3, budgett: 3}, rowz: 1}
- {id: Bad Id, method: shapley.permutation, background: 5}
fail_if:
- {step: shapp, check: WB999}
- {step: ker, value: x}
- {step: ker, check: WB026}
- {step: ker, any_check: failure, above: 1}
"""
    with pytest.raises(InvalidInputError) as caught:
        parse_analysis(text)
    said = str(caught.value)
    for part in (
        "titel: there is no such key, did you mean 'title'",
        "step 'shap', table: must be text, put it in quotes",
        "step 'shap', method: there is no method 'shapley.exactt', did you mean 'shapley.exact'",
        "step 'ker', params.budget: input should be greater than or equal to 4, got -3",
        "step 'ker', params.budgett: there is no such key, did you mean 'budget'",
        "step 'ker', rowz: there is no such key, did you mean 'rows'",
        "step 'ker', background: Shapley values, paired kernel regression needs background rows",
        "step 'Bad Id', id: an id is made of 1 to 60 small letters, digits and -, got 'Bad Id'",
        "step 'Bad Id', model: is missing",
        "fail_if 1, step: there is no step 'shapp', choose one of shap, ker, Bad Id",
        "fail_if 1, check: there is no check 'WB999'",
        "fail_if 2: a value needs one of above, below, at_least, at_most",
        "fail_if 3, check: WB026 is not asked of attribution, choose WB001",
        "fail_if 4: where, sure, above, below, at_least, at_most go with a value",
    ):
        assert part in said
    assert said.endswith(".")
    assert "\n" not in said
    assert "must not be empty" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format: 2\nsteps: []\nnew: 1", "has format 2, this version reads up to 1; update the"),
        ("steps: []", "does not say its format; write format: 1"),
        ("format: 1\nsteps: []", "steps: must not be empty"),
        ("format: 1\nsteps: 3", "steps: must be a list"),
        ("format: 1", "must be a mapping with the key steps"),
        ("- a", "must be a mapping with the key steps"),
        ("", "must be a mapping with the key steps"),
        ("a: &x 1\nb: *x", r"line 1, column 4: anchors \(& and \*\) are not used"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' stands here twice"),
        ("steps: !!python/object/apply:os.system [x]", r"tags \(!\) are not used here"),
        ("steps: !x y", r"tags \(!\) are not used here"),
        ("1: 2", "a key must be text; put it in quotes"),
        ("? [a]\n: b", "a key must be text"),
        ("[" * 5000, "nested too deeply"),
        ("a: " + "9" * 5000, "it is damaged"),
        ('a: "\\ud800"', "not valid Unicode"),
        ("a: {", "expected the node content"),
        ("a: 1\n--- \nb: 2", "expected a single document"),
        ("a: \x07", "it is damaged"),
        ("#" * (MAX_BYTES + 1), "holds more than 1,048,576 bytes"),
    ],
)
def test_what_is_no_analysis_file_is_refused_in_one_sentence(text, message):
    with pytest.raises(InvalidInputError, match=message) as caught:
        parse_analysis(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": "a" * 301}, "title: must have at most 300 letters, got 'aaa"),
        ({"steps": [RIGHT] * 201}, "steps: must have at most 200 entries"),
        ({"steps": [{**RIGHT, "figures": [{"view": "confusion"}] * 25}]},
         "figures: must have at most 24 entries"),
        ({"steps": [{**RIGHT, "figures": [{"view": ""}]}]}, "view: must not be empty"),
        ({"steps": [{**RIGHT, "figures": [{"view": "confusion", "options": {"k" * 5000: 1}}]}]},
         f"options.{'k' * 60}"),
        ({"fail_if": [{"step": "right", "value": "value", "below": "low"}]},
         "below: must be a number"),
        ({"fail_if": [{"step": "right", "value": "value", "below": 1, "where": {"rate": ["F1"]}}]},
         "where.rate: must be text, a number, true, false or null"),
    ],
)  # fmt: skip
def test_faults_are_told_in_plain_words(change, message):
    with pytest.raises(InvalidInputError) as caught:
        Analysis(**{"steps": [RIGHT], **change})
    said = str(caught.value)
    assert message in said
    assert "validation" not in said
    assert "should" not in said
    assert len(said) < 1000


def test_what_has_no_end_is_not_read_to_its_end():
    with pytest.raises(InvalidInputError, match="'/dev/zero' is a device, not a file"):
        load_analysis("/dev/zero")


def test_aliases_cannot_make_a_short_file_huge():
    bomb = "a: &a [x,x]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(30))
    with pytest.raises(InvalidInputError, match="anchors"):
        parse_analysis(bomb)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([SHAP, SHAP], "two steps are called 'shap'"),
        ([SHAP | {"rows": [1], "count": 2}], "step 'shap': give rows or a count, not both"),
        ([SHAP | {"rows": [-1]}], "step 'shap': rows are positions and start at 0"),
        ([SHAP | {"rows": "5"}], "step 'shap', rows: write a list of positions"),
        ([SHAP | {"rows": "5:5"}], "step 'shap', rows: a range holds 1 to 10,000 rows"),
        ([SHAP | {"id": "../x"}], "an id is made of"),
        ([SHAP | {"id": "x\n"}], "an id is made of"),
        ([SHAP | {"seed": -1}], "step 'shap', seed: input should be greater"),
        ([SHAP | {"device": "tpu"}], "step 'shap', device: "),
        ([SHAP | {"params": {"budget": float("nan")}}], "step 'shap', params: numbers must be"),
        ([SHAP | {"explainer": "train"}], "step 'shap', explainer: name an earlier step that"),
        ([SHAP | {"explainer": "shap"}], "step 'shap', explainer: name an earlier step that"),
    ],
    ids=str,
)  # fmt: skip
def test_steps_that_cannot_be_run_are_refused(steps, message):
    with pytest.raises(InvalidInputError, match=message):
        analysis(*steps)


def test_digests_are_digests():
    with pytest.raises(InvalidInputError, match="models: the digest of 'm' must be 64 hexa"):
        analysis(models={"m": "xyz"})
    with pytest.raises(InvalidInputError, match=r"tables.wine.digest: "):
        analysis(tables={"wine": "xyz"})
    assert analysis(tables={"wine": None}).tables["wine"].digest == ""


def test_an_analysis_of_requests_says_what_to_expect_and_who_trains():
    explainer = trained()
    requests = [
        request_for("fastshap.train"),
        request_for("shapley.fastshap", explainer=explainer.digest),
        request_for("shapley.exact"),
    ]
    made = analysis_of(
        requests, titles=["", "Fast", ""], remarks=["", "", "Slow."],
        results=[explainer, None, example(n=2)],
    )  # fmt: skip
    assert [step.id for step in made.steps] == [
        "fastshap-train", "shapley-fastshap", "shapley-exact"
    ]  # fmt: skip
    assert made.steps[1].explainer == "fastshap-train"
    assert (made.steps[1].title, made.steps[2].remark) == ("Fast", "Slow.")
    assert made.steps[2].expect == numbers_digest(example(n=2))
    assert made.tables["my:t"].digest == OTHER
    assert made.made_with["torch"]


def test_one_name_for_two_things_is_refused():
    asked = [request_for("shapley.exact"), request_for("shapley.exact", model_digest=OTHER)]
    with pytest.raises(InvalidInputError, match="Model 'm@1' changed between two of the steps"):
        analysis_of(asked)
    with pytest.raises(InvalidInputError, match="Of 2 requests there must be 2 titles"):
        analysis_of([asked[0]] * 2, titles=["one"])


def test_a_step_is_made_of_a_request_and_back():
    asked = request_for("shapley.exact")
    step = step_of(asked, "a", title="T")
    assert isinstance(step, Step)
    assert step.request(model_digest=DIGEST, table_digest=OTHER) == asked
    assert step.request(model_digest=DIGEST, table_digest=OTHER, explainer=OTHER).explainer == OTHER
