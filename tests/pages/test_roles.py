"""Who may do what, and two people who do not see each other's things."""

import pytest

from tests.bundles import bundle, keep_table
from tests.networks import tiny_table
from tests.visits import PAGES, answers, has, no_fault, press, shown, upload_model, visit, widget
from workbench.jobs.queue import Queue
from workbench.ui.text import plain

UPLOADING = (
    "The role viewer may not upload models and tables; ask an administrator of this workbench for "
    "the role analyst."
)
RUNNING = (
    "The role viewer may not start runs of this size, or on models and tables of one's own; ask an "
    "administrator of this workbench for the role analyst."
)
LARGE = {"model": "diabetes-mlp", "mode": "many", "count": 45, "method": "kernel",
         "background": 264}  # fmt: skip
TABLE = tiny_table(n=50, d=4)


@pytest.mark.parametrize("page", ["add_data", "add_model"])
def test_a_viewer_cannot_upload(somebody, page):
    somebody("viewer", "viewer")
    app = visit(page)
    assert [error.value for error in app.error] == [plain(UPLOADING)]
    assert not app.file_uploader
    assert not app.exception


def test_a_viewer_runs_small_things_only(somebody):
    viewer = somebody("viewer", "viewer")
    app = no_fault(visit("shapley", model="wine-mlp"))
    assert len(app.get("plotly_chart")) == 1
    no_fault(visit(model="wine-mlp"))
    before = Queue().jobs(viewer.key)
    app = press(visit("shapley", **LARGE), "Explain 45 rows")
    assert [error.value for error in app.error] == [plain(RUNNING)]
    assert Queue().jobs(viewer.key) == before


@pytest.mark.parametrize("role", ["viewer", "analyst", "admin"])
def test_every_page_opens_for_every_role(somebody, role):
    somebody(f"all-{role}", role)
    refused = {"viewer": {"add_data", "add_model", "health"}, "analyst": {"health"}}
    for page in PAGES:
        app = visit(page)
        assert not app.exception
        assert bool(app.error) == (page in refused.get(role, set()))


def test_two_people_do_not_see_each_others_things(somebody):
    ann = somebody("ann")
    keep_table(ann, TABLE, name="secret-rows")
    no_fault(
        upload_model(visit("add_model"), bundle(TABLE, title="The secret model", name="secret"))
    )
    no_fault(press(visit("shapley", model="my:secret"), "Add to report"))
    no_fault(press(visit("shapley", **LARGE), "Explain 45 rows"))
    assert "1 of them yours" in answers(visit("registry"))[0]

    somebody("bea")
    for page in PAGES:
        if page == "health":
            continue
        app = no_fault(visit(page, small=True))
        choices = {option for box in app.selectbox for option in box.options}
        tables = "".join(element.value.to_csv() for element in app.dataframe)
        bodies = "".join(element.proto.body for element in app.get("html"))
        for text in (shown(app), bodies, tables, "\n".join(choices)):
            assert "secret" not in text
    assert "Nothing has been run yet" in shown(visit("jobs")) or not has(app, "button", "Open")
    assert "Nothing has been put aside yet." in answers(visit("report"))[0]
    # Nor by an address.
    app = visit("shapley", model="my:secret", table="my:secret-rows")
    assert widget(app, "selectbox", "Model").value == "adult-mlp"
    assert not app.exception
    assert not widget(app, "selectbox", "Model").options[0].endswith("yours")

    somebody("ann")
    app = no_fault(visit("shapley", model="my:secret"))
    assert widget(app, "selectbox", "Model").value == "my:secret"
    assert "1 result is ready to hand over" in answers(visit("report"))[0]


def test_an_administrator_sees_and_stops_the_jobs_of_others(somebody):
    somebody("carl")
    press(visit("shapley", **LARGE), "Explain 45 rows")
    somebody("root", "admin")
    app = no_fault(visit("jobs", everyone=True))
    assert plain("of carl") in shown(app)
    assert not has(app, "button", "Open")
    assert not has(app, "button", "Remove")
    somebody("dora")
    app = no_fault(visit("jobs", everyone=True))
    assert "carl" not in shown(app)
    assert not has(app, "toggle", "Everybody's jobs")
