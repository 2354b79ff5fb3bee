"""Reconciles one ContainerRequest: launches what is granted, records what has ended.

It is done for each request of an application whenever anything of the application changed.
`request_plan.plan` decides; this file carries it out, in an order that a crash between any two
steps leaves right:

1. Delete the pods that live and are to go (`take_away`). Their containers stay granted until their
   end is recorded, which a later reconciliation does when the kubelet says that they have ended.
   It comes first, because nothing that is wrong with the request may keep what is taken back.
2. Write the status (`reconcile`). An exit is durable before anything that follows from it is done.
3. Tell the ApplicationMaster's session (in memory, so that a new process tells everything again).
4. Make the updates of containers that the scheduler charges for by now.
5. Launch what is granted and says how it is launched. Pods are made from grants only, and a grant
   is stored before the ResourceManager can see it.
6. Delete the pods whose grants were taken back before they were bound.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubeyarn.cluster import names
from kubeyarn.cluster.errors import Refused
from kubeyarn.crd.conditions import ConditionStatus
from kubeyarn.crd.object import Key
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.am_session import (
    UPDATE_REFUSED,
    AMSession,
    RejectedAsk,
    UpdateContainerError,
)
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.pods.pod_control import PodControl
from kubeyarn.resourcemanager.pods.pod_state import PodState
from kubeyarn.resourcemanager.requests import allocation_expiry, request_plan, usage
from kubeyarn.resourcemanager.requests.allocation_expiry import ContainerAllocationExpirer
from kubeyarn.resourcemanager.requests.container_exits import ContainerExits
from kubeyarn.resourcemanager.requests.container_manager import ContainerManager
from kubeyarn.resourcemanager.requests.request_control import RequestControl
from kubeyarn.resourcemanager.requests.request_plan import ContainerChange, RequestPlan
from kubeyarn.resourcemanager.requests.request_view import RequestView, UnreadRequest
from kubeyarn.resourcemanager.requests.termination import TerminationReason, termination_reason


class RequestReconciler:
    """Carries out what follows for requests."""

    def __init__(
        self,
        requests: RequestControl,
        pods: PodControl,
        exits: ContainerExits,
        containers: ContainerManager,
        expirer: ContainerAllocationExpirer,
    ) -> None:
        self._requests = requests
        self._pods = pods
        self._exits = exits
        self._containers = containers
        self._expirer = expirer

    def plan(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        view: RequestView,
        named_by: Sequence[PodState],
        session: AMSession,
    ) -> RequestPlan:
        """What follows for one request of the application *key* from what is seen of it.

        *named_by* are the pods that name it as theirs.
        """
        termination = termination_reason(application, record, view)
        # Where nobody listens any more, exits need not be kept until somebody has confirmed them.
        return request_plan.plan(
            view,
            self._exits.pods(key),
            named_by,
            lambda container: self._exits.of(key, container, view),
            termination,
            confirmed=(
                (lambda c: c in session.confirmed)
                if _an_am_listens(view, termination)
                else (lambda _: True)
            ),
        )

    async def take_away(self, key: Key, view: RequestView, plan: RequestPlan) -> None:
        """Take back what the policy wants back, and end what is to end.

        It depends on nothing that is written of the request: what is done here is decided by
        others, and stays so until it is done.
        """
        termination = plan.termination
        # An AM's own exit is its process's, also if we delete its pod: its attempt depends on it.
        if termination is not None and view.role != names.ROLE_AM:
            for container in plan.terminated:
                self._exits.stop(container, termination.ending)
        if _an_am_listens(view, termination):
            self._expire_unlaunched(key, view, plan)
        ended = set(plan.terminated)
        try:
            await self._pods.evict_all(plan.evict)
        finally:
            await self._pods.delete_all([pod for pod in plan.delete if pod.container in ended])

    async def take_away_unread(
        self,
        application: YarnApplication,
        record: ApplicationRecord,
        request: RequestView | UnreadRequest,
        named_by: Sequence[PodState],
    ) -> None:
        """Take away what is to go of a request for which there is no plan; its pods name it."""
        termination = termination_reason(application, record, request)
        evict, delete = [], []
        for pod in named_by:
            if pod.deleting or pod.ending is not None:
                continue
            now, why = request.preempting.get(pod.container, (False, ""))
            if now:
                evict.append((pod, why))
            elif termination is not None and not (termination.spares_running and pod.running):
                delete.append(pod)
        try:
            await self._pods.evict_all(evict)
        finally:
            await self._pods.delete_all(delete)

    async def reconcile(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        view: RequestView,
        plan: RequestPlan,
        session: AMSession,
    ) -> None:
        """Bring one request of the application *key* as far as its *plan* says."""
        # A container that is lost between these two steps is told again: the session is rebuilt
        # from the status when the AM registers with the next process.
        if not await self._record(key, view, plan):
            return
        if _an_am_listens(view, plan.termination):
            self._tell(session, view, plan)
        await self._update_containers(key, view, plan, session)
        # Containers that an AM asked for wait for its launch call.
        if plan.termination is None and view.role != names.ROLE_ASK:
            await self._containers.launch_granted(key, application, record, view, plan.unlaunched)
        # What was taken back before it was bound: its end has to stand in the status first,
        # because its grant does not say any more that it ever was.
        ended = set(plan.terminated)
        await self._pods.delete_all([pod for pod in plan.delete if pod.container not in ended])

    async def _record(self, key: Key, view: RequestView, plan: RequestPlan) -> bool:
        """Write the exits and what the ended containers used, in one patch; false: not yet."""
        plan.status |= usage.after(
            view, plan.ended, lambda container: self._exits.held_s(key, container)
        )
        if not plan.status:
            return True
        if not plan.ended:
            await self._requests.patch_status(key, view.name, plan.status)
        elif not await self._requests.count(key, view.name, plan.status, view.version):
            return False
        for ended in plan.ended:
            self._exits.recorded(key, ended.id)
        return True

    def _tell(self, session: AMSession, view: RequestView, plan: RequestPlan) -> None:
        """What the AM is to hear of the request; the session tells each thing once."""
        if view.attempt == session.attempt.number:
            refused = view.condition("Accepted")
            if refused is not None and refused.status is ConditionStatus.FALSE:
                session.rejected(RejectedAsk(view.key, refused.reason, refused.message))
            # Former attempts' containers came with the registration; these are new.
            for container in view.grants:
                session.granted(view.granted_container(container))
        for container in view.updated:
            if container in view.grants and container not in view.completed:
                session.updated(view.granted_container(container))
        for ended in (*view.completed.values(), *plan.ended):
            session.completed(ended)

    def _expire_unlaunched(self, key: Key, view: RequestView, plan: RequestPlan) -> None:
        """Give back what the AM did not launch in time; the next look records and tells it."""
        for container in self._expirer.expired((key[0], view.name), plan.unlaunched):
            self._exits.note_unless_known(key, container, allocation_expiry.EXPIRED)

    # Container updates (Hadoop: ContainerUpdateContext).

    async def _update_containers(
        self, key: Key, view: RequestView, plan: RequestPlan, session: AMSession
    ) -> None:
        """Make the plan's updates; withdraw refused ones from the spec and tell the AM."""
        done: list[ContainerChange] = []
        refused = dict(plan.refused)
        for change in plan.changes:
            why = await self._change_pod(view, change)
            if why:
                refused[change.container] = why
            else:
                done.append(change)
        for container, why in refused.items():
            # Or the next look would write the same update into the spec again.
            session.updates.pop(container, None)
            version = view.version_of(container)
            error = UpdateContainerError(str(container), UPDATE_REFUSED, version, why)
            session.update_failed(error)
        if refused:
            await self._requests.withdraw_updates(key, view, refused.keys())
        if done:
            status = {"updated": request_plan.updated_status(view, done)}
            await self._requests.patch_status(key, view.name, status)

    async def _change_pod(self, view: RequestView, change: ContainerChange) -> str:
        """Change a container's pod, if it has one; returns why it cannot be, else ""."""
        if change.pod is None:
            return ""
        try:
            if change.size != view.size_of(change.container):
                await self._pods.resize(change.pod, change.size)
            if change.opportunistic != view.runs_opportunistic(change.container):
                await self._pods.label(change.pod, opportunistic=change.opportunistic)
        except Refused as error:
            return str(error)
        return ""


def _an_am_listens(view: RequestView, termination: TerminationReason | None) -> bool:
    """Whether an ApplicationMaster is to hear of a request's containers."""
    return view.role == names.ROLE_ASK and (termination is None or termination.spares_running)
