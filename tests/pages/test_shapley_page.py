"""The Shapley page, from its own file, with every bundled model and with names that bite."""

import logging
import re
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from tests import visits
from tests.visits import MODELS, address, answers, no_fault, shown, widget
from workbench import api
from workbench.core.params import Params
from workbench.engines.shapley.params import SampledParams
from workbench.jobs.queue import Queue
from workbench.plots import overall_sentence, sentence
from workbench.plots.disagreement import disagreement_sentence
from workbench.plots.interactions import interactions_sentence
from workbench.ui.explained import LABELS
from workbench.ui.text import markup, plain

visit = partial(visits.visit, "shapley")


@pytest.fixture
def counted(monkeypatch):
    """The methods of all runs that a page asks for."""
    calls, submit = [], Queue.submit

    def counting(self, request, **kwargs):
        calls.append(request.method)
        return submit(self, request, **kwargs)

    monkeypatch.setattr(Queue, "submit", counting)
    return calls


@pytest.mark.parametrize("name", MODELS)
def test_a_first_visit_explains_one_row_without_a_click(name):
    app = visit(model=name)
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    (body,) = answers(app)
    assert "is predicted" in body
    assert widget(app, "selectbox", "Model").value == name
    assert widget(app, "number_input", "Row").value == 0


def test_the_plain_address_means_adult_its_test_split_and_auto():
    app = visit()
    chosen = {box.label: box.value for box in app.selectbox}
    assert chosen["Model"] == "adult-mlp"
    assert chosen["Table"] == "adult"
    assert chosen["Rows"] == "test"
    assert chosen["Method"] == "auto"
    assert not address(app)


def test_the_answer_is_that_of_the_engine():
    app = visit(model="wine-mlp", row=2)
    model = api.load_model("wine-mlp")
    rows = api.load_table("wine", split="test")[[2]]
    predicted = model.output_names[int(model.predict(rows.X)[0].argmax())]
    expected = sentence(api.explain(model, rows), 0, predicted)
    (body,) = answers(app)
    assert f">{markup(expected)}<" in body


@pytest.mark.parametrize("method", ["exact", "kernel", "permutation"])
def test_a_method_can_be_switched(method):
    app = visit(model="diabetes-mlp")
    widget(app, "selectbox", "Method").set_value(method).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert any(line.value.startswith(plain(f"shapley.{method}")) for line in app.caption)
    assert address(app) == {"model": "diabetes-mlp", "method": method}


def test_exact_on_64_features_is_a_sentence_with_the_fix_and_no_dead_end():
    app = visit(model="digits-mlp", method="exact")
    assert not app.exception
    (error,) = app.error
    assert error.value == plain(
        "Exact Shapley values need 2^64 coalitions for 64 features, the limit is 16 features; "
        "use method 'kernel' or 'permutation'."
    )
    assert not app.get("plotly_chart")
    widget(app, "selectbox", "Method").set_value("auto").run()
    assert not app.error
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("row", [89, -1, "x", "1e3"])
def test_a_row_that_does_not_exist_gives_way_to_the_first(row):
    app = visit(model="diabetes-mlp", row=row)
    assert not app.exception
    assert widget(app, "number_input", "Row").value == 0
    assert f"Row {plain(repr(row))} is not available here." in shown(app)
    assert len(app.get("plotly_chart")) == 1
    assert "row" not in app.query_params


def test_an_unknown_model_gives_way_to_the_default():
    app = visit(model="<b>nobody</b>")
    assert widget(app, "selectbox", "Model").value == "adult-mlp"
    assert plain("'<b>nobody</b>'") in shown(app)


def test_another_model_brings_its_own_table_and_forgets_the_row():
    app = visit(model="wine-mlp", row=7)
    widget(app, "selectbox", "Model").set_value("diabetes-mlp").run()
    assert widget(app, "selectbox", "Table").value == "diabetes"
    assert widget(app, "number_input", "Row").value == 0
    assert not app.error
    assert address(app) == {"model": "diabetes-mlp"}


def test_many_rows_wait_for_the_button_and_then_answer():
    app = visit(model="diabetes-mlp", mode="many", count=5)
    assert not app.get("plotly_chart")
    assert "Press Explain to see which features matter over 5 rows" in shown(app)
    widget(app, "button", "Explain 5 rows").click().run()
    assert not app.exception
    model = api.load_model("diabetes-mlp")
    rows = api.load_table("diabetes", split="test").sample(5, seed=0)
    (body,) = answers(app)
    assert f">{markup(overall_sentence(api.explain(model, rows)))}<" in body
    assert len(app.get("plotly_chart")) == 1


def test_another_class_or_view_computes_nothing_again(counted):
    app = visit(model="wine-mlp", mode="many", count=3, method="kernel")
    widget(app, "button", "Explain 3 rows").click().run()
    first = answers(app)
    widget(app, "selectbox", "Class").set_value("cultivar 1").run()
    assert answers(app) != first
    app.button_group[1].set_value("beeswarm").run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert counted == ["shapley.kernel"]


