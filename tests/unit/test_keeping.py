"""Names under which networks that jobs train are to be kept."""

from workbench.workspace.keeping import FILE, MAX_ITEMS, Keeping


def test_a_wish_is_found_again_by_its_job_alone_until_it_is_let_go(tmp_path):
    Keeping("me", tmp_path).want("a" * 64, "even")
    again = Keeping("me", tmp_path)
    assert again.wanted("a" * 64) == "even"
    assert again.wanted("b" * 64) is None
    assert Keeping("you", tmp_path).wanted("a" * 64) is None
    again.let_go("a" * 64)
    assert Keeping("me", tmp_path).wanted("a" * 64) is None


def test_what_was_kept_is_told_while_it_is_there(tmp_path):
    keeping = Keeping("me", tmp_path)
    keeping.has_kept("a" * 64, "even", 2)
    assert keeping.kept("a" * 64) is None
    version = tmp_path / "people" / "me" / "models" / "even" / "2"
    version.mkdir(parents=True)
    assert keeping.kept("a" * 64) == "even@2"
    assert keeping.kept("b" * 64) is None


def test_the_oldest_wishes_make_room_and_a_damaged_file_holds_none(tmp_path):
    keeping = Keeping("me", tmp_path)
    for n in range(MAX_ITEMS + 1):
        keeping.want(f"{n:064}", "even")
    assert keeping.wanted(f"{0:064}") is None
    assert keeping.wanted(f"{MAX_ITEMS:064}") == "even"
    (tmp_path / "people" / "me" / FILE).write_text("{")
    assert keeping.wanted(f"{MAX_ITEMS:064}") is None
