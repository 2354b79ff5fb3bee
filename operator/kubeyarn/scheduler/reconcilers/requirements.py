"""What requests require of nodes: read from the templates of their containers.

A request's containers have the template of its `container`, an ApplicationMaster's that of
`applicationMaster`. What an ApplicationMaster asks for and launches itself has a template that is
not known before it is granted.

A pod may require more than its template says: its runtime class, an admission plugin for the
namespace or a webhook adds to it, or its ApplicationMaster has said it. When kube-scheduler refuses
such a pod for labels or taints, what the pod requires holds for all of its kind (`_kind_of_pod`),
as long as its application keeps off the node (`node_backoff`); then it is tried again. A process
that starts anew learns it by one more refusal.

A request counts among those that ask as long as its application has not ended, whatever it was
granted already: tainted nodes that it tolerates are part of the cluster meanwhile, and shares do
not change with each of its grants.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

from kubeyarn.cluster.feasibility import node_requirements
from kubeyarn.cluster.feasibility.node_requirements import UNKNOWN, NodeRequirements
from kubeyarn.crd.launch import LaunchSpec
from kubeyarn.crd.object import Key
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import TERMINAL
from kubeyarn.model.reasons import Reason, Verdict
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.request_state import RequestState

_MOST_LEARNED = 1024


class RequirementsReconciler:
    """Keeps what is required of nodes in line with requests and applications."""

    def __init__(self, cache: SchedulerCache) -> None:
        self._applications = cache.applications
        self._requests = cache.requests
        self._nodes = cache.nodes
        self._classes = cache.node_classes
        # By kind of pod, what refused ones required and until when that holds.
        self._learned: dict[Hashable, tuple[NodeRequirements, int]] = {}
        self._changed: set[Key] = set()

    def read(self, application: Key, only: Collection[Key] | None = None) -> None:
        """Read what an application's requests require, *only* some of them."""
        yarn_application = self._applications.objects.get(application)
        over = yarn_application is None or yarn_application.status.state in TERMINAL
        requests = self._requests
        states = (
            requests.of_application(application)
            if only is None
            else requests.some_current(only, application, yarn_application)
        )
        for state in states:
            if over or state.deleted:
                self._requests.require(state, None)
                continue
            template = _template(state, yarn_application)
            # Thousands of requests come by in a second; a template is read once.
            if state.requirements is None or state.template is not template:
                self._require(state, template)

    def _require(self, state: RequestState, template: _Template) -> None:
        requirements = _requirements(template)
        kind = _kind_of_pod(state, template, requirements) if self._learned else None
        wanted, _ = self._learned.get(kind, (requirements, 0))
        if state.requirements not in (None, wanted):
            self._changed.add(state.application)
        self._requests.require(state, wanted, template)

    def learn(
        self, state: RequestState, node: str, required: NodeRequirements, until_ms: int
    ) -> None:
        """A request's pod was refused for labels or taints: it *required* this of its *node*."""
        template: _Template = state.template if isinstance(state.template, Mapping) else None
        facts = self._nodes.facts.get(node)
        if state.requirements is None or required == state.requirements or facts is None:
            return
        if required.allows(facts.traits(has_partitions=False)):
            # The node was another one a moment ago.
            return
        if len(self._learned) >= _MOST_LEARNED:
            # The oldest costs one more refusal if it comes again.
            self._forget({next(iter(self._learned))})
        kind = _kind_of_pod(state, template, _requirements(template))
        self._learned[kind] = (required, until_ms)
        self._read_anew({kind})

    def forget_learned(self, now_ms: int) -> None:
        """What was learned long enough ago is tried again."""
        ended = {kind for kind, (_, until_ms) in self._learned.items() if until_ms <= now_ms}
        if ended:
            self._forget(ended)

    def _forget(self, kinds: set[Hashable]) -> None:
        for kind in kinds:
            del self._learned[kind]
        self._read_anew(kinds)

    def _read_anew(self, kinds: set[Hashable]) -> None:
        """Have requests go by what is known of their kind of pod now."""
        for state in self._requests.states.values():
            template: _Template = state.template if isinstance(state.template, Mapping) else None
            if state.requirements is None:
                continue
            if _kind_of_pod(state, template, _requirements(template)) in kinds:
                self._require(state, template)

    def settle(self) -> tuple[set[str], set[Key]]:
        """Bring everything in line; the nodes and the applications that the scheduler must hear of.

        Nodes are of another class or tolerated by others, applications may be on other nodes.
        """
        # In this order: nodes that are classed anew change what is allowed.
        stale, changed = self._classes.take_stale(), self._classes.take_changed()
        applications, self._changed = self._changed, set()
        if changed:
            states = self._requests.states.values()
            applications |= {one.application for one in states if one.requirements in changed}
        return stale, applications

    def classes_of(self, state: RequestState) -> frozenset[int] | None:
        """The classes of nodes where a request's containers may be (`Locality.classes`)."""
        wanted = state.requirements
        return None if wanted is None else self._classes.allowed(wanted)

    def is_nowhere(self, state: RequestState) -> bool:
        """Whether no node that takes containers is one where a request's may be."""
        classes = self.classes_of(state)
        return classes is not None and not classes

    def why_nowhere(self, state: RequestState) -> Verdict:
        """Which words of its template no node has."""
        missing = self._classes.explain(state.requirements or UNKNOWN)
        message = f"{missing}; {state.pending} of {state.count} wait"
        return Verdict(Reason.NO_NODE_FITS, message)


def _kind_of_pod(
    state: RequestState, template: _Template, requirements: NodeRequirements
) -> Hashable:
    """What decides over all that a pod requires of its node: pods of one kind require the same."""
    if template is None:
        # Each ask of an ApplicationMaster may be for another kind of task.
        return state.key
    spec = template.get("spec")
    runtime_class = spec.get("runtimeClassName") if isinstance(spec, Mapping) else None
    return state.key[0], str(runtime_class), requirements


_Template = Mapping[str, Any] | None
_NO_TEMPLATE: _Template = {}


def _template(state: RequestState, application: YarnApplication | None) -> _Template:
    """The template of a request's containers; None where it is not known yet."""
    launch: LaunchSpec | None = state.request.spec.container
    if state.am:
        launch = application.spec.application_master if application is not None else None
    elif launch is None:
        return None
    return launch.template or _NO_TEMPLATE if launch is not None else _NO_TEMPLATE


def _requirements(template: _Template) -> NodeRequirements:
    return UNKNOWN if template is None else node_requirements.read(template)
