"""What ApplicationMasters may do, as plain calls: the AM service without its transport."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from kubeyarn.cluster import names
from kubeyarn.crd import quantities
from kubeyarn.lifecycle import container as containers
from kubeyarn.lifecycle.application import FinalStatus
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.master import (
    AllocateRequest,
    GrantedContainer,
    MasterSession,
    ProtocolError,
    RejectedAsk,
)
from kubeyarn.lifecycle.node import NodeUpdate
from kubeyarn.lifecycle.progress import Unregistration
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.constraints import PlacementConstraint
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.policy import constraint_parser
from kubeyarn.resourcemanager import (
    applications,
    asking,
    limits,
    records,
    requests,
    speaking,
    unmanaged,
    updating,
    warning,
    wire,
)
from kubeyarn.resourcemanager.applications import ApplicationsManager
from kubeyarn.resourcemanager.authentication import NotAuthenticated, PodIdentity
from kubeyarn.resourcemanager.cache import Key, Object
from kubeyarn.resourcemanager.pods import Launch
from kubeyarn.resourcemanager.requests import RequestView
from kubeyarn.resourcemanager.unmanaged import MasterToken
from kubeyarn.resourcemanager.warning import Marked

MOST_CONTAINERS = 100_000
ANY_PLACE = "*"
_LONGEST_PLACE = 253
_MOST_PLACES = 1000
_TAG = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MOST_TAGS = 16
_LONGEST_CONSTRAINT = 4096


class FieldError(SpecError):
    """A field of a message that cannot be acted on."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated ApplicationMaster: its application and the session of its attempt."""

    key: Key
    application: Object
    record: ApplicationRecord
    session: MasterSession


