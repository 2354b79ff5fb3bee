"""Objects of every shape that the definitions allow, and some that they do not, as they are seen.

A value is made for a few fields at a time, from the field's own schema in `crds/`, and put into an
object that is well otherwise. Whatever it is, nothing leaves the loop, our code fails on no object
(a `SpecError` is an answer, any other exception a mistake of ours), no turn takes a second, and
what runs for others runs on and is told nothing. `KUBEYARN_FUZZ_EXAMPLES` sets how many objects of
each kind are tried.
"""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeyarn.cluster import names
from kubeyarn.scheduler.reconcile_errors import INTERNAL_ERROR
from kubeyarn.scheduler.status.queues import QueueWriter
from unit.scheduler.world import (
    SMALL,
    World,
    a_node,
    a_queue,
    a_request,
    an_application,
    foreign,
    needs,
    started,
    two_queues,
)

CRDS = Path(__file__).parents[3] / "crds"
EXAMPLES = int(os.environ.get("KUBEYARN_FUZZ_EXAMPLES", "30"))
MOST_S = 1.0

ODD_TEXTS = [
    "",
    "²",
    "٣",
    "-1",
    "1e9",
    "9" * 400,
    "a" * 5000,
    "root",
    "root.a",
    "root.b",
    "n1",
    "*",
]
ODD_TEXTS += [
    "words",
    "maps",
    "odd",
    "%user",
    "100%",
    "1w",
    "2Gi",
    "500m",
    "0",
    "\u0000",
    "Ω.Ω",
    "/",
]
ODD_TEXTS += ["cardinality,node,a,0,²", "and(in,node,a:notin,rack,b)", "1-5,9", "1-99999999999"]
ODD_TEXTS += ["application_1763850000000_0001", "container_1763850000000_0001_01_000001"]
ODD_TEXTS += ["2026-11-23T03:42:28Z", "0001-01-01", "9999-12-31T23:59:59Z"]
AMOUNTS = [
    "0",
    "1",
    "500m",
    "1Gi",
    "2Ei",
    "9" * 30,
    "1e-9",
    "1.5",
    "50%",
    "3w",
    "²",
    "",
    0,
    1,
    2**62,
]
RESOURCES = ["cpu", "memory", "example.org/gpu", "ephemeral-storage", "hugepages-2Mi", "²", ""]

texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
free = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=6,
)


