"""After whatever events, each index of the cache equals a recount from the objects."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kubeyarn.cluster import names
from kubeyarn.crd.scheduler_config import resource_types
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.scheduler.cache import SchedulerCache, newer
from kubeyarn.scheduler.facts import node_facts, pod_use
from kubeyarn.scheduler.request_state import Allocation
from unit.scheduler.world import NAMESPACE, a_node, a_queue, a_request, foreign, needs

GPU, FPGA = "nvidia.com/gpu", "example.com/fpga"
ATTEMPT = AttemptId(ApplicationId(1, 1), 1)
CONTAINERS = [ContainerId(ATTEMPT, 0, number) for number in range(1, 6)]
NODES = ["n1", "n2"]
one_of = st.sampled_from


class QueuesAndNodes(RuleBasedStateMachine):
    """Queues and nodes come, change and go."""

    def __init__(self):
        super().__init__()
        self.cache = SchedulerCache()
        self.queues, self.nodes, self.lost = {}, {}, set()

    @rule(path=one_of(["root", "root.a"]), named=one_of([None, GPU, FPGA]))
    def see_queue(self, path, named):
        queue = a_queue(path, capacity={named: "1"} if named else "50%")
        before = self.queues.get(path)
        self.queues[path] = queue
        changed = self.cache.queues.see(queue, deleted=False)
        assert changed == (before is None or before["spec"] != queue["spec"])

    @precondition(lambda self: self.queues)
    @rule(data=st.data())
    def delete_queue(self, data):
        path = data.draw(one_of(sorted(self.queues)))
        assert self.cache.queues.see(self.queues.pop(path), deleted=True)

    @rule(name=one_of(NODES), cpu=one_of([4, 8]), extended=one_of([None, GPU, FPGA]))
    def see_node(self, name, cpu, extended):
        facts = node_facts(a_node(name, cpu=cpu, also={extended: "1"} if extended else {}))
        assert self.cache.nodes.see(facts) == (self.nodes.get(name) != facts)
        self.nodes[name] = facts
        self.lost.discard(name)

    @rule(name=one_of(NODES))
    def delete_node(self, name):
        self.cache.nodes.delete(name)
        if self.nodes.pop(name, None) is not None:
            self.lost.add(name)

    @rule(name=one_of(NODES))
    def forget_node(self, name):
        self.cache.nodes.forget(name)
        self.lost.discard(name)

    @invariant()
    def the_resources_that_queues_name_are_those_of_the_queues(self):
        expected = {path: UncheckedQueue.read(queue) for path, queue in self.queues.items()}
        assert self.cache.queues.objects == expected
        named = set(resource_types(expected.values()).names)
        assert self.cache.queues.named_resources() == named

    @invariant()
    def extended_resources_are_those_of_the_nodes(self):
        assert self.cache.nodes.facts == self.nodes
        assert set(self.cache.nodes.lost) == self.lost
        found = {name for node in self.nodes.values() for name in node.allocatable if "/" in name}
        assert self.cache.nodes.extended_resources() == found


class Pods(RuleBasedStateMachine):
    """Pods of containers and of others are made, bound, end, and are deleted, also unwatched."""

    def __init__(self):
        super().__init__()
        self.pods = SchedulerCache().pods
        self.made = {}
        self.uid = 0

    def tell(self, pod):
        self.made[pod["metadata"]["name"]] = pod
        self.pods.see(pod_use(pod), deleted=False)

    def free_name(self, *names_):
        return [name for name in names_ if name not in self.made]

    def draw(self, data):
        return data.draw(one_of(sorted(self.made)))

    @rule(name=one_of(["db-1", "db-2"]), node=one_of(["", *NODES]))
    def make_foreign(self, name, node):
        if self.free_name(name):
            pod = foreign(name, node, needs("1", "1Gi"))
            if not node:
                del pod["spec"]["nodeName"]
            self.tell(pod)

    @rule(container=one_of(CONTAINERS))
    def make_container(self, container):
        name = f"p-{container.number}"
        if self.free_name(name):
            pod = foreign(name, "", needs("1", "1Gi"), schedulerName=names.SCHEDULER_NAME)
            del pod["spec"]["nodeName"]
            pod["metadata"]["annotations"] = {names.CONTAINER_ID: str(container)}
            self.tell(pod)

    @precondition(lambda self: self.made)
    @rule(data=st.data(), node=one_of(NODES))
    def bind(self, data, node):
        pod = self.made[self.draw(data)]
        # A pod stays on the node that it was bound to.
        self.tell({**pod, "spec": {"nodeName": node, **pod["spec"]}})

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def end(self, data):
        pod = self.made[self.draw(data)]
        self.tell({**pod, "status": {"phase": "Succeeded"}})

    @precondition(lambda self: self.made)
    @rule(data=st.data(), unwatched=st.booleans())
    def delete(self, data, unwatched):
        pod = self.made.pop(self.draw(data))
        told = {"metadata": pod["metadata"], "spec": {}} if unwatched else pod
        self.pods.see(pod_use(told), deleted=True)

    @invariant()
    def every_pod_is_found_by_its_key_and_its_container(self):
        uses = {name: pod_use(pod) for name, pod in self.made.items()}
        for name in ("db-1", "db-2", *(f"p-{c.number}" for c in CONTAINERS)):
            assert self.pods.get((NAMESPACE, name)) == uses.get(name)
        for container in CONTAINERS:
            assert self.pods.of_container(container) == uses.get(f"p-{container.number}")

    @invariant()
    def foreign_pods_take_room_of_their_node_until_they_are_over(self):
        uses = [pod_use(pod) for pod in self.made.values()]
        for node in NODES:
            taking = [u for u in uses if u.container is None and u.node == node and not u.over]
            found = sorted(use.name for use in self.pods.foreign_on(node))
            assert found == sorted(use.name for use in taking)


class Requests(RuleBasedStateMachine):
    """Requests come, are made anew and go; their containers are granted, detached and dropped."""

    def __init__(self):
        super().__init__()
        self.requests = SchedulerCache().requests
        self.changed = []
        self.requests.on_change(self.changed.append)
        self.objects = {}
        self.gone = 0

    def states(self):
        return [self.requests.states[key] for key in sorted(self.requests.states)]

    def draw(self, data):
        return data.draw(one_of(self.states()))

    @rule(name=one_of(["x", "y"]), application=one_of(["one", "two"]), anew=st.booleans())
    def see(self, name, application, anew):
        known = self.objects.get(name)
        found = a_request(name, application)
        if known is not None and not anew:
            # A request belongs to one application for its life.
            found = {**known, "spec": {**known["spec"], "count": known["spec"]["count"] + 1}}
        self.objects[name] = found
        assert self.requests.see(found, deleted=False) == (
            NAMESPACE, found["spec"]["application"],
        )  # fmt: skip
        assert self.requests.get((NAMESPACE, name)).raw == found

    @precondition(lambda self: self.objects)
    @rule(data=st.data(), unwatched=st.booleans())
    def delete(self, data, unwatched):
        found = self.objects.pop(data.draw(one_of(sorted(self.objects))))
        told = {"metadata": found["metadata"]} if unwatched else found
        self.requests.see(told, deleted=True)

    @precondition(lambda self: self.states())
    @rule(data=st.data(), container=one_of(CONTAINERS), node=one_of(NODES))
    def allocate(self, data, container, node):
        if not self.requests.is_listed(container):
            self.requests.allocate(self.draw(data), container, Allocation(node))

    @rule(container=one_of(CONTAINERS))
    def release(self, container):
        allocation = self.requests.allocation(container)
        if allocation is not None:
            allocation.release()

    @rule(container=one_of(CONTAINERS))
    def drop(self, container):
        state = self.requests.of_container(container)
        if state is not None:
            self.requests.drop(state, container)

    @precondition(lambda self: self.states())
    @rule(data=st.data())
    def detach(self, data):
        state = self.draw(data)
        self.gone += 1
        gone = (NAMESPACE, f"{state.application[1]} gone {self.gone}")
        if state.application[1] in ("one", "two"):
            self.requests.detach(state, gone)

    @rule(container=one_of(CONTAINERS), node=one_of(NODES))
    def keep_container(self, container, node):
        if not self.requests.is_listed(container):
            use = pod_use(foreign(f"p-{container.number}", node, needs("1", "1Gi")))
            application = (NAMESPACE, "one")
            self.requests.keep_container(
                use, application, container, Allocation(node), (1, 1), "root.a"
            )

    @precondition(lambda self: self.states())
    @rule(data=st.data())
    def forget(self, data):
        state = self.draw(data)
        if state.deleted:
            self.requests.forget(state)

    @invariant()
    def every_request_is_found_by_its_key_and_its_application(self):
        for key, state in self.requests.states.items():
            assert state.key == key
            assert self.requests.get(key) is state
        applications = {state.application for state in self.states()}
        assert self.requests.applications() == applications
        for application in applications:
            mine = [state for state in self.states() if state.application == application]
            assert self.requests.of_application(application) == mine

    @invariant()
    def every_listed_container_is_found_and_no_other(self):
        listed = {c: state for state in self.states() for c in state.allocations}
        for container in CONTAINERS:
            state = listed.get(container)
            assert self.requests.is_listed(container) == (state is not None)
            assert self.requests.of_container(container) is state
            allocation = state.allocations[container] if state is not None else None
            assert self.requests.allocation(container) is allocation

    @invariant()
    def containers_hold_their_node_until_they_are_released(self):
        holding = [
            (container, allocation.node)
            for state in self.states()
            for container, allocation in state.allocations.items()
            if not allocation.released
        ]
        assert self.requests.nodes_in_use() == {node for _, node in holding}
        for node in NODES:
            found = sorted(container for container, _ in self.requests.on_node(node))
            assert found == sorted(container for container, one in holding if one == node)


TestQueuesAndNodes = QueuesAndNodes.TestCase
TestPods = Pods.TestCase
TestRequests = Requests.TestCase
often = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestQueuesAndNodes.settings = TestPods.settings = TestRequests.settings = often


def test_a_status_write_of_ours_that_brings_a_new_spec_is_left_to_the_watch():
    """Taken at once, the watch event would look like no change and never be acted on."""
    cache = SchedulerCache()
    queue = a_queue("root.a", capacity="50%")
    cache.queues.see(queue, deleted=False)
    changed = {**queue, "spec": {"capacity": "60%"}}
    changed["metadata"] = {**queue["metadata"], "resourceVersion": "9"}
    cache.queues.status_written({**changed, "status": {"state": "Running"}})

    assert cache.queues.objects["root.a"] == UncheckedQueue.read(queue)
    assert cache.queues.written_status("root.a") == {}
    assert cache.queues.see(changed, deleted=False)


def test_a_status_write_of_ours_is_taken_as_it_was_answered():
    cache = SchedulerCache()
    queue = a_queue("root.a", capacity="50%")
    cache.queues.see(queue, deleted=False)
    written = {**queue, "status": {"state": "Running"}}
    cache.queues.status_written(written)

    assert cache.queues.objects["root.a"] == UncheckedQueue.read(written)
    assert cache.queues.written_status("root.a") == {"state": "Running"}


@pytest.mark.parametrize(("known", "written", "kept"), [("9", "10", "10"), ("10", "9", "10")])
def test_the_newer_of_two_versions_is_kept(known, written, kept):
    def version(number):
        return {"metadata": {"resourceVersion": number}}

    assert newer(version(known), version(written)) == version(kept)
