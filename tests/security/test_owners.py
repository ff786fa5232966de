"""What is somebody else's is answered like what does not exist, and no cache hands it over."""

import io

import pytest
import streamlit as st
import torch
from safetensors.torch import save

from tests.jobs import SMALL, finish, request
from tests.reading import read_here
from tests.security.test_bounds import receive
from workbench.core.errors import AccessError, WorkbenchError
from workbench.jobs.queue import Queue
from workbench.ui import cache
from workbench.workspace import sources, store
from workbench.workspace.basket import Basket
from workbench.workspace.store import Workspace

ODD = ["", ".", "..", "../ann", "../../people/ann/tables/secret", "secret/../secret", "secret/",
       "/etc/passwd", "secret\x00", "SECRET", "\uff53ecret", "secret.", "con", "*", "%2e%2e",
       "a" * 300, "' OR 1=1 --", "\ud800"]  # fmt: skip
SECRET = b"name,income,y\n" + b"".join(b"p%d,%d,%d\n" % (i, i * 7, i % 2) for i in range(30))


@pytest.fixture(autouse=True)
def reader(monkeypatch):
    """Read files here."""
    monkeypatch.setattr(store, "call", read_here)


@pytest.fixture
def of_ann(home, tmp_path):
    """Ann's table, waiting upload, model, finished job and report."""
    space = Workspace("ann")
    draft = space.receive(io.BytesIO(SECRET), "secret.csv")
    guess = space.preview(draft, target="y").guess
    space.save_table(draft, guess, name="secret", ignore_extra=True)
    waiting = space.receive(io.BytesIO(SECRET), "more.csv")
    weights = {"first.weight": torch.zeros(2, 1), "first.bias": torch.zeros(2)}
    made = receive(tmp_path, [{"name": "income"}], ["0", "1"], weights)
    space.models_root.parent.mkdir(exist_ok=True)
    (tmp_path / "models").rename(space.models_root)
    assert made.parent.name == "wide"
    queue = Queue(home)
    job = queue.submit(request(), owner="ann", title="of Ann", cost=SMALL)
    finish(queue)
    Basket("ann").add(job.id, "of Ann")
    yield {"draft": waiting.id, "job": job.id, "queue": queue}
    queue.close()


def refusal(action):
    with pytest.raises(WorkbenchError) as caught:
        action()
    return type(caught.value), str(caught.value)


def test_jobs_of_others_are_jobs_that_do_not_exist(of_ann):
    queue, job = of_ann["queue"], of_ann["job"]
    assert queue.result(job, "ann") is not None
    for act in (queue.get, queue.result, queue.cancel, queue.rerun, queue.remove):
        not_yours = refusal(lambda act=act: act(job, "ben"))
        not_there = refusal(lambda act=act: act("j" + "0" * 22, "ben"))
        assert not_yours == not_there
        assert not_yours == (
            AccessError,
            "There is no such job, or it is someone else's; open the list of your jobs.",
        )
        for odd in ODD:
            if odd != "\ud800":  # no id that a page could be given
                assert refusal(lambda act=act, odd=odd: act(odd, "ben")) == not_there
    assert queue.jobs("ben") == ()
    assert queue.find(request(), "ben") is None
    assert queue.result(job, "ann") is not None


def test_ids_cannot_be_counted_through(of_ann):
    queue = of_ann["queue"]
    ids = {queue.submit(request(row), owner="ann", title="", cost=SMALL).id for row in range(1, 9)}
    assert len({job[:8] for job in ids}) == 8
    assert all(len(job) >= 20 for job in ids)


@pytest.mark.usefixtures("of_ann")
def test_tables_of_others_are_tables_that_do_not_exist():
    ben = Workspace("ben")
    calls = (
        ben.entry, ben.table_schema, ben.load_table, ben.remove_table, ben.preview_table,
        lambda name: sources.find_table(f"my:{name}", "ben"),
        lambda name: sources.find_schema(f"my:{name}", "ben"),
        lambda name: sources.table_stamp(f"my:{name}", "ben"),
        lambda name: cache.table(f"my:{name}", "ben"),
        lambda name: cache.rows(f"my:{name}", "ben", "all"),
    )  # fmt: skip
    for call in calls:
        kind, not_yours = refusal(lambda call=call: call("secret"))
        assert kind is AccessError
        _, not_there = refusal(lambda call=call: call("another"))
        assert not_yours.replace("secret", "another") == not_there
        for odd in ODD:
            assert refusal(lambda call=call, odd=odd: call(odd))[0] is AccessError
    assert Workspace("ann").entry("secret").n_rows == 30


