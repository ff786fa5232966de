"""What is put aside for a report keeps its order, and belongs to one person."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.core.errors import LimitError
from workbench.core.figures import MAX_FIGURES, ChosenFigure
from workbench.workspace.basket import FILE, MAX_ITEMS, Basket
from workbench.workspace.store import Workspace


@pytest.fixture
def basket(tmp_path):
    return Basket("local", tmp_path)


def jobs(basket):
    return [item.job for item in basket.content.items]


def test_items_keep_their_order_and_come_once(basket, tmp_path):
    for job in ("a", "b", "c", "a"):
        basket.add(job, f"Job {job}")
    assert jobs(basket) == ["a", "b", "c"]
    assert jobs(Basket("local", tmp_path)) == ["a", "b", "c"]


def test_nothing_is_lost_where_windows_add_at_once(basket, tmp_path):
    names = [str(number) for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: Basket("local", tmp_path).add(name, name), names))
    assert sorted(jobs(basket)) == sorted(names)


@pytest.mark.parametrize(
    ("job", "places", "order"),
    [("a", 1, "bac"), ("c", -1, "acb"), ("a", -1, "abc"), ("c", 5, "abc"), ("x", 1, "abc")],
)
def test_an_item_moves(basket, job, places, order):
    for name in "abc":
        basket.add(name, name)
    basket.move(job, places)
    assert "".join(jobs(basket)) == order


def test_a_remark_and_a_heading_stay(basket):
    basket.add("a", "A")
    basket.add("b", "B")
    basket.remark("a", "Look at *this*.")
    basket.rename("For the board")
    basket.remove("b")
    (item,) = basket.content.items
    assert (item.remark, basket.content.heading) == ("Look at *this*.", "For the board")


def test_people_have_reports_of_their_own(tmp_path):
    Basket("ann", tmp_path).add("a", "A")
    assert jobs(Basket("bob", tmp_path)) == []


def test_a_full_report_says_so_and_keeps_what_it_has(basket):
    for number in range(MAX_ITEMS):
        basket.add(str(number), "job")
    with pytest.raises(LimitError) as caught:
        basket.add("one more", "job")
    assert str(caught.value) == (
        "A report holds at most 100 results; remove one on the page Report."
    )
    assert len(jobs(basket)) == MAX_ITEMS


@pytest.mark.parametrize("content", ["", "[]", '{"items": 3}', '{"items": [{"job": 1}]}'])
def test_a_damaged_file_counts_as_empty(basket, tmp_path, content):
    basket.add("a", "A")
    (file,) = tmp_path.rglob("report.json")
    file.write_text(content)
    assert jobs(basket) == []
    basket.add("b", "B")
    assert jobs(basket) == ["b"]


BAR = ChosenFigure(view="bar")
FEATURE = ChosenFigure(view="dependence", options={"feature": "<b>age</b>"})


def figures(basket):
    (item,) = basket.content.items
    return item.figures


def test_figures_are_added_to_their_job_once_and_taken_out_again(basket, tmp_path):
    basket.add("a", "A", "Look.", [FEATURE])
    basket.add("a", "Another title", "Another remark", [BAR, FEATURE])
    assert figures(Basket("local", tmp_path)) == (FEATURE, BAR)
    assert (basket.content.items[0].title, basket.content.items[0].remark) == ("A", "Look.")
    basket.drop("a", FEATURE)
    assert figures(basket) == (BAR,)
    basket.drop("a", BAR)
    assert figures(basket) == ()
    basket.add("a", "A", figures=[BAR])
    basket.show_usual("a")
    assert figures(basket) == ()


def test_a_report_has_only_so_many_figures_of_a_job(basket):
    many = [ChosenFigure(view="waterfall", options={"row": row}) for row in range(MAX_FIGURES)]
    basket.add("a", "A", figures=many)
    with pytest.raises(LimitError, match="at most 24 figures of a result; remove one"):
        basket.add("a", "A", figures=[BAR])
    assert figures(basket) == tuple(many)


def test_what_an_older_version_kept_is_still_read(basket, tmp_path):
    basket.add("a", "A")
    path = Workspace("local", tmp_path).models_root.parent / FILE
    content = json.loads(path.read_text())
    del content["items"][0]["figures"]
    path.write_text(json.dumps(content))
    assert figures(basket) == ()