def test_a_row_seen_before_is_not_computed_again(counted):
    app = visit(model="diabetes-mlp", row=31)
    for row in (32, 31):
        widget(app, "number_input", "Row").set_value(row).run()
    assert len(counted) == 2


def test_changed_settings_mark_the_old_result_and_keep_it(counted):
    app = visit(model="diabetes-mlp", mode="many", count=5)
    widget(app, "button", "Explain 5 rows").click().run()
    assert not app.warning
    old = answers(app)
    widget(app, "number_input", "Number of rows").set_value(6).run()
    (warning,) = app.warning
    assert warning.value == "The settings have changed since: press Explain to update this."
    assert answers(app) == old
    assert len(counted) == 1
    widget(app, "button", "Explain 6 rows").click().run()
    assert not app.warning
    assert "Over 6 rows" in answers(app)[0]


def test_every_view_of_many_rows_draws_and_says_something(counted):
    app = visit(model="german-mlp", mode="many", count=12, method="kernel", background=20)
    widget(app, "button", "Explain 12 rows").click().run()
    views = app.button_group[1]
    assert set(views.options) == set(LABELS.values())
    for view, label in LABELS.items():
        no_fault(app.button_group[1].set_value(view).run())
        assert len(app.get("plotly_chart")) == 1, label
    assert counted == ["shapley.kernel"]


def test_a_view_keeps_what_was_chosen_for_it():
    app = visit(
        model="german-mlp", mode="many", count=12, method="kernel", background=20,
        view="dependence",
    )  # fmt: skip
    widget(app, "button", "Explain 12 rows").click().run()
    chosen = widget(app, "selectbox", "Feature").options[3]
    no_fault(widget(app, "selectbox", "Feature").set_value(chosen).run())
    assert address(app)["dependence.feature"] == chosen
    assert f"the effect of {plain(chosen)} on" in shown(app)


def test_two_models_stand_side_by_side_and_say_where_they_disagree(counted):
    app = no_fault(visit(model="adult-mlp", row=3, compare="model"))
    assert counted == ["shapley.exact"] * 2
    assert len(app.get("plotly_chart")) == 4
    rows = api.load_table("adult", split="test")[[3]]
    pair = [api.explain(api.load_model(name), rows) for name in ("adult-mlp", "adult-linear")]
    names = ("adult-mlp", "adult-linear")
    expected = disagreement_sentence(*pair, output=">50K", names=names)
    assert f">{markup(expected)}<" in answers(app)[1]


def test_two_methods_stand_side_by_side():
    app = no_fault(visit(model="diabetes-mlp", method="kernel", compare="method"))
    options = widget(app, "selectbox", "Other method").options
    assert not any(option.startswith("kernel") for option in options)
    assert len(app.get("plotly_chart")) == 4
    assert any(element.value.startswith("kernel and ") for element in app.subheader)


def test_marginal_and_conditional_values_stand_side_by_side():
    app = visit(
        model="diabetes-mlp", method="kernel", compare="value function",
        **{"compare__value function": "neighbours"},
    )  # fmt: skip
    no_fault(app)
    assert len(app.get("plotly_chart")) == 4
    assert plain("background rows and similar background rows") in [s.value for s in app.subheader]


def test_another_value_function_is_another_run(counted):
    app = visit(model="diabetes-mlp", method="kernel", row=41)
    no_fault(widget(app, "selectbox", "Unknown features").set_value("baseline").run())
    assert len(counted) == 2
    assert address(app)["shapley.value"] == "baseline"
    assert any("value baseline" in element.proto.body for element in app.get("html"))


def test_pairs_of_features_are_found_on_request(counted):
    app = no_fault(visit(model="adult-mlp", row=17))
    no_fault(widget(app, "toggle", "Which features work together?").set_value(True).run())
    assert counted == ["shapley.exact", "shapley.interactions"]
    assert len(app.get("plotly_chart")) == 2
    rows = api.load_table("adult", split="test")[[17]]
    expected = interactions_sentence(api.interactions("adult-mlp", rows), output=">50K")
    assert f">{markup(expected)}<" in answers(app)[1]


def test_pairs_of_many_features_are_sampled():
    app = no_fault(visit(model="german-mlp", row=3, pairs="True"))
    if not app.get("plotly_chart")[1:]:  # not where the machine is too busy to start by itself
        app = no_fault(widget(app, "button", "Find interactions").click().run())
    assert len(app.get("plotly_chart")) == 2
    assert any("standard error, coalitions" in table.proto.columns for table in app.dataframe)


