"""Whatever happens, the scheduler is what a new process would make of the objects."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kubeyarn.model.resources import add
from unit.scheduler.world import (
    World,
    a_node,
    a_queue,
    a_request,
    charged,
    foreign,
    needs,
    two_queues,
)

APPS = ["one", "two"]
REQUESTS = ["x", "y"]
NODES = ["n1", "n2", "n3"]
SIZES = [{"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "3Gi"}]


WISHES = [
    {"executionType": "Opportunistic"},
    {"executionType": "Guaranteed"},
    {"resources": {"memory": "2Gi"}},
    {"resources": {"cpu": "3"}},
    {},
]


def bound(live):
    """What bound containers hold, where they hold anything."""
    return {key: holds for key, holds in live.containers.bound.by_queue.items() if any(holds)}


class SchedulerMachine(RuleBasedStateMachine):
    """Users, the ResourceManager, kubelets and restarts; the scheduler in between."""

    def __init__(self):
        super().__init__()
        self.world = World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))
        self.number = 0
        self.most = {}

    # Users.

    @rule(app=st.sampled_from(APPS), queue=st.sampled_from(["root.a", "root.b", "root.x"]))
    def submit(self, app, queue):
        objects = self.world.objects
        # The ResourceManager cannot make the AM's request while an older one has its name.
        if app not in objects["application"] and f"{app}-am-1" not in objects["request"]:
            self.number += 1
            self.world.submit(app, self.number, queue=queue)

    @rule(
        name=st.sampled_from(REQUESTS),
        app=st.sampled_from(APPS),
        count=st.integers(0, 6),
        size=st.sampled_from(SIZES),
        priority=st.integers(0, 2),
        kind=st.sampled_from(["Guaranteed", "Guaranteed", "Opportunistic"]),
    )
    def ask(self, name, app, count, size, priority, kind):
        name = f"{app}-{name}"
        if name not in self.world.objects["request"]:
            said = {"count": count, "resources": size, "priority": priority}
            self.world.put("request", a_request(name, app, **said, executionType=kind))

    @precondition(lambda self: self.asks())
    @rule(data=st.data(), count=st.integers(0, 8))
    def change_count(self, data, count):
        self.world.patch("request", data.draw(st.sampled_from(self.asks())), spec={"count": count})

    @precondition(lambda self: self.asks())
    @rule(data=st.data(), unwatched=st.booleans())
    def delete_request(self, data, unwatched):
        # Containers outlive their request only while somebody watches: see the report.
        name = data.draw(st.sampled_from(self.asks()))
        if not self.pods_of(name):
            self.world.remove("request", name, unwatched=unwatched)

    @rule(app=st.sampled_from(APPS), state=st.sampled_from(["FINISHED", "KILLED"]))
    def end_application(self, app, state):
        if app in self.world.objects["application"]:
            self.world.patch("application", app, status={"state": state})

    @rule(app=st.sampled_from(APPS))
    def delete_application(self, app):
        """Deleted with all that belongs to it, as by foreground deletion."""
        names = [n for n in self.world.objects["request"] if n.startswith(f"{app}-")]
        pods = [pod for name in names for pod in self.pods_of(name)]
        self.world.remove("application", app)
        for pod in pods:
            self.world.remove("pod", pod)
        for name in names:
            self.world.remove("request", name)

    @rule(node=st.sampled_from(NODES), cpu=st.sampled_from([0, 4, 8]), ready=st.booleans())
    def change_node(self, node, cpu, ready):
        self.world.put("node", a_node(node, cpu=cpu, ready="True" if ready else "False"))

    @rule(number=st.integers(1, 2), node=st.sampled_from(NODES), cpu=st.sampled_from(["1", "5"]))
    def foreign_pod(self, number, node, cpu):
        name = f"db-{number}"
        if name in self.world.objects["pod"]:
            self.world.remove("pod", name, unwatched=cpu == "5")
        else:
            self.world.put("pod", foreign(name, node, needs(cpu, "1Gi")))

    @rule(share=st.sampled_from(["30%", "60%", "100%"]))
    def change_queue(self, share):
        self.world.put("queue", a_queue("root.a", capacity="60%", maximumCapacity=share))

    @precondition(lambda self: self.granted())
    @rule(data=st.data(), said=st.sampled_from(WISHES))
    def wish_otherwise(self, data, said):
        """A container is to be of another size or type from now on, or as it is."""
        name, container = data.draw(st.sampled_from(self.granted()))
        wishes = {
            entry["id"]: entry
            for entry in self.world.objects["request"][name]["spec"].get("updates") or ()
        }
        wishes[str(container)] = {"id": str(container), **said}
        self.world.patch("request", name, spec={"updates": list(wishes.values())})

    # The ResourceManager and kubelets.

    @rule()
    def carry_out(self):
        """What is charged for containers is what they are from now on."""
        for name, found in list(self.world.objects["request"].items()):
            status = found.get("status") or {}
            done = [
                {k: entry[k] for k in ("id", "resources", "executionType")}
                for entry in status.get("updates") or ()
            ]
            if done:
                self.world.patch("request", name, status={"updated": done})

    @precondition(lambda self: self.unlaunched())
    @rule(data=st.data(), bound=st.booleans())
    def launch(self, data, bound):
        container, node = data.draw(st.sampled_from(self.unlaunched()))
        self.world.launch(container, node, bound=bound)

    @precondition(lambda self: self.pods())
    @rule(data=st.data(), phase=st.sampled_from(["Succeeded", "Failed"]))
    def end_pod(self, data, phase):
        self.world.end(data.draw(st.sampled_from(self.pods())), phase)

    @precondition(lambda self: self.pods())
    @rule(data=st.data(), unwatched=st.booleans())
    def delete_pod(self, data, unwatched):
        """A pod is deleted, and the ResourceManager records how its container ended."""
        pod = data.draw(st.sampled_from(self.pods()))
        container = self.world.objects["pod"][pod]["metadata"]["annotations"][
            "kubeyarn.io/container-id"
        ]
        self.world.remove("pod", pod, unwatched=unwatched)
        for name in self.world.objects["request"]:
            for granted in self.world.granted(name):
                if str(granted) == container:
                    self.world.complete(name, granted)

    # The scheduler.

    @rule()
    def cycle(self):
        self.world.cycle()

    @rule()
    def cycle_without_writing(self):
        self.world.cycle(write=False)

    @rule()
    def restart(self):
        self.world.restart()

    @rule()
    def more_resource_types(self):
        if "g1" in self.world.objects["node"]:
            self.world.remove("node", "g1")
        else:
            self.world.put("node", a_node("g1", cpu=0, also={"nvidia.com/gpu": "1"}))

    # What always holds.

    @invariant()
    def a_new_process_would_know_the_same(self):
        self.world.cycle()
        fresh = self.world.rebuilt()
        assert charged(fresh) == charged(self.world.live)
        for key, state in fresh.requests.items():
            known = self.world.live.requests[key]
            assert (state.granted, state.pending) == (known.granted, known.pending)
            assert {c: (h.released, h.opportunistic) for c, h in state.allocations.items()} == {
                c: (h.released, h.opportunistic) for c, h in known.allocations.items()
            }
            for container, held in known.allocations.items():
                spare = self.world.live.opportunistic.held(container) is not None
                assert spare == (held.opportunistic and not held.released)
        assert bound(fresh) == bound(self.world.live)

    @invariant()
    def no_container_is_granted_under_an_id_that_was_used_before(self):
        for name in self.world.objects["request"]:
            for container in self.world.granted(name):
                key = (container.attempt, container.epoch, container.number)
                assert self.most.setdefault(key, name) == name

    @invariant()
    def no_queue_holds_more_than_was_ever_its_maximum(self):
        for status in self.world.live.scheduler.queue_status():
            assert all(amount >= 0 for amount in status.used)
        for path, bound in self.world.live.containers.bound.by_queue.items():
            assert all(amount >= 0 for amount in bound), path

    @invariant()
    def what_is_bound_is_the_sum_of_the_containers_that_pods_use(self):
        live, expected = self.world.live, {}
        for state in live.requests.values():
            for allocation in state.allocations.values():
                if not allocation.counts_as_bound or allocation.opportunistic:
                    continue
                size = allocation.size or state.size
                parts = state.queue.split(".")
                for path in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
                    known = expected.get((path, allocation.partition), live.types.zero())
                    expected[path, allocation.partition] = add(known, size)
        assert {key: tuple(sums) for key, sums in bound(live).items()} == expected

    # What there is.

    def asks(self):
        return sorted(n for n in self.world.objects["request"] if not n.endswith("-am-1"))

    def granted(self):
        return [(name, c) for name in self.asks() for c in sorted(self.world.granted(name))]

    def pods(self):
        return sorted(n for n in self.world.objects["pod"] if not n.startswith("db-"))

    def pods_of(self, request):
        ids = {str(c) for c in self.world.granted(request)}
        return [
            name
            for name in self.pods()
            if self.world.objects["pod"][name]["metadata"]["annotations"][
                "kubeyarn.io/container-id"
            ]
            in ids
        ]

    def unlaunched(self):
        have = {
            self.world.objects["pod"][name]["metadata"]["annotations"]["kubeyarn.io/container-id"]
            for name in self.pods()
        }
        return [
            (container, node)
            for name in sorted(self.world.objects["request"])
            for container, node in self.world.granted(name).items()
            if str(container) not in have
        ]


TestRebuild = SchedulerMachine.TestCase
TestRebuild.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