@pytest.mark.usefixtures("of_ann")
def test_models_of_others_are_models_that_do_not_exist():
    assert sources.find_model("my:wide@1", "ann") is not None
    for find in (sources.find_model, sources.find_model_version, cache.model):
        not_yours = refusal(lambda find=find: find("my:wide@1", "ben"))
        not_there = refusal(lambda find=find: find("my:none@1", "ben"))
        assert not_yours[0] is AccessError
        assert not_yours[1].replace("wide", "none") == not_there[1]
        for odd in ODD:
            assert refusal(lambda find=find, odd=odd: find(f"my:{odd}", "ben"))[0] is AccessError
    assert all(not entry.is_mine for entry in sources.list_models("ben"))


def test_uploads_that_wait_are_their_owners(of_ann):
    ann, ben = Workspace("ann"), Workspace("ben")
    draft = ann.draft(of_ann["draft"])
    assert refusal(lambda: ben.draft(draft.id)) == refusal(lambda: ben.draft("0" * 32))
    assert refusal(lambda: ben.path_of(draft))[0] is AccessError
    assert refusal(lambda: ben.preview(draft))[0] is AccessError
    ben.discard(draft)  # as one that is gone
    assert ann.path_of(draft).is_file()
    for odd in ODD:
        assert refusal(lambda odd=odd: ben.draft(odd))[0] is AccessError


@pytest.mark.usefixtures("of_ann")
def test_reports_are_their_owners():
    assert len(Basket("ann").content.items) == 1
    assert Basket("ben").content.items == ()
    for odd in ODD:
        assert refusal(lambda odd=odd: Basket(odd))[0] is AccessError


@pytest.mark.usefixtures("of_ann")
def test_a_cache_of_one_process_keeps_people_apart():
    """The same names in two folders: each gets their own, whoever comes first."""
    space = Workspace("ben")
    other = SECRET.replace(b"p1,7", b"p1,9000")
    draft = space.receive(io.BytesIO(other), "secret.csv")
    guess = space.preview(draft, target="y").guess
    space.save_table(draft, guess, name="secret", ignore_extra=True)
    st.cache_resource.clear()
    for _ in range(2):
        for owner in ("ann", "ben"):
            for read in (cache.table, lambda r, o: cache.rows(r, o, "all")):
                column = read("my:secret", owner).X[:, -1]
                assert (column == 9000).any() == (owner == "ben")
    before = cache.table_digest("my:secret", "ann")
    Workspace("ann").remove_table("secret")  # what is cached is not handed out afterwards
    assert refusal(lambda: cache.table("my:secret", "ann"))[0] is AccessError
    assert cache.table_digest("my:secret", "ben") != before
    st.cache_resource.clear()


def test_one_digest_for_two_people_gives_no_access(of_ann):
    """Ben who asks for exactly what Ann has computed joins no run that he may not see."""
    queue = of_ann["queue"]
    asked = request(table="my:secret")
    queue.submit(asked, owner="ann", title="", cost=SMALL)
    from workbench.jobs.work import Sources, prepare

    assert refusal(lambda: prepare(asked, "ben", Sources()))[0] is AccessError


def test_weights_are_not_shared_between_models_of_equal_name(tmp_path):
    folders = []
    for number in (0, 1):
        place = tmp_path / str(number)
        place.mkdir()
        weights = {"first.weight": torch.full((2, 1), float(number)), "first.bias": torch.zeros(2)}
        assert save(weights)
        folders.append(receive(place, [{"name": "income"}], ["0", "1"], weights))
        root = Workspace("ann" if not number else "ben").models_root
        root.parent.mkdir(parents=True)
        (place / "models").rename(root)
    one, other = (cache.model("my:wide", owner) for owner in ("ann", "ben"))
    assert float(one.network.first.weight.sum()) == 0
    assert float(other.network.first.weight.sum()) == 2
