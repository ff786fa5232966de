"""The gallery shows what its code gives."""

import pytest

from docs.gallery.pages import HERE, blocks, pages
from docs.gallery.running import differences, in_a_new_folder, run, written


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_a_page_shows_what_comes_out(page):
    shown = blocks(page)
    with in_a_new_folder():
        done = run(page)
    for one, other in zip(shown, done, strict=True):
        assert differences(one.output, other.output) == []
    # What is written differs at most in digits: no block, picture or output is left over.
    text, again = page.read_text(encoding="utf-8"), written(page, done)
    assert differences(text, again) == []
    for number, block in enumerate(done, start=1):
        assert page.with_name(f"{page.stem}_{number}.png").is_file() is (block.figure is not None)


def test_every_page_is_in_the_contents():
    contents = (HERE / "index.md").read_text(encoding="utf-8")
    assert [page.stem for page in pages() if f"]({page.name})" not in contents] == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gap 0.12 of 1,200", "gap 0.13 of 1,200", True),
        ("gap 0.12", "gap 0.14", False),
        ("about 1.2e-16", "about 4.5e-15", True),
        ("about 1.2e-3", "about 1.4e-3", False),
        ("a is 3", "b is 3", False),
        ("3 rows", "3 rows more", False),
    ],
)
def test_numbers_agree_to_the_last_printed_digit(one, other, same):
    assert (differences(one, other) == []) is same
