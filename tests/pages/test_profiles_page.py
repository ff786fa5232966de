"""The page about profiles: all features, one of them, two together, one model or many."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.visits import address, answers, no_fault, press, shown, visit, widget
from workbench.ui.profile_views import FEATURE
from workbench.ui.state import OWN

QUICK = {"near_profiles.profiled": "3", "near_profiles.models": "64", "near_profiles.points": "5",
         "near_profiles.curves": "20", "effort": "quick"}  # fmt: skip


def profiles(**address):
    return no_fault(visit("profiles", **address))


def plots(app):
    return len(app.get("plotly_chart"))


def test_the_answer_all_features_and_the_one_that_matters_most():
    app = profiles(model="wine-mlp")
    (said,) = answers(app)
    first = widget(app, "selectbox", "Feature").value
    assert f"changes most with {first}" in said
    assert plots(app) == 2
    for code in ("WB042", "WB043", "WB044"):
        assert code in shown(app)
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}
    assert widget(app, "button", "Add to report")
    assert "Choose a second feature" in shown(app)
    app = no_fault(widget(app, "selectbox", "Feature").set_value("alcohol").run())
    assert address(app)["profile_feature"] == "alcohol"
    assert "Over the values of alcohol" in shown(app)


def test_effects_and_groups_say_what_they_are():
    app = profiles(model="adult-mlp", profile_feature="age", profile_curves="grouped")
    assert "Groups of single rows" in shown(app)
    assert "B, " in shown(app)
    app = no_fault(widget(app, "button_group", "Show").set_value("both").run())
    assert "Dashed\\: the mean curve" in shown(app)
    assert "Single curves" not in [group.label for group in app.button_group]
    assert address(app)["profile_shown"] == "both"
    # Effects need an order.
    app = no_fault(widget(app, "selectbox", "Feature").set_value("sex").run())
    assert "no order along which" in shown(app)
    assert "Show" not in [group.label for group in app.button_group]


def test_two_features_are_a_run_of_their_own_over_the_same_rows():
    app = profiles(model="adult-mlp", profile_feature="age")
    other = widget(app, "selectbox", "Together with")
    app = no_fault(other.set_value("hours_per_week").run())
    assert plots(app) == 3
    assert "Beyond what each does alone" in shown(app)
    assert len([b for b in app.button if b.label == "Add to report"]) == 2
    app = no_fault(widget(app, "button_group", "Surface").set_value("effects").run())
    assert plots(app) == 3
    # Without an order there is nothing to accumulate.
    other = widget(app, "selectbox", "Together with")
    app = no_fault(other.set_value("sex").run())
    assert widget(app, "button_group", "Surface").options == ["Mean"]


def test_models_that_are_as_good_are_held_beside_each_other():
    app = profiles(model="german-mlp", part="models", **{k.replace(".", "__"): v
                                                         for k, v in QUICK.items()})  # fmt: skip
    if not answers(app):
        app = no_fault(press(app, "Follow equally good models"))
    (said,) = answers(app)
    assert "3 equally good models differ most about" in said
    assert "Models" in widget(app, "button_group", "Single curves").options
    assert "Together with" not in [box.label for box in app.selectbox]
    assert "range of equally good models" in shown(app)


@pytest.mark.usefixtures("hostile_registry")
def test_names_that_are_markup_are_shown_as_they_are():
    app = profiles(model="hostile", profile_curves="grouped")
    assert answers(app)
    assert "**bold** :red[x]" not in shown(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))


def picked(point):
    def page(point):
        from tests.profiles import some_profiles
        from workbench.ui.profile_views import _pick

        _pick(some_profiles(), point)

    app = AppTest.from_function(page, kwargs={"point": point}, default_timeout=60).run()
    kept = app.session_state
    return kept[OWN + FEATURE] if OWN + FEATURE in kept else None  # noqa: SIM401 - it has no get


@pytest.mark.parametrize(
    ("point", "name"),
    [({"customdata": 2}, "x2"), ({"customdata": [4]}, "x4"), ({"customdata": 99}, None),
     ({"customdata": []}, None), ({}, None), ({"customdata": "x2"}, None)],
)  # fmt: skip
def test_a_click_chooses_the_feature_of_the_panel(point, name):
    assert picked(point) == name
