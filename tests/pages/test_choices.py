"""What is chosen: an address restores it, another page keeps it, and what cannot be gives way."""

import re

import pytest

from tests.visits import address, answers, go, has, no_fault, press, shown, visit, widget
from workbench import api
from workbench.core.cohort import Cohort
from workbench.core.errors import InvalidInputError
from workbench.ui.text import plain

OLDER_WOMEN = "sex:Female;age:60..70"


def chosen(app):
    """The choices of the sidebar."""
    return {box.label: box.value for box in app.sidebar.selectbox if box.label != "Column"}


def cohort_of(table, text, split="test"):
    rows = api.load_table(table, split=split)
    return Cohort.parse(text, rows.schema).apply(rows)


def cost(app):
    """The line that says what a run takes."""
    return next(line.value for line in app.caption if "on this device" in line.value)


def test_an_address_restores_model_table_split_cohort_and_row():
    asked = {"model": "adult-linear", "table": "adult", "split": "validation",
             "cohort": OLDER_WOMEN, "row": 7}  # fmt: skip
    app = no_fault(visit("shapley", **asked))
    assert chosen(app) == {"Model": "adult-linear", "Table": "adult", "Rows": "validation"}
    rows = cohort_of("adult", OLDER_WOMEN, "validation")
    assert f"Row {int(rows.ids[7])} of adult" in shown(app)
    assert f"{len(rows):,} of " in shown(app)
    # The table is the model's own, so it need not be in the address.
    assert address(app) == {k: str(v) for k, v in asked.items() if k != "table"}


def test_a_model_may_be_named_with_its_version():
    app = no_fault(visit("shapley", model="wine-mlp@1"))
    assert chosen(app)["Model"] == "wine-mlp@1"
    assert address(app) == {"model": "wine-mlp@1"}


@pytest.mark.parametrize("by_link", [True, False])
def test_choices_survive_the_menu(by_link):
    """A choice from a link counts as much as a click, though the menu leaves the address."""
    if by_link:
        app = visit("shapley", model="diabetes-mlp", split="all", row=3)
    else:
        app = visit("shapley")
        widget(app, "selectbox", "Model").set_value("diabetes-mlp").run()
        widget(app, "selectbox", "Rows").set_value("all").run()
        widget(app, "number_input", "Row").set_value(3).run()
    for page in ("workspace", "jobs", "shapley"):
        no_fault(go(app, page))
    assert chosen(app) == {"Model": "diabetes-mlp", "Table": "diabetes", "Rows": "all"}
    assert widget(app, "number_input", "Row").value == 3
    assert address(app) == {"model": "diabetes-mlp", "split": "all", "row": "3"}


def test_another_split_forgets_row_and_cohort():
    app = visit("shapley", cohort=OLDER_WOMEN, row=7)
    widget(app, "selectbox", "Rows").set_value("train").run()
    assert widget(app, "number_input", "Row").value == 0
    assert address(app) == {"split": "train"}


@pytest.mark.parametrize("page", ["workspace", "shapley"])
def test_a_filter_on_classes_narrows_the_rows(page):
    app = visit(page)
    widget(app, "selectbox", "Column").set_value("sex").run()
    widget(app, "multiselect", "is one of").set_value(["Female"]).run()
    n = len(cohort_of("adult", "sex:Female"))
    no_fault(press(app, f"Keep {n:,} rows"))
    assert address(app) == {"cohort": "sex:Female"}
    assert plain(f"{n:,} of 6,513 rows: sex Female") in shown(app)


def test_filters_add_up_and_can_be_taken_away():
    app = visit("shapley", cohort="sex:Female")
    widget(app, "selectbox", "Column").set_value("age").run()
    widget(app, "slider", "between").set_value((60, 70)).run()
    n = len(cohort_of("adult", OLDER_WOMEN))
    no_fault(press(app, f"Keep {n:,} rows"))
    assert address(app) == {"cohort": OLDER_WOMEN}
    app.button(key="cohort-drop-0").click().run()
    assert address(app) == {"cohort": "age:60..70"}
    app.button(key="cohort-drop-0").click().run()
    assert not address(app)
    assert " of 6,513 rows" not in shown(app)


