"""The page that looks inside a network."""

import pytest

from tests.visits import answers, no_fault, shown, visit, widget

QUICK = {"inside__fit_rows": 100, "inside__curve_rows": 50, "inside__shown_rows": 30}


def look(model, **address):
    return no_fault(visit("inside", model=model, **QUICK, **address))


def figures(app):
    return len(app.get("plotly_chart"))


@pytest.mark.parametrize("model", ["wine-mlp", "diabetes-mlp"])
def test_the_answer_graph_curves_and_a_card_are_there(model):
    app = look(model)
    (said,) = answers(app)
    assert "stays within the tolerance" in said
    assert figures(app) == 7
    assert "the network needs " in shown(app)
    assert "WB070" in shown(app)
    labels = {button.label for button in app.get("download_button")}
    assert labels >= {"HTML", "CSV", "JSON", "GraphML"}


def test_what_is_said_beside_the_graph_follows_the_slider():
    app = look("wine-mlp")
    (before,) = app.metric
    slider = widget(app, "select_slider", "Edges kept of every section")
    app = no_fault(slider.set_value(slider.options[0]).run())
    (after,) = app.metric
    assert after.value != before.value
    assert "points by cutting" in after.delta


def test_features_can_be_left_out_instead_of_edges():
    app = look("diabetes-mlp", inside_cut="features")
    slider = widget(app, "select_slider", "Features kept of every layer")
    app = no_fault(slider.set_value(slider.options[0]).run())
    (worth,) = app.metric
    assert worth.label == "Squared error, all layers cut"
    assert "95 % of the change" in shown(app)
    assert "What is lost with fewer features" in shown(app)


def test_features_and_edges_can_be_left_out_together():
    app = look("wine-mlp", inside_cut="both")
    (first,) = app.metric
    assert first.label == "Accuracy, all layers cut"
    names = ("Features kept of every layer", "Edges kept of every section")
    said = {}
    for at in (0, -1):
        for name in names:
            slider = widget(app, "select_slider", name)
            app = no_fault(slider.set_value(slider.options[at]).run())
        (said[at],) = app.metric
    assert said[-1].delta == "0.0 points by cutting"
    assert said[0].value != said[-1].value
    assert "What is lost with fewer edges" in shown(app)


def test_every_basis_cut_and_feature_can_be_chosen():
    app = look("wine-mlp", inside_basis="neurons", inside_cut="features", inside_layer="hidden 1",
               inside_feature="hidden 1, feature 1", inside_units="hidden 2")  # fmt: skip
    assert widget(app, "selectbox", "Feature").value == "hidden 1, feature 1"
    assert widget(app, "selectbox", "Layer").value == "hidden 1"
    assert widget(app, "selectbox", "Units of").value == "hidden 2"


def test_layers_to_cut_at_can_be_chosen():
    app = look("wine-mlp", inside__layers="hidden 2")
    layers = widget(app, "selectbox", "Layer")
    assert layers.options == ["All layers at once", "Inputs", "Hidden 2"]
    app = look("wine-mlp", inside__layers="hidden 9")
    assert "'hidden 9' is not available here" in shown(app)
    assert len(widget(app, "selectbox", "Layer").options) > 3


@pytest.mark.usefixtures("hostile_registry")
def test_names_that_are_markup_are_shown_as_they_are():
    app = visit("inside", model="hostile", **QUICK)
    assert "**bold** :red[x]" not in shown(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))


def test_what_an_address_asks_of_hidden_settings_in_vain_is_said_where_it_is_seen():
    app = no_fault(visit("inside", model="wine-mlp", inside__layers="hidden 9", inside_seed="-3"))
    (settings,) = (box for box in app.get("popover") if box.proto.popover.label == "Settings")
    hidden = {line.value for line in settings.caption}
    seen = {line.value for line in app.caption} - hidden
    for said in ("Layers to cut at", "Seed"):
        assert any(said in line and "is not available here" in line for line in seen)
        assert not any(said in line and "is not available" in line for line in hidden)
    assert any("on this device" in line for line in seen)