class Masters:
    """The calls of the AM service. Each answers from memory; writing follows behind."""

    def __init__(self, manager: ApplicationsManager) -> None:
        self._manager = manager
        self._answers: dict[Key, wire.Allocated] = {}

    def caller(self, pod: PodIdentity) -> Caller:
        """The application that *pod* is the current ApplicationMaster of.

        Raises:
            ProtocolError: NotAnApplicationMaster, ApplicationNotFound or AttemptEnded.
        """
        cache = self._manager.cache
        facts = cache.pod((pod.namespace, pod.name))
        if facts is None or facts.uid != pod.uid or facts.role != names.ROLE_AM:
            raise ProtocolError(
                "NotAnApplicationMaster",
                f"pod {pod.namespace}/{pod.name} is no ApplicationMaster; only an application's "
                "ApplicationMaster may speak for it",
            )
        key = (facts.namespace, facts.application)
        application = cache.applications.get(key)
        record = records.read(application) if application else None
        if (
            application is None
            or record is None
            or record.id != facts.container.attempt.application
        ):
            raise ProtocolError(
                "ApplicationNotFound", f"application {key[0]}/{key[1]} does not exist any more"
            )
        if speaking.in_objects(application):
            raise ProtocolError(
                "NotAnApplicationMaster",
                f"application {key[0]}/{key[1]} says applicationMaster.protocol: Objects, so its "
                "ApplicationMaster speaks by ContainerRequests and annotations alone",
            )
        attempt = record.attempt
        mine = attempt is not None and attempt.id == facts.container.attempt
        if attempt is None or not mine or attempt.container not in (None, facts.container):
            raise ProtocolError(
                "AttemptEnded",
                f"pod {pod.name} is not the ApplicationMaster of the current attempt",
            )
        return Caller(key, application, record, self._manager.session(key, record))

    def unmanaged(self, token: MasterToken) -> Caller:
        """The application that *token* was made for.

        Raises:
            NotAuthenticated: it is not, or not any more, the token of an application.
            ProtocolError: AttemptEnded.
        """
        key = (token.namespace, token.application)
        application = self._manager.cache.applications.get(key)
        record = records.read(application) if application else None
        if application is None or record is None or not unmanaged.fits(token, application):
            raise NotAuthenticated(
                f"Authorization: the token is not that of application {key[0]}/{key[1]}; it is in "
                "the Secret that status.unmanagedAM.secret of the application names"
            )
        return Caller(key, application, record, self._manager.session(key, record))

    def register(self, caller: Caller, message: wire.Register, now_ms: int) -> wire.Registered:
        """Hadoop: ApplicationMasterService.registerApplicationMaster."""
        self._must_live(caller)
        number = caller.session.attempt.number
        views = [view for view in self._asks(caller) if view.attempt == number]
        live = [
            asking.granted(view, container, node, self._manager.sizes)
            for view in views
            for container, node in view.grants.items()
            if container not in view.completed
        ]
        ever = {view.key: view.granted for view in views}
        spec = caller.application["spec"]
        again = spec.get("unmanagedAM") and spec.get("keepContainersAcrossAttempts")
        kept = self._kept(caller)
        caller.session.register(
            live, ever, message.tracking_url, now_ms, kept=kept, again=bool(again)
        )
        caller.session.host, caller.session.rpc_port = message.host, message.rpc_port
        caller.session.excluded = self._excluded(caller)
        self._manager.queue.add(caller.key)
        low, high = limits.allocation(self._manager.cache, caller.record.queue)
        return wire.Registered(
            application_id=str(caller.record.id),
            attempt_id=str(caller.session.attempt),
            queue=caller.record.queue,
            minimum_allocation=asking.shown(low),
            maximum_allocation=asking.shown(high),
            resource_types=list(dict.fromkeys((*asking.SIZE_NAMES, *sorted(high)))),
            scheduler_resource_types=limits.scheduled(self._manager.cache),
            containers_from_previous_attempts=[self._container(c) for c in kept],
            containers=[self._container(c) for c in live],
            response_id=caller.session.response_id,
        )

    def _excluded(self, caller: Caller) -> frozenset[str]:
        """What the attempt excluded before, or the one before it if that hands on what it has."""
        number = caller.session.attempt.number
        keeps = caller.application["spec"].get("keepContainersAcrossAttempts")
        return frozenset(
            name
            for view in self._asks(caller)
            if view.attempt == number or (keeps and view.attempt == number - 1)
            for name in view.excluded
        )

    def _kept(self, caller: Caller) -> list[GrantedContainer]:
        """Containers of former attempts that run on (Hadoop: keepContainers...Attempts)."""
        if not caller.application["spec"].get("keepContainersAcrossAttempts"):
            return []
        pods = self._manager.cache.pods(caller.key)
        return [
            asking.granted(view, container, node, self._manager.sizes)
            for view in self._asks(caller)
            if view.attempt < caller.session.attempt.number
            for container, node in view.grants.items()
            if container not in view.completed
            and (pod := pods.get(container)) is not None
            and pod.running
            and not pod.deleting
        ]

    def allocate(self, caller: Caller, message: wire.Allocate, now_ms: int) -> wire.Allocated:
        """Hadoop: ApplicationMasterService.allocate."""
        self._must_live(caller, finished_is_fine=True)
        if caller.session.repeats(message.response_id):
            return self._repeated(caller, now_ms)
        exclude = message.exclude_nodes or wire.ExcludeNodes()
        updates, update_errors = updating.check(
            message.updates,
            lambda container: self._view_of(caller, container),
            caller.session.updates,
            limits.allocation(self._manager.cache, caller.record.queue)[1],
        )
        request = AllocateRequest(
            response_id=message.response_id,
            progress=message.progress,
            asks=tuple(self._ask(caller, i, ask) for i, ask in enumerate(message.asks)),
            releases=tuple(
                _released(caller, f"releases[{i}]", text) for i, text in enumerate(message.releases)
            ),
            exclude=_places("excludeNodes.add", exclude.add, caller.session.excluded),
            include=frozenset(exclude.remove),
            updates=updates,
            update_errors=update_errors,
            tracking_url=message.tracking_url,
        )
        self._tell_nodes(caller.session)
        answer = caller.session.allocate(request, now_ms)
        self._manager.queue.add(caller.key)
        said = wire.Allocated(
            response_id=answer.response_id,
            allocated=[self._container(c) for c in answer.allocated],
            completed=[
                wire.Completed(
                    container_id=str(c.id), exit_status=c.exit_status, diagnostics=c.diagnostics
                )
                for c in answer.completed
            ],
            headroom=asking.shown(limits.headroom(self._manager.cache, caller.record)),
            cluster_nodes=limits.nodes(self._manager.cache),
            updated_nodes=[_node(update) for update in answer.nodes],
            priority=int((caller.application.get("status") or {}).get("priority") or 0),
            preemption=self._preemption(caller),
            rejected=[_rejected(ask) for ask in answer.rejected],
            updated_containers=[
                wire.UpdatedContainer(type=kind.value, container=self._container(c))
                for kind, c in answer.updated
            ],
            update_errors=[
                wire.UpdateError(
                    container_id=error.id,
                    reason=error.reason,
                    current_version=error.version,
                    message=error.message,
                )
                for error in answer.update_errors
            ],
        )
        self._remember(caller, said)
        return said

    def _remember(self, caller: Caller, said: wire.Allocated) -> None:
        known = self._manager.sessions
        if len(self._answers) > len(known):
            self._answers = {k: v for k, v in self._answers.items() if k in known}
        self._answers[caller.key] = said

    def _repeated(self, caller: Caller, now_ms: int) -> wire.Allocated:
        """The last answer, all of it: what it told may never have arrived."""
        caller.session.last_heard_ms = now_ms
        return self._answers[caller.key]

    def _tell_nodes(self, session: MasterSession) -> None:
        """Nodes that changed since they were last told of; who is new hears which do not run."""
        nodes, heard = self._manager.nodes, session.nodes_heard
        for update in nodes.standing() if heard is None else nodes.since(heard):
            session.node_changed(update)
        session.nodes_heard = nodes.changes

    def _preemption(self, caller: Caller) -> wire.Preemption:
        """Containers marked to be taken back, told once (Hadoop: PreemptionMessage.contract)."""
        marked = {
            container: Marked(container, now, why, view.size)
            for view in self._asks(caller)
            for container, (now, why) in view.preempting.items()
            if container not in view.completed
        }
        cache = self._manager.cache
        low, _ = limits.allocation(cache, caller.record.queue)
        new = [marked[container] for container in caller.session.warn(marked)]
        return warning.message(new, limits.root(cache), low)

    async def release(self, caller: Caller, message: wire.Allocate) -> None:
        """Give back what the AM releases; after the heartbeat itself was taken."""
        for text in message.releases:
            container = ContainerId.parse(text)
            if self._view_of(caller, container) is not None:
                await self._manager.stop(caller.key, container, ExitStatus.ABORTED)

    def finish(self, caller: Caller, message: wire.Finish, now_ms: int) -> wire.Finished:
        """Hadoop: ApplicationMasterService.finishApplicationMaster."""
        attempt = caller.record.attempt
        if attempt is not None and attempt.state in (AttemptState.FINISHING, AttemptState.FINISHED):
            return wire.Finished(is_unregistered=True)
        self._must_live(caller)
        try:
            status = FinalStatus(message.final_status)
        except ValueError:
            allowed = ", ".join(s.value for s in FinalStatus if s is not FinalStatus.UNDEFINED)
            raise FieldError(
                "finalStatus", f"found {message.final_status!r}, allowed: {allowed}"
            ) from None
        said = Unregistration(status, message.diagnostics, message.tracking_url)
        caller.session.finish(said, now_ms)
        self._manager.queue.add(caller.key)
        return wire.Finished(is_unregistered=False)

    async def containers(self, caller: Caller, message: wire.Containers) -> wire.ContainersAnswer:
        """Launch, stop and ask about containers (Hadoop: ContainerManagementProtocol)."""
        self._must_live(caller)
        if not caller.session.registered:
            raise ProtocolError(
                "ApplicationMasterNotRegistered", f"{caller.session.attempt} is not registered"
            )
        answer = wire.ContainersAnswer()
        # All at once: the client bounds the calls in flight.
        await asyncio.gather(*(self._launch(caller, how, answer) for how in message.launch))
        for text in message.stop:
            await self._stop(caller, text, answer)
        for text in message.status:
            self._status(caller, text, answer)
        return answer

    async def _launch(
        self, caller: Caller, launch: wire.LaunchContainer, answer: wire.ContainersAnswer
    ) -> None:
        view = self._known(caller, launch.container_id, answer)
        if view is None:
            return
        _check_files(launch)
        container = ContainerId.parse(launch.container_id)
        former = view.attempt != caller.session.attempt.number
        if former or container in view.completed or container not in view.grants:
            answer.errors.append(
                wire.ContainerError(
                    container_id=launch.container_id, message="the container has ended already"
                )
            )
            return
        how = Launch(
            image=launch.image or applications.am_image(caller.application),
            command=tuple(launch.command),
            args=tuple(launch.args),
            env=tuple(launch.env),
            template=launch.template,
            executor=launch.executor,
            files=tuple(msgspec.to_builtins(file) for file in launch.files),
        )
        placed = applications.placed_by(view, container, names.ROLE_TASK)
        pod = await self._manager.launch(caller.key, caller.application, caller.record, placed, how)
        answer.launched.append(wire.Launched(container_id=launch.container_id, pod=pod))

    async def _stop(self, caller: Caller, text: str, answer: wire.ContainersAnswer) -> None:
        if self._known(caller, text, answer) is not None:
            container = ContainerId.parse(text)
            await self._manager.stop(caller.key, container, ExitStatus.KILLED_BY_APPMASTER)
            answer.stopped.append(text)

    def _status(self, caller: Caller, text: str, answer: wire.ContainersAnswer) -> None:
        view = self._known(caller, text, answer)
        if view is None:
            return
        container = ContainerId.parse(text)
        done = view.completed.get(container)
        pod = self._manager.cache.pods(caller.key).get(container)
        ended = done is not None or container not in view.grants
        state = containers.state(
            told=True,
            launched=pod is not None and pod.running,
            exit_status=(done.exit_status if done else ExitStatus.ABORTED) if ended else None,
        )
        status = wire.ContainerStatus(
            container_id=text,
            state=containers.public(state),
            exit_status=done.exit_status if done else None,
        )
        answer.statuses.append(status)

    def _known(
        self, caller: Caller, text: str, answer: wire.ContainersAnswer
    ) -> RequestView | None:
        """The request that a container was granted to; an error in *answer* when there is none."""
        try:
            view = self._view_of(caller, ContainerId.parse(text))
        except SpecError as error:
            answer.errors.append(wire.ContainerError(container_id=text, message=str(error)))
            return None
        if view is None:
            answer.errors.append(
                wire.ContainerError(
                    container_id=text, message="no such container of this application"
                )
            )
        return view

    def _view_of(self, caller: Caller, container: ContainerId) -> RequestView | None:
        for view in self._asks(caller):
            if container in view.grants or container in view.completed:
                return view
        return None

    def _asks(self, caller: Caller) -> list[RequestView]:
        views = (
            requests.view(r, caller.record.id) for r in self._manager.cache.requests(caller.key)
        )
        return [view for view in views if view.role == names.ROLE_ASK]

    def _must_live(self, caller: Caller, *, finished_is_fine: bool = False) -> None:
        record = caller.record
        attempt = record.attempt
        gone = attempt is None or attempt.state in (AttemptState.FAILED, AttemptState.KILLED)
        finishing = attempt is not None and attempt.state is AttemptState.FINISHING
        if record.ended or gone or (finishing and not finished_is_fine):
            raise ProtocolError(
                "AttemptEnded", f"{caller.session.attempt} has ended: application {record.state}"
            )

    def _container(self, granted: GrantedContainer) -> wire.Container:
        return wire.Container(
            container_id=str(granted.id),
            node=granted.node,
            priority=granted.key.priority,
            allocation_request_id=granted.key.allocation_request_id,
            version=granted.version,
            execution_type="OPPORTUNISTIC" if granted.opportunistic else "GUARANTEED",
            resources=self._manager.sizes.shown(granted.size),
        )

    def _ask(self, caller: Caller, index: int, said: wire.Ask) -> Ask:
        where = f"asks[{index}]"
        if not 0 <= said.count <= MOST_CONTAINERS:
            raise FieldError(
                f"{where}.count", f"found {said.count}, allowed: 0 to {MOST_CONTAINERS}"
            )
        if said.priority < 0:
            raise FieldError(f"{where}.priority", f"found {said.priority}, allowed: 0 or more")
        if said.allocation_request_id < -1:
            raise FieldError(
                f"{where}.allocationRequestId",
                f"found {said.allocation_request_id}, allowed: -1 or more",
            )
        size = quantities.amounts(said.resources, f"{where}.resources")
        _, high = limits.allocation(self._manager.cache, caller.record.queue)
        _check_size(f"{where}.resources", size, high)
        locality = said.locality or wire.Locality()
        place = Locality(
            tuple((node, said.count) for node in locality.nodes),
            tuple((rack, said.count) for rack in locality.racks),
            locality.relax,
        )
        opportunistic = said.execution_type == "OPPORTUNISTIC"
        words = f"{sorted(size.items())}{said.partition}{locality}"
        if opportunistic:
            # Asks of earlier versions keep their names.
            words += said.execution_type
        constraint, tags = _placement(where, said)
        if opportunistic and constraint is not None:
            raise FieldError(
                f"{where}.placementConstraint",
                "found one with executionType OPPORTUNISTIC, allowed: GUARANTEED",
            )
        if said.placement_constraint or tags:
            words += f"{said.placement_constraint}{tags}"
        shape = hashlib.sha256(words.encode()).hexdigest()[:8]
        key = AskKey(said.priority, said.allocation_request_id, shape)
        vector = self._manager.sizes.vector(size)
        return Ask(key, said.count, vector, said.partition, place, opportunistic, constraint, tags)