def test_an_address_restores_method_settings_and_background():
    app = visit(
        model="diabetes-mlp", row=3, method="kernel", background=50, seed=4, shapley__budget=64
    )
    assert not app.error
    assert widget(app, "number_input", "Budget").value == 64
    text = shown(app)
    assert plain("background: 50 rows of diabetes/train") in text
    assert plain("seed 4") in text


def test_settings_that_do_not_fit_are_a_sentence():
    app = visit(model="breast-cancer-mlp", method="kernel", shapley__budget=20)
    assert not app.exception
    assert plain("A budget of 20 coalitions is too small: 30 features need") in app.error[0].value
    app = visit(model="wine-mlp", shapley__output="score", shapley__link="logit")
    assert app.error[0].value.startswith(plain("Link 'logit' transforms probabilities"))


def test_a_cost_is_named_before_the_run():
    app = visit(model="diabetes-mlp", mode="many", count=7, method="kernel", shapley__budget=100)
    cost = next(line.value for line in app.caption if "on this device" in line.value)
    assert re.fullmatch(
        r"At most 70,107 model evaluations · \d+ kB · about [\d.]+ s on this device", cost
    )


def test_a_defect_is_logged_with_a_number_and_shown_without_its_text(monkeypatch, caplog):
    def broken(_):
        raise RuntimeError("the secret of row 3")

    monkeypatch.setattr(api, "run_checks", broken)
    with caplog.at_level(logging.ERROR, "workbench.ui.frame"):
        app = visit(model="diabetes-mlp")
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith("Something went wrong on our side.")
    incident = re.fullmatch(r"incident ([0-9a-f]{8})", app.code[0].value)[1]
    assert "secret" not in shown(app)
    assert [getattr(record, "incident", None) for record in caplog.records] == [incident]
    assert "the secret of row 3" in caplog.text


@pytest.mark.usefixtures("me")  # others may have brought models of their own
def test_an_empty_registry_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    app = visit()
    assert not app.exception
    assert app.error[0].value.startswith("There are no models yet")


def test_names_that_are_markup_are_shown_as_they_are(hostile_registry):
    app = visit(model="hostile", method="exact")
    assert not app.exception
    assert not app.error
    bodies = "".join(element.proto.body for element in app.get("html"))
    assert "<script>" not in bodies
    text = shown(app)
    for name in hostile_registry.values():
        assert name not in text
    assert "<script" not in app.get("plotly_chart")[0].proto.spec


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("**b**", r"\*\*b\*\*"),
        ("[a](http://b)", "\\[a\\]\\(http\\:\N{WORD JOINER}//b\\)"),
        (":red[x]", "\\:\N{WORD JOINER}red\\[x\\]"),
        ("a\n\n# b", r"a \# b"),
        ("$x$ `c` <i> &lt; ~s~", r"\$x\$ \`c\` \<i\> \&lt; \~s\~"),
        ("www.evil.test", "www\N{WORD JOINER}\\.evil\\.test"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_markdown_is_escaped(text, escaped):
    assert plain(text) == escaped


def form_of_sampled_params():
    from workbench.engines.shapley.params import SampledParams
    from workbench.ui.forms import params_form

    import streamlit as st  # isort: skip

    st.session_state["seen"] = params_form(SampledParams, "form")


def test_a_form_has_a_widget_per_field_and_its_defaults_are_those_of_the_model():
    app = AppTest.from_function(form_of_sampled_params).run()
    assert not app.exception
    assert SampledParams(**app.session_state["seen"]) == SampledParams()
    assert widget(app, "number_input", "Budget").placeholder == "automatic"
    assert widget(app, "selectbox", "Link").options == ["identity", "logit", "log-softmax"]
    widget(app, "number_input", "Budget").set_value(32).run()
    widget(app, "number_input", "Tolerance").set_value(0.05).run()
    assert app.session_state["seen"]["budget"] == 32
    assert app.session_state["seen"]["tolerance"] == pytest.approx(0.05)
    widget(app, "number_input", "Budget").set_value(None).run()
    assert app.session_state["seen"]["budget"] is None


@pytest.mark.parametrize("text", ["9" * 400, "-" + "9" * 400, "1e308", "inf", "nan", str(2**53)])
@pytest.mark.parametrize("field", ["budget", "tolerance"])
def test_a_number_that_no_browser_holds_gives_way(field, text):
    app = AppTest.from_function(form_of_sampled_params)
    app.query_params[f"form.{field}"] = text
    app.run()
    assert not app.exception
    assert SampledParams(**app.session_state["seen"]) == SampledParams()


class Unknown(Params):
    """A field that no widget can show."""

    words: tuple[str, ...] = ()


def test_a_field_without_a_widget_is_a_defect_of_ours():
    from workbench.ui.forms import params_form

    with pytest.raises(TypeError, match=r"field 'words' of type tuple\[str, ...\] has no widget"):
        params_form(Unknown, "unknown")
