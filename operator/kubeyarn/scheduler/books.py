"""What the scheduler has seen and noted, and the engine that decides on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from kubeyarn.crd import submissions
from kubeyarn.crd.object import Key, Object
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.scheduler.access_review import AccessReview
from kubeyarn.scheduler.asks import Growth, Held, RequestState
from kubeyarn.scheduler.facts import NodeFacts, PodUse
from kubeyarn.scheduler.queue_tree import InForce
from kubeyarn.schedulers.api import ResourceScheduler
from kubeyarn.schedulers.opportunistic import OpportunisticContainerAllocator

ENDED = ("FINISHED", "FAILED", "KILLED")
AM_ROLE = "ApplicationMaster"

MaySubmit = Callable[[Key, AccessReview], bool | None]
MakeEngine = Callable[[SchedulerKind, ResourceTypes], ResourceScheduler]


class Books:
    """Caches of what was seen, and the engine that decides on them.

    `changed` is called with a request's key whenever its status should be written again;
    `may_submit` with an application's key and the claim that it makes.
    """

    def __init__(self, make_engine: MakeEngine) -> None:
        self.make_engine = make_engine
        self.changed: Callable[[Key], None] = lambda _: None
        self.may_submit: MaySubmit = lambda _, __: None
        self.types = ResourceTypes()
        self.queues: dict[str, Object] = {}
        self.in_force = InForce()
        self.tried_without: frozenset[str] = frozenset()
        # The resources that queues name; None: to be looked up, because queues changed.
        self.named_by_queues: frozenset[str] | None = None
        self.nodes: dict[str, NodeFacts] = {}
        self.lost_nodes: dict[str, NodeFacts] = {}
        self.strays: set[ContainerId] = set()
        # How many nodes have each extended resource.
        self.extended: Counter[str] = Counter()
        self.pods: dict[Key, PodUse] = {}
        self.applications: dict[Key, Object] = {}
        self.requests: dict[Key, RequestState] = {}
        self.kind = SchedulerKind.CAPACITY
        self.engine: ResourceScheduler = make_engine(self.kind, self.types)
        self.foreign: dict[str, dict[Key, PodUse]] = defaultdict(dict)
        self.pods_of: dict[ContainerId, PodUse] = {}
        self.in_engine: set[str] = set()
        self.submitted_as: dict[Key, ApplicationId] = {}
        self.placed: dict[Key, str] = {}
        self.wished: dict[Key, tuple[int | None, str]] = {}
        self.key_of: dict[ApplicationId, Key] = {}
        self.requests_of: dict[Key, set[Key]] = defaultdict(set)
        self.granted_to: dict[ContainerId, Key] = {}
        self.known_as: dict[ApplicationId, Application] = {}
        self.apart: dict[Key, Application] = {}
        self.last_number: dict[ApplicationId, tuple[int, int]] = {}
        self.attempts: dict[ApplicationId, int] = {}
        self.opportunist = OpportunisticContainerAllocator()
        self.avoiding: dict[Key, int] = {}
        self.growing: dict[ContainerId, Growth] = {}
        self.bound_in: dict[tuple[str, str], list[int]] = {}
        self.bound_by: dict[tuple[str, str, str], list[int]] = {}

    def request_for(self, container: Container) -> RequestState | None:
        """The request that a new container answers; None when it is gone."""
        key = self.key_of.get(container.id.attempt.application)
        if key is None:
            return None
        if not container.am:
            return self.requests.get((key[0], container.key.name))
        number = container.id.attempt.number
        states = (self.requests[k] for k in self.requests_of[key])
        return next((s for s in states if s.am and s.attempt == number), None)

    def held(self, container: ContainerId) -> Held | None:
        """The grant of a container."""
        key = self.granted_to.get(container)
        state = self.requests.get(key) if key else None
        return state.grants.get(container) if state else None

    def request_of(self, container: ContainerId) -> RequestState | None:
        """The request that a container was granted to."""
        key = self.granted_to.get(container)
        return self.requests.get(key) if key else None

    def submitted(self, key: Key) -> ApplicationId | None:
        """The id under which the engine knows an application."""
        return self.submitted_as.get(key)

    def user_of(self, key: Key) -> str:
        """An application's user, as the engine knows it; "" before it was submitted."""
        identity = self.submitted_as.get(key)
        known = self.known_as.get(identity) if identity is not None else None
        return known.user if known is not None else ""

    def ask_key(self, state: RequestState) -> AskKey:
        """The key under which the engine knows a request's ask."""
        return submissions.ask_key(state.found)

    def partition_of(self, node: str) -> str:
        """The partition whose limits hold for what runs on a node; the Fair Scheduler has none."""
        facts = self.nodes.get(node) or self.lost_nodes.get(node)
        return "" if facts is None or self.kind is SchedulerKind.FAIR else facts.partition

    def owner_of(self, container: ContainerId) -> Key | None:
        """The application whose container it is."""
        state = self.request_of(container)
        return state.application if state else None


def application_id(found: Object) -> ApplicationId | None:
    """The id that a YarnApplication was given; None until it was."""
    text = (found.get("status") or {}).get("applicationId")
    return ApplicationId.parse(text) if text else None