def _check_files(launch: wire.LaunchContainer) -> None:
    for number, file in enumerate(launch.files):
        sources = (file.config_map, file.secret, file.persistent_volume_claim, file.url)
        found = sum(source is not None for source in sources)
        if found != 1:
            raise FieldError(
                f"launch[].files[{number}]",
                f"{file.path}: found {found} sources, allowed: exactly one of configMap, secret, "
                "persistentVolumeClaim and url",
            )


def _check_size(field: str, size: Mapping[str, int], high: Mapping[str, int]) -> None:
    for name in asking.SIZE_NAMES:
        if size.get(name, 0) <= 0:
            found = quantities.show(name, size.get(name, 0))
            raise FieldError(f"{field}.{name}", f"found {found}, allowed: more than 0")
    for name, amount in size.items():
        if name in high and amount > high[name]:
            raise FieldError(
                f"{field}.{name}",
                f"found {quantities.show(name, amount)}, allowed: at most the maximum allocation "
                f"{quantities.show(name, high[name])}",
            )


def _placement(where: str, said: wire.Ask) -> tuple[PlacementConstraint | None, tuple[str, ...]]:
    """An ask's constraint and tags, if they can be acted on."""
    for i, tag in enumerate(said.allocation_tags):
        if not _TAG.fullmatch(tag) or i >= _MOST_TAGS:
            raise FieldError(
                f"{where}.allocationTags[{i}]",
                f"found {tag!r}, allowed: up to {_MOST_TAGS} tags of letters, digits, '.', '_' and "
                "'-', each of 1 to 100",
            )
    if len(said.placement_constraint) > _LONGEST_CONSTRAINT:
        raise FieldError(
            f"{where}.placementConstraint", f"allowed: {_LONGEST_CONSTRAINT} characters"
        )
    if not said.placement_constraint:
        return None, tuple(sorted(set(said.allocation_tags)))
    try:
        constraint = constraint_parser.parse(said.placement_constraint)
    except SpecError as error:
        raise FieldError(f"{where}.placementConstraint", str(error)) from None
    return constraint, tuple(sorted(set(said.allocation_tags)))


