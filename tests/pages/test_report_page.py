"""The report: results put aside on any page, ordered, commented, and handed over as one file."""

import pytest

from tests.visits import answers, go, has, no_fault, press, shown, visit, widget
from workbench.jobs.queue import Queue
from workbench.ui.report_builder import _report
from workbench.ui.text import plain
from workbench.workspace.basket import Basket

HEADING = "What we <b>found</b> & why"
REMARK = "Look at <script>alert(1)</script> first."


def put_aside(page, **address):
    return no_fault(press(visit(page, **address), "Add to report"))


@pytest.fixture
def two_results(me):
    """The report page after a wine prediction and a diabetes evaluation were put aside."""
    app = put_aside("shapley", model="wine-mlp")
    assert has(app, "button", "In the report")
    put_aside("workspace", model="diabetes-mlp")
    return me


def test_an_empty_report_leads_to_an_explanation(me):
    app = no_fault(visit("report"))
    assert "Nothing has been put aside yet." in answers(app)[0]
    no_fault(press(app, "Explain a prediction"))
    assert len(app.get("plotly_chart")) == 1
    assert Basket(me.key).content.items == ()


def test_results_are_listed_reordered_commented_and_written(two_results):
    app = no_fault(visit("report"))
    assert "2 results in one file that opens anywhere." in answers(app)[0]
    wine, diabetes = Basket(two_results.key).content.items
    assert "wine-mlp" in wine.title
    assert "diabetes-mlp" in diabetes.title
    assert shown(app).index(plain(wine.title)) < shown(app).index(plain(diabetes.title))
    no_fault(app.text_area(key=f"remark-{wine.job}").set_value(REMARK).run())
    no_fault(widget(app, "text_input", "Heading").set_value(HEADING).run())
    assert app.button(key=f"up-{wine.job}").disabled
    no_fault(app.button(key=f"up-{diabetes.job}").click().run())
    content = Basket(two_results.key).content
    assert [item.job for item in content.items] == [diabetes.job, wine.job]
    assert (content.heading, content.items[1].remark) == (HEADING, REMARK)
    assert app.button(key=f"up-{diabetes.job}").disabled

    queue = Queue()
    found = {item.job: queue.result(item.job, two_results.key) for item in content.items}
    page = _report(Basket(two_results.key), found).decode()
    assert page.lower().startswith("<!doctype html>")
    assert "What we &lt;b&gt;found&lt;/b&gt; &amp; why" in page
    assert "Look at &lt;script&gt;alert(1)&lt;/script&gt; first." in page
    assert REMARK not in page
    assert page.index("diabetes-mlp@1") < page.index("wine-mlp@1")
    assert page.count("Look at ") == 1


def test_a_result_is_taken_out_here_or_where_it_was_put_in(two_results):
    app = no_fault(visit("report"))
    wine, diabetes = Basket(two_results.key).content.items
    no_fault(app.button(key=f"out-{diabetes.job}").click().run())
    assert "1 result in one file" in answers(app)[0]
    no_fault(press(visit("shapley", model="wine-mlp"), "In the report"))
    assert "Nothing has been put aside yet." in answers(go(app, "report"))[0]
    assert wine.job != diabetes.job


def test_a_result_that_is_gone_is_told_and_the_rest_is_handed_over(two_results):
    wine, diabetes = Basket(two_results.key).content.items
    Queue().remove(wine.job, two_results.key)
    app = no_fault(visit("report"))
    assert "1 of 2 results are ready to hand over." in answers(app)[0]
    (warning,) = app.warning
    assert warning.value == "Its result is no longer there; run the job again on the page Jobs."
    assert not widget(app, "download_button", "Download the report").disabled
    Queue().remove(diabetes.job, two_results.key)
    assert widget(app.run(), "download_button", "Download the report").disabled


def test_a_large_run_is_put_aside_from_the_list_of_jobs(me):
    large = {"mode": "many", "count": 45, "method": "kernel", "background": 264}
    app = visit("shapley", model="diabetes-mlp", **large)
    no_fault(press(app, "Explain 45 rows"))
    no_fault(press(visit("jobs"), "Add to report"))
    (item,) = Basket(me.key).content.items
    assert item.title.endswith("diabetes-mlp, 45 rows of diabetes")
    assert "1 result in one file" in answers(visit("report"))[0]


def test_lengths_are_bounded_where_they_are_typed(two_results):
    app = no_fault(visit("report"))
    item = Basket(two_results.key).content.items[0]
    assert widget(app, "text_input", "Heading").max_chars == 200
    area = app.text_area(key=f"remark-{item.job}")
    assert area.max_chars == 2000
    no_fault(area.set_value("w" * 2000).run())
    assert Basket(two_results.key).content.items[0].remark == "w" * 2000