def test_rows_without_a_value_can_be_kept_alone():
    app = visit("shapley")
    widget(app, "selectbox", "Column").set_value("workclass").run()
    widget(app, "checkbox", "or missing").check().run()
    n = len(cohort_of("adult", "workclass:missing"))
    no_fault(press(app, f"Keep {n:,} rows"))
    assert address(app) == {"cohort": "workclass:missing"}


def test_a_filter_that_leaves_nothing_is_not_offered():
    app = visit("shapley", cohort="age:17..17")
    widget(app, "selectbox", "Column").set_value("occupation").run()
    widget(app, "multiselect", "is one of").set_value(["Armed-Forces"]).run()
    assert not any(button.label.startswith("Keep") for button in app.button)
    assert re.search(r"[Nn]o row", shown(app))


@pytest.mark.parametrize(
    "text", ["shoe_size:40..41", "sex:Robot", "age:1000..1001", "age:x..y", "%%%", "<b>:1..2"]
)
@pytest.mark.parametrize("page", ["workspace", "shapley"])
def test_a_cohort_that_cannot_be_gives_way_with_a_sentence(page, text):
    rows = api.load_table("adult", split="test")
    with pytest.raises(InvalidInputError) as caught:
        Cohort.parse(text, rows.schema).apply(rows)
    app = no_fault(visit(page, cohort=text))
    assert plain(str(caught.value)) in shown(app)
    assert not address(app)
    assert len(answers(app)) == 1


def test_an_effort_changes_settings_background_and_cost():
    app = visit("shapley", model="diabetes-mlp", mode="many", count=10, method="kernel")
    said, seen = [], []
    for effort in ("quick", "standard", "thorough"):
        no_fault(widget(app, "button_group", "Effort").set_value(effort).run())
        said.append(cost(app))
        seen.append((
            widget(app, "number_input", "Budget").value,
            widget(app, "number_input", "Background rows").value,
        ))  # fmt: skip
    # 10 features: 2,048 + 20 coalitions by default; a quarter of them; eight times as many.
    assert seen == [(517, 25), (None, 100), (16_544, 264)]
    evaluations = [int(re.search(r"At most ([\d,]+)", line)[1].replace(",", "")) for line in said]
    assert evaluations == sorted(set(evaluations))


def test_an_effort_replaces_settings_made_by_hand():
    app = visit("shapley", model="diabetes-mlp", method="kernel", shapley__budget=64, background=50)
    assert widget(app, "number_input", "Budget").value == 64
    no_fault(widget(app, "button_group", "Effort").set_value("quick").run())
    assert widget(app, "number_input", "Budget").value == 517
    assert address(app) == {"model": "diabetes-mlp", "method": "kernel", "effort": "quick"}


def test_a_newcomer_is_led_to_a_first_explanation(somebody):
    somebody("newcomer")
    app = no_fault(visit())
    assert "New here?" in shown(app)
    no_fault(press(app, "Explain the first row"))
    assert len(app.get("plotly_chart")) == 1
    no_fault(go(app, "workspace"))
    assert "New here?" not in shown(app)
    assert not has(app, "button", "Not now")


def test_a_refresh_of_a_page_about_no_model_keeps_what_the_others_are_about():
    app = go(visit("shapley", model="wine-mlp", split="train"), "jobs")
    assert address(app) == {"model": "wine-mlp", "split": "train"}
    refreshed = go(visit("jobs", **address(app)), "shapley")
    assert widget(refreshed, "selectbox", "Model").value == "wine-mlp"
    assert widget(refreshed, "selectbox", "Rows").value == "train"
