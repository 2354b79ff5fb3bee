"""What is told of a collection, whatever order kopf tells it in."""

from __future__ import annotations

import pytest

from kubeyarn.resourcemanager.kopf_watch import _Collection, _Item, _ListMetadata, _Metadata, _Page

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


class Followed:
    """A collection whose handler notes (what, uid, version)."""

    def __init__(self):
        self.told = []
        self.collection = _Collection(self.note)

    def note(self, what, item):
        meta = item["metadata"]
        self.told.append((what, meta["uid"], int(meta["resourceVersion"])))

    def listed(self, version, *uids, begins=True, more=""):
        items = [_Item(_Metadata(uid)) for uid in uids]
        page = _Page(_ListMetadata(str(version), more or None), items)
        self.collection.listed(page, begins=begins)

    def see(self, what, uid, version):
        metadata = {"name": uid, "uid": uid, "resourceVersion": str(version)}
        self.collection.see(what, {"metadata": metadata})


@pytest.fixture
def followed():
    return Followed()


def play(followed, *steps):
    for step in steps:
        if isinstance(step[0], int):
            followed.listed(*step)
        else:
            followed.see(*step)
    return followed.told


LISTED = None


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        pytest.param([(9, "a"), (LISTED, "a", 3)], [(ADDED, "a", 3)], id="of a list"),
        pytest.param(
            [(9, "a"), (LISTED, "a", 3), (9, "a"), (LISTED, "a", 3)],
            [(ADDED, "a", 3)],
            id="unchanged in the next list",
        ),
        pytest.param(
            [(9, "a"), (LISTED, "a", 3), (20, "a"), (LISTED, "a", 15)],
            [(ADDED, "a", 3), (MODIFIED, "a", 15)],
            id="changed in the next list",
        ),
        pytest.param(
            [(9, "a"), (LISTED, "a", 3), (20,)],
            [(ADDED, "a", 3), (DELETED, "a", 3)],
            id="missing in the next list",
        ),
        pytest.param(
            [(9, "a"), (LISTED, "a", 3), (MODIFIED, "a", 12), (20,)],
            [(ADDED, "a", 3), (MODIFIED, "a", 12), (DELETED, "a", 12)],
            id="deleted as it was last seen",
        ),
        pytest.param(
            [(9, "a"), (LISTED, "a", 3), (DELETED, "a", 12), (20,)],
            [(ADDED, "a", 3), (DELETED, "a", 12)],
            id="deleted once",
        ),
        pytest.param(
            [(9,), (20,), (ADDED, "a", 12)], [], id="added by an event older than the list"
        ),
        pytest.param(
            [(9, "a"), (LISTED, "a", 3), (20,), (MODIFIED, "a", 12), (DELETED, "a", 13)],
            [(ADDED, "a", 3), (DELETED, "a", 3)],
            id="events older than the list that misses it",
        ),
        pytest.param(
            [(9, "a"), (20,), (LISTED, "a", 3)], [], id="of a list before the one that misses it"
        ),
        pytest.param(
            [(9, "a"), (20, "b"), (LISTED, "a", 3), (LISTED, "b", 15)],
            [(ADDED, "b", 15)],
            id="made anew between two lists",
        ),
    ],
)
def test_what_is_told(followed, steps, told):
    assert play(followed, *steps) == told


@pytest.mark.parametrize(
    ("steps", "synced"),
    [
        pytest.param([], False, id="nothing yet"),
        pytest.param([(9,)], True, id="an empty list"),
        pytest.param([(9, "a", "b"), (LISTED, "a", 3)], False, id="one of two"),
        pytest.param([(9, "a"), (LISTED, "a", 3)], True, id="all"),
        pytest.param([(9, "a"), (20,)], True, id="what was listed is gone"),
        pytest.param([(9, "a"), (20, "b"), (LISTED, "a", 3)], False, id="of an older list"),
        pytest.param([(9, "a"), (LISTED, "a", 3), (20, "a", "b")], True, id="once is for ever"),
    ],
)
def test_when_everything_is_known(followed, steps, synced):
    play(followed, *steps)

    assert followed.collection.synced is synced


def test_a_list_in_pages_counts_when_it_is_whole(followed):
    followed.listed(9, "a", more="next")
    followed.see(LISTED, "a", 3)
    assert not followed.collection.synced

    followed.listed(9, "b", begins=False)
    assert not followed.collection.synced
    followed.see(LISTED, "b", 4)
    assert followed.collection.synced


def test_a_list_that_broke_off_deletes_nothing(followed):
    play(followed, (9, "a", "b"), (LISTED, "a", 3), (LISTED, "b", 4))
    followed.listed(20, "a", more="next")
    followed.listed(21, "a", "b")

    assert [what for what, *_ in followed.told] == [ADDED, ADDED]


def test_everything_is_known_even_if_the_handler_fails(followed):
    def fails(what, item):
        raise ZeroDivisionError

    followed.collection = _Collection(fails)
    followed.listed(9, "a")
    with pytest.raises(ZeroDivisionError):
        followed.see(LISTED, "a", 3)

    assert followed.collection.synced
