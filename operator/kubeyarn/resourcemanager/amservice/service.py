"""What ApplicationMasters may do, as plain calls (Hadoop: ApplicationMasterService).

Every call answers from memory: it takes what the AM says into its session and answers what the
session has to tell. The application is then put into the queue, and its reconciliation writes what
was said. So what an AM asks never waits for the API server. Two calls do: a release deletes pods,
after the session has taken the heartbeat, and a launch makes them, before it is answered.

HTTP (`http`) is one door to these calls; whoever opens another (Hadoop RPC) calls the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kubeyarn.crd.object import Key
from kubeyarn.lifecycle import tracking_url
from kubeyarn.lifecycle.am_session import (
    MOST_ASKS,
    AllocateRequest,
    AllocateResponse,
    AMSession,
    ProtocolError,
)
from kubeyarn.lifecycle.application import FinalStatus
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Unregistration
from kubeyarn.lifecycle.records import MOST_DIAGNOSTICS
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import cluster_limits
from kubeyarn.resourcemanager.amservice import (
    ask_validation,
    callers,
    container_management,
    preemption_message,
    registration,
    responses,
    update_validation,
    wire,
)
from kubeyarn.resourcemanager.amservice.authentication import PodIdentity
from kubeyarn.resourcemanager.amservice.callers import Caller
from kubeyarn.resourcemanager.amservice.headroom import allocation, headroom, largest_ask
from kubeyarn.resourcemanager.amservice.preemption_message import Marked
from kubeyarn.resourcemanager.amservice.wire import FieldError
from kubeyarn.resourcemanager.applications.am_sessions import AMSessions
from kubeyarn.resourcemanager.applications.unmanaged_am import AMToken
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.requests import request_builder
from kubeyarn.resourcemanager.requests.container_manager import ContainerManager

MOST_RELEASES = 10_000
MOST_UPDATES = 1_000
MOST_CONTAINERS_A_CALL = 1_000


class ApplicationMasterService:
    """The calls of the AM service. Each answers from memory; writing follows behind.

    *look* has an application reconciled again.
    """

    def __init__(
        self,
        cache: Cache,
        nodes: NodeTracker,
        sessions: AMSessions,
        containers: ContainerManager,
        look: Callable[[Key], None],
    ) -> None:
        self._cache = cache
        self._nodes = nodes
        self._sessions = sessions
        self._containers = containers
        self._look = look
        self._answers: dict[Key, wire.Allocated] = {}

    def caller(self, pod: PodIdentity) -> Caller:
        """The application that *pod* is the current ApplicationMaster of.

        Raises:
            ProtocolError: NotAnApplicationMaster, ApplicationNotFound or AttemptEnded.
        """
        return callers.by_pod(self._cache, self._sessions, pod)

    def unmanaged(self, token: AMToken) -> Caller:
        """The application that *token* was made for.

        Raises:
            NotAuthenticated: it is not, or not any more, the token of an application.
            ProtocolError: AttemptEnded.
        """
        return callers.by_token(self._cache, self._sessions, token)

    def register(self, caller: Caller, message: wire.Register, now_ms: int) -> wire.Registered:
        """Hadoop: ApplicationMasterService.registerApplicationMaster."""
        caller.must_live()
        _check_tracking_url(message.tracking_url)
        answer = registration.register(self._cache, caller, message, now_ms)
        self._look(caller.key)
        return answer

    def allocate(self, caller: Caller, message: wire.Allocate, now_ms: int) -> wire.Allocated:
        """Hadoop: ApplicationMasterService.allocate."""
        caller.must_live(finished_is_fine=True)
        # Nothing of a repeated heartbeat may be taken twice.
        if caller.session.repeats(message.response_id):
            return self._repeated(caller, now_ms)
        # Checked whole before anything is taken: a refused heartbeat changes nothing.
        request = self._read(caller, message)
        self._tell_nodes(caller.session)
        answer = caller.session.allocate(request, now_ms)
        self._look(caller.key)
        allocated = self._allocated(caller, answer)
        self._remember(caller, allocated)
        return allocated

    def _read(self, caller: Caller, message: wire.Allocate) -> AllocateRequest:
        exclude = message.exclude_nodes or wire.ExcludeNodes()
        cache = self._cache
        _check_length("asks", message.asks, MOST_ASKS)
        _check_length("releases", message.releases, MOST_RELEASES)
        _check_length("updates", message.updates, MOST_UPDATES)
        largest = largest_ask(cache, caller)
        known = caller.requests_of_containers(cache) if message.updates else {}
        updates, update_errors = update_validation.check(
            message.updates, known.get, caller.session.updates, largest.now
        )
        return AllocateRequest(
            response_id=message.response_id,
            progress=message.progress,
            asks=ask_validation.asks(message.asks, largest),
            releases=tuple(
                ask_validation.released(caller, f"releases[{i}]", text)
                for i, text in enumerate(message.releases)
            ),
            exclude=ask_validation.places("excludeNodes.add", exclude.add, caller.session.excluded),
            include=frozenset(exclude.remove),
            updates=updates,
            update_errors=update_errors,
            tracking_url=_check_tracking_url(message.tracking_url),
        )

    def _allocated(self, caller: Caller, answer: AllocateResponse) -> wire.Allocated:
        cache = self._cache
        return wire.Allocated(
            response_id=answer.response_id,
            allocated=[responses.container(c) for c in answer.allocated],
            completed=[responses.completed(c) for c in answer.completed],
            headroom=request_builder.shown(headroom(cache, caller)),
            cluster_nodes=cluster_limits.nodes(cache),
            updated_nodes=[responses.node(update) for update in answer.nodes],
            priority=caller.application.status.priority or 0,
            preemption=self._preemption(caller),
            rejected=[responses.rejected(ask) for ask in answer.rejected],
            updated_containers=[responses.updated(kind, c) for kind, c in answer.updated],
            update_errors=[responses.update_error(error) for error in answer.update_errors],
        )

    def _remember(self, caller: Caller, allocated: wire.Allocated) -> None:
        """Keep the answer in case it is lost; answers to applications that are gone are dropped."""
        known = self._cache.applications
        # One answer is kept for each application. Those of applications that are gone are looked
        # for only when there must be some.
        if len(self._answers) > len(known):
            self._answers = {k: v for k, v in self._answers.items() if k in known}
        self._answers[caller.key] = allocated

    def _repeated(self, caller: Caller, now_ms: int) -> wire.Allocated:
        """Repeat the whole last answer: the AM may never have received it."""
        caller.session.last_heard_ms = now_ms
        return self._answers[caller.key]

    def _tell_nodes(self, session: AMSession) -> None:
        """Report nodes that changed since the last report; a new AM hears of those not RUNNING."""
        # Where in the list of changes this AM is; a new one has heard of none.
        nodes, heard = self._nodes, session.nodes_heard
        for update in nodes.standing() if heard is None else nodes.since(heard):
            session.node_changed(update)
        session.nodes_heard = nodes.changes

    def _preemption(self, caller: Caller) -> wire.Preemption:
        """Containers marked to be taken back, told once (Hadoop: PreemptionMessage.contract)."""
        cache = self._cache
        marked = {
            container: Marked(container, now, why, view.size)
            for view in caller.asks(cache)
            for container, (now, why) in view.preempting.items()
            if container not in view.completed
        }
        low, _ = allocation(cache, caller)
        new = [marked[container] for container in caller.session.warn(marked)]
        return preemption_message.message(new, cluster_limits.cluster(cache), low)

    async def release(self, caller: Caller, message: wire.Allocate) -> None:
        """Give back what the AM releases, after the session has taken the heartbeat."""
        known = caller.requests_of_containers(self._cache) if message.releases else {}
        for text in message.releases:
            container = ContainerId.parse(text)
            if container in known:
                await self._containers.stop(caller.key, container, ExitStatus.ABORTED)

    def finish(self, caller: Caller, message: wire.Finish, now_ms: int) -> wire.Finished:
        """Hadoop: ApplicationMasterService.finishApplicationMaster."""
        attempt = caller.record.attempt
        if attempt is not None and attempt.state in (AttemptState.FINISHING, AttemptState.FINISHED):
            return wire.Finished(is_unregistered=True)
        caller.must_live()
        try:
            status = FinalStatus(message.final_status)
        except ValueError:
            allowed = ", ".join(s.value for s in FinalStatus if s is not FinalStatus.UNDEFINED)
            raise FieldError(
                "finalStatus", f"found {message.final_status!r}, allowed: {allowed}"
            ) from None
        # No more of it is stored, so no more need be kept until then.
        diagnostics = message.diagnostics[:MOST_DIAGNOSTICS]
        url = _check_tracking_url(message.tracking_url) or ""
        unregistration = Unregistration(status, diagnostics, url)
        caller.session.finish(unregistration, now_ms)
        self._look(caller.key)
        return wire.Finished(is_unregistered=False)

    async def containers(self, caller: Caller, message: wire.Containers) -> wire.ContainersAnswer:
        """Launch, stop and ask about containers (Hadoop: ContainerManagementProtocol)."""
        caller.must_live()
        if not caller.session.registered:
            raise ProtocolError(
                "ApplicationMasterNotRegistered", f"{caller.session.attempt} is not registered"
            )
        for field, entries in (
            ("launch", message.launch), ("stop", message.stop), ("status", message.status)
        ):  # fmt: skip
            _check_length(field, entries, MOST_CONTAINERS_A_CALL)
        return await container_management.answer(self._containers, self._cache, caller, message)


def _check_length(field: str, entries: Sequence[object], most: int) -> None:
    """Whether a call names no more than it may; checked before anything that it names is read.

    Raises:
        FieldError: it does.
    """
    if len(entries) > most:
        raise FieldError(field, f"found {len(entries)} entries, allowed: {most} in one call")


def _check_tracking_url(url: str | None) -> str | None:
    """An address that an AM says, which somebody will follow.

    Raises:
        FieldError: it is none that may become a link.
    """
    why = tracking_url.refusal(url or "")
    if why:
        raise FieldError("trackingUrl", why)
    return url