def _places(field: str, names: Sequence[str], before: frozenset[str]) -> frozenset[str]:
    """Nodes and racks to exclude (Hadoop: RMServerUtils.validateBlacklistRequest)."""
    for i, name in enumerate(names):
        if name == ANY_PLACE or not 0 < len(name) <= _LONGEST_PLACE:
            raise FieldError(
                f"{field}[{i}]",
                f"found {name!r}, allowed: the name of a node or rack, and not {ANY_PLACE!r}",
            )
    added = frozenset(names)
    if len(before | added) > _MOST_PLACES:
        raise FieldError(
            field,
            f"would make {len(before | added)} excluded nodes, allowed: {_MOST_PLACES} at a time; "
            "remove some first",
        )
    return added


def _released(caller: Caller, field: str, text: str) -> ContainerId:
    """A container that this AM may release (Hadoop: validateContainerReleaseRequest)."""
    container = _container_id(field, text)
    keeps = caller.application["spec"].get("keepContainersAcrossAttempts")
    mine = container.attempt == caller.session.attempt
    if mine or (keeps and container.attempt.application == caller.record.id):
        return container
    whose = "application" if keeps else "attempt"
    raise FieldError(
        field, f"found {text}, which is no container of this {whose}, allowed: its own"
    )


def _container_id(field: str, text: str) -> ContainerId:
    try:
        return ContainerId.parse(text)
    except SpecError as error:
        raise FieldError(field, str(error)) from error


def _rejected(ask: RejectedAsk) -> wire.Rejected:
    return wire.Rejected(
        priority=ask.key.priority,
        allocation_request_id=ask.key.allocation_request_id,
        reason=ask.reason,
        message=ask.message,
    )


def _node(update: NodeUpdate) -> wire.NodeUpdate:
    return wire.NodeUpdate(
        node=update.name,
        state=update.view.state.value,
        update_type=update.view.update_type.value,
        decommissioning_timeout_seconds=update.view.remaining_s,
    )
