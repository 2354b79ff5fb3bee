"""Which asks of a heartbeat are taken, and what is said of the others."""

from __future__ import annotations

import pytest

from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.resourcemanager.amservice import ask_validation, wire
from kubeyarn.resourcemanager.amservice.headroom import LargestAsk
from kubeyarn.resourcemanager.amservice.wire import FieldError

GIB = 2**30
MAXIMUM = {"memory": 8 * GIB, "cpu": 4000}
SIZE = {"memory": "1Gi", "cpu": "1"}


def ask(**said):
    largest = LargestAsk(MAXIMUM, MAXIMUM, lambda _: False)
    others = [wire.Ask(count=1, resources=SIZE, priority=place) for place in range(2)]
    asked = wire.Ask(**{"count": 1, "resources": SIZE, **said})
    return ask_validation.asks([*others, asked], largest)[2]


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"count": -1}, "asks[2].count", "allowed: 0 to 100000"),
        ({"count": 100_001}, "asks[2].count", "found 100001"),
        ({"priority": -1}, "asks[2].priority", "allowed: 0 or more"),
        ({"allocation_request_id": -2}, "asks[2].allocationRequestId", "allowed: -1 or more"),
        ({"resources": {"cpu": "1"}}, "asks[2].resources.memory", "found 0, allowed: more than 0"),
        ({"resources": {"memory": "1Gi"}}, "asks[2].resources.cpu", "allowed: more than 0"),
        (
            {"resources": {**SIZE, "memory": "9Gi"}},
            "asks[2].resources.memory",
            "found 9Gi, allowed: at most the maximum allocation 8Gi",
        ),
        ({"allocation_tags": ["no space"]}, "asks[2].allocationTags[0]", "found 'no space'"),
        ({"allocation_tags": ["t"] * 17}, "asks[2].allocationTags[16]", "up to 16 tags"),
        ({"placement_constraint": "nonsense"}, "asks[2].placementConstraint", ""),
        ({"placement_constraint": "x" * 4097}, "asks[2].placementConstraint", "4096 characters"),
        (
            {"placement_constraint": "notin,node,a", "execution_type": "OPPORTUNISTIC"},
            "asks[2].placementConstraint",
            "allowed: GUARANTEED",
        ),
    ],
)
def test_an_ask_that_cannot_be_served_is_refused_by_its_field(said, field, words):
    with pytest.raises(FieldError) as refused:
        ask(**said)

    assert refused.value.field == field
    assert words in str(refused.value)


def test_an_ask_is_taken_as_it_is_said():
    taken = ask(
        count=5,
        priority=7,
        allocation_request_id=3,
        partition="gpu",
        locality=wire.Locality(nodes=["n1"], racks=["r1"], relax=False),
        allocation_tags=["b", "a", "b"],
        placement_constraint="notin,node,a",
    )

    assert (taken.key.priority, taken.key.allocation_request_id, taken.count) == (7, 3, 5)
    assert taken.size == {"memory": GIB, "cpu": 1000}
    assert (taken.partition, taken.opportunistic, taken.tags) == ("gpu", False, ("a", "b"))
    assert (taken.locality.nodes, taken.locality.racks) == ((("n1", 5),), (("r1", 5),))
    assert not taken.locality.relax
    assert taken.constraint is not None


@pytest.mark.parametrize(
    ("said", "same"),
    [
        pytest.param({"count": 9}, True, id="the count is no part of it"),
        pytest.param({"resources": {"memory": "1024Mi", "cpu": "1000m"}}, True, id="as much"),
        pytest.param({"resources": {"memory": "2Gi", "cpu": "1"}}, False, id="another size"),
        pytest.param({"partition": "gpu"}, False, id="another partition"),
        pytest.param({"locality": wire.Locality(nodes=["n1"])}, False, id="another place"),
        pytest.param({"execution_type": "OPPORTUNISTIC"}, False, id="another type"),
        pytest.param({"allocation_tags": ["a"]}, False, id="tags"),
        pytest.param({"placement_constraint": "notin,node,a"}, False, id="a constraint"),
    ],
)
def test_asks_of_one_priority_are_told_apart_by_their_shape(said, same):
    assert (ask(**said).key == ask().key) is same


@pytest.mark.parametrize(
    ("said", "before", "refused"),
    [
        ([], 0, ""),
        (["n1", "r1"], 0, ""),
        (["*"], 0, "exclude[0]"),
        (["n1", ""], 0, "exclude[1]"),
        (["x" * 254], 0, "exclude[0]"),
        (["one more"], 1000, "exclude"),
        (["n0"], 1000, ""),
    ],
)
def test_nodes_to_exclude_are_names_and_not_too_many(said, before, refused):
    known = frozenset(f"n{n}" for n in range(before))
    if not refused:
        assert ask_validation.places("exclude", said, known) == frozenset(said)
        return
    with pytest.raises(FieldError) as error:
        ask_validation.places("exclude", said, known)
    assert error.value.field == refused


class Caller:
    """An AM of the attempt 2 of an application."""

    def __init__(self, *, keeps: bool) -> None:
        self.keeps_containers = keeps
        self.session = self
        self.record = self
        self.id = ApplicationId(1, 7)
        self.attempt = AttemptId(self.id, 2)


@pytest.mark.parametrize(
    ("application", "attempt", "keeps", "allowed"),
    [
        pytest.param(7, 2, False, True, id="its own"),
        pytest.param(7, 1, False, False, id="a former attempt's"),
        pytest.param(7, 1, True, True, id="which it has been handed"),
        pytest.param(8, 2, True, False, id="another application's"),
    ],
)
def test_an_am_releases_its_own_containers_only(application, attempt, keeps, allowed):
    container = ContainerId(AttemptId(ApplicationId(1, application), attempt), 0, 5)
    caller = Caller(keeps=keeps)
    if allowed:
        assert ask_validation.released(caller, "releases[0]", str(container)) == container
        return
    with pytest.raises(FieldError, match="allowed: its own"):
        ask_validation.released(caller, "releases[0]", str(container))