def values(schema):
    """Values that a field's schema describes; CEL rules and most bounds are for others to check."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return st.sampled_from(AMOUNTS)
    match schema.get("type"):
        case "string":
            return texts
        case "boolean":
            return st.booleans()
        case "integer":
            least, most = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31 - 1)
            return st.one_of(st.sampled_from([least, most]), st.integers(least, min(most, 100_000)))
        case "array":
            return st.lists(values(schema["items"]), max_size=3)
        case "object" if "properties" in schema:
            fields = {name: values(part) for name, part in schema["properties"].items()}
            required = {name: fields[name] for name in schema.get("required", ())}
            optional = {name: fields[name] for name in fields if name not in required}
            few = (
                st.lists(st.sampled_from(sorted(optional)), max_size=4, unique=True)
                if optional
                else st.just([])
            )
            return few.flatmap(
                lambda chosen: st.fixed_dictionaries(
                    {**required, **{name: optional[name] for name in chosen}}
                )
            )
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            keys = st.one_of(st.sampled_from(RESOURCES), texts)
            return st.dictionaries(keys, values(schema["additionalProperties"]), max_size=3)
    return free


def fields(schema, path=()):
    """Every field of a schema by its path; of those in lists, the list."""
    for name, part in (schema.get("properties") or {}).items():
        yield (*path, name), part
        yield from fields(part, (*path, name))


def changes_of(name, *parts):
    """A few fields of a definition with values of theirs, now and then with any value at all."""
    schema = yaml.safe_load((CRDS / f"{name}.yaml").read_text())
    schema = schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    known = [(p, values(s)) for p, s in fields(schema) if p[0] in parts and p[1:]]
    one = st.sampled_from(range(len(known))).flatmap(
        lambda place: st.tuples(
            st.just(known[place][0]),
            st.one_of(known[place][1], known[place][1], known[place][1], free),
        )
    )
    return st.lists(one, min_size=1, max_size=4)


def changed(item, changes):
    item = copy.deepcopy(item)
    for (*above, last), value in changes:
        part = item
        for name in above:
            if not isinstance(part.get(name), dict):
                part[name] = {}
            part = part[name]
        part[last] = value
    return item


NODE_FIELDS = {
    ("status", "allocatable"): st.dictionaries(
        st.sampled_from(RESOURCES), st.sampled_from(AMOUNTS)
    ),
    ("metadata", "labels"): st.dictionaries(
        st.sampled_from([names.PARTITION, names.RACK, "a"]), texts, max_size=3
    ),
    ("spec", "taints"): st.lists(
        st.fixed_dictionaries({"key": texts}, optional={"effect": texts}), max_size=2
    ),
    ("spec", "unschedulable"): st.booleans(),
    ("status", "conditions"): st.lists(
        st.fixed_dictionaries({"type": st.sampled_from(["Ready", "a"]), "status": texts}),
        max_size=2,
    ),
}
resource_lists = st.fixed_dictionaries(
    {},
    optional={
        part: st.dictionaries(st.sampled_from(RESOURCES), st.sampled_from(AMOUNTS), max_size=3)
        for part in ("requests", "limits")
    },
)
pod_containers = st.lists(
    st.fixed_dictionaries(
        {"name": texts},
        optional={"resources": resource_lists, "restartPolicy": st.sampled_from(["Always", "x"])},
    ),
    max_size=2,
)
POD_FIELDS = {
    ("spec", "containers"): pod_containers,
    ("spec", "initContainers"): pod_containers,
    ("spec", "resources"): resource_lists,
    ("spec", "overhead"): st.dictionaries(
        st.sampled_from(RESOURCES), st.sampled_from(AMOUNTS), max_size=2
    ),
    ("spec", "nodeName"): st.sampled_from(["n1", "n9", "", "²"]),
    ("spec", "schedulerName"): st.sampled_from(["kubeyarn", "default-scheduler"]),
    ("metadata", "annotations"): st.dictionaries(
        st.sampled_from([names.CONTAINER_ID, names.APPLICATION, names.QUEUE, names.USER]),
        st.one_of(texts, st.just("container_1763850000000_0009_01_000001")),
    ),
    ("metadata", "labels"): st.dictionaries(st.sampled_from([names.EXECUTION_TYPE, "a"]), texts),
    ("status", "phase"): st.sampled_from(["Pending", "Running", "Succeeded", "Failed", ""]),
    ("status", "conditions"): st.lists(
        st.fixed_dictionaries(
            {"type": st.just("PodScheduled"), "status": st.just("False")},
            optional={"message": texts, "reason": texts},
        ),
        max_size=2,
    ),
}


def some_of(known):
    one = st.sampled_from(sorted(known)).flatmap(lambda p: st.tuples(st.just(p), known[p]))
    return st.lists(one, min_size=1, max_size=4)


def a_world():
    world = World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")), now_ms=lambda: 0)
    started(world, 2)
    world.submit("odd", 2, queue="root.b")
    turn(world)
    world.put("request", a_request("odd-maps", "odd", count=2, resources=SMALL))
    turn(world)
    return world


def turn(world):
    """One turn with everything that is done once in a while; it takes less than a second."""
    writer = QueueWriter(None, world.live.cache, world.live.state, 0.0)
    began = time.process_time()
    wanted = {}
    world.loop.turn(lambda: wanted.update(writer.wanted()))
    assert time.process_time() - began < MOST_S
    world.write()
    for path, status in wanted.items():
        # What is in force is read from there after a restart.
        world.patch("queue", path, status=status)


def judge(world, kind, item):
    """See the object, live and after a restart, change it back, and delete it."""
    before = copy.deepcopy(world.objects[kind].get(item["metadata"]["name"]))
    held = {str(c) for name in ("maps", "words-am-1") for c in world.granted(name)}
    world.put(kind, item)
    for _ in range(2):
        turn(world)
    check(world, kind, item["metadata"]["name"], held)
    world.restart()
    turn(world)
    check(world, kind, item["metadata"]["name"], held)
    if before is None:
        world.remove(kind, item["metadata"]["name"])
    else:
        world.put(kind, before)
    turn(world)
    check(world, kind, item["metadata"]["name"], held)


def check(world, kind, name, held):
    errors = world.live.cache.errors
    found = [(subject, errors.get(*subject)) for subject in errors.known()]
    assert [f for f in found if f[1].reason == INTERNAL_ERROR] == []
    if kind != "queue":
        assert {key[1] for (_, key), _ in found} <= {name, "odd", "odd-maps", "odd-am-1"}
    assert held <= set(world.held())


KINDS = {
    "queue": (a_queue("root.b", capacity="40%"), changes_of("yarnqueues", "spec")),
    "root": (a_queue("root"), changes_of("yarnqueues", "spec")),
    "application": (
        an_application("odd", 2, queue="root.b"),
        changes_of("yarnapplications", "spec", "status"),
    ),
    "request": (
        a_request("odd-maps", "odd", count=2, resources=SMALL),
        changes_of("containerrequests", "spec", "status"),
    ),
    "node": (a_node("n3"), some_of(NODE_FIELDS)),
    "pod": (foreign("odd", "n1", needs("1", "1Gi")), some_of(POD_FIELDS)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_makes_the_scheduler_fail_or_slow_or_stops_another(kind):
    base, strategy = KINDS[kind]

    @settings(max_examples=EXAMPLES)
    @given(strategy)
    def run(changes):
        world = a_world()
        kind_of = "queue" if kind == "root" else kind
        known = world.objects[kind_of].get(base["metadata"]["name"])
        judge(world, kind_of, changed(known if known is not None else base, changes))

    run()
