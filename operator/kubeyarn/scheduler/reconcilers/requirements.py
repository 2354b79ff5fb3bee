"""What requests require of nodes: read from the templates of their containers.

A request's containers have the template of its `container`, an ApplicationMaster's that of
`applicationMaster`. What an ApplicationMaster asks for and launches itself has a template that is
not known before it is granted.

A request counts among those that ask as long as its application has not ended, whatever it was
granted already: tainted nodes that it tolerates are part of the cluster meanwhile, and shares do
not change with each of its grants.
"""

from __future__ import annotations

from collections.abc import Mapping
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


class RequirementsReconciler:
    """Keeps what is required of nodes in line with requests and applications."""

    def __init__(self, cache: SchedulerCache) -> None:
        self._applications = cache.applications
        self._requests = cache.requests
        self._classes = cache.node_classes

    def read(self, application: Key) -> None:
        """Read what an application's requests require."""
        found = self._applications.objects.get(application)
        over = found is None or found.status.state in TERMINAL
        for state in self._requests.of_application(application):
            if over or state.deleted:
                self._requests.require(state, None)
                continue
            template = _template(state, found)
            # Thousands of requests come by in a second; a template is read once.
            if state.requirements is None or state.template is not template:
                self._requests.require(state, _requirements(template), template)

    def settle(self) -> tuple[set[str], set[Key]]:
        """Bring everything in line; the nodes and the applications that the scheduler must hear of.

        Nodes are of another class or tolerated by others, applications may be on other nodes.
        """
        stale, changed = self._classes.take_stale(), self._classes.take_changed()
        if not changed:
            return stale, set()
        states = self._requests.states.values()
        return stale, {state.application for state in states if state.requirements in changed}

    def classes_of(self, state: RequestState) -> frozenset[int] | None:
        """The classes of nodes where a request's containers may be (`Locality.classes`)."""
        wanted = state.requirements
        return None if wanted is None else self._classes.allowed(wanted)

    def why(self, state: RequestState) -> Verdict | None:
        """Why a request's containers may be nowhere; None if they may be somewhere."""
        wanted, classes = state.requirements, self.classes_of(state)
        if wanted is None or classes is None or classes:
            return None
        message = f"{self._classes.explain(wanted)}; {state.pending} of {state.count} wait"
        return Verdict(Reason.NO_NODE_FITS, message)


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
