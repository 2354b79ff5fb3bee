"""Launches and stops containers (Hadoop: ContainerManager of a NodeManager).

An ApplicationMaster's calls and the reconciliation of requests that say how their containers are
launched both come here. Each call can be made again: what is there already stays as it is.

A container is started once. Its pod is asked for only while nothing tells that it has ended or that
it ever had one, which is looked up right before each time, one at a time; a process that begins
anew knows it from the request's status, where an end is recorded before its pod is deleted.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from kubeyarn.cluster import names
from kubeyarn.cluster.errors import NotLeading, Refused
from kubeyarn.crd.object import Key, Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import SpecError, Unavailable
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import application_spec
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.name_taken import NAME_TAKEN, NameTaken
from kubeyarn.resourcemanager.pods import pod_builder, pod_state
from kubeyarn.resourcemanager.pods.pod_builder import (
    ClusterDefaults,
    ContainerLaunchContext,
    ContainerPlacement,
)
from kubeyarn.resourcemanager.pods.pod_control import PodControl, PodGone, PodTooLarge
from kubeyarn.resourcemanager.requests import request_plan, request_view
from kubeyarn.resourcemanager.requests.container_exits import ContainerExits
from kubeyarn.resourcemanager.requests.request_view import RECONCILED, RequestView
from kubeyarn.resourcemanager.requests.termination import BY_APPLICATION_MASTER

_log = logging.getLogger(__name__)

LAUNCH_REFUSED = "LaunchRefused"

# Between two tries of making a pod, as the client has them between two of a call.
_PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.6)


class ContainerManager:
    """Makes the pods of granted containers, and ends containers on behalf of their AMs.

    *defaults* is what the cluster gives to containers now; *look* has an application reconciled
    again.
    """

    def __init__(
        self,
        cache: Cache,
        pods: PodControl,
        exits: ContainerExits,
        defaults: Callable[[], ClusterDefaults],
        look: Callable[[Key], None],
    ) -> None:
        self._cache = cache
        self._pods = pods
        self._exits = exits
        self._defaults = defaults
        self._look = look
        # By application and request: why its last pod could not be made ("": it could), and of
        # which generation that is said. Requests with which all is well are not listed.
        self._refusals: dict[Key, dict[str, tuple[int, str]]] = {}
        # Containers whose pods are being asked for; set when that is over.
        self._launching: dict[ContainerId, asyncio.Event] = {}
        # By application: containers that may have got a pod, because no answer came.
        self._unanswered: dict[Key, set[ContainerId]] = {}

    async def launch_granted(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        view: RequestView,
        containers: Iterable[ContainerId],
    ) -> None:
        """Make the pods of a request that says how its containers are launched."""
        is_the_am = view.role == names.ROLE_AM
        launch = application.spec.application_master if is_the_am else view.container
        if launch is None:
            return
        context = ContainerLaunchContext.of(launch)
        if not context.image and not is_the_am:
            context = replace(context, image=application_spec.am_image(application))
        await asyncio.gather(
            *(
                self.launch(key, application, record, view, container, context)
                for container in containers
            )
        )

    async def launch(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        view: RequestView,
        container: ContainerId,
        context: ContainerLaunchContext,
    ) -> str | None:
        """Make the pod of a granted container, unless it is there; returns the pod's name.

        None if the container has ended. A pod that can never be made ends its container with
        INVALID and the reason: tried again it would be refused again.
        """
        while container in self._launching:
            await self._launching[container].wait()
        done = self._launching[container] = asyncio.Event()
        try:
            for pause_s in _PAUSES_S:
                with suppress(Unavailable):
                    return await self._launch(key, application, record, view, container, context)
                # Spread out, so that all who lost the API server do not come back at one moment.
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            return await self._launch(key, application, record, view, container, context)
        finally:
            del self._launching[container]
            done.set()

    async def _launch(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        view: RequestView,
        container: ContainerId,
        context: ContainerLaunchContext,
    ) -> str | None:
        # As of now: its pod may have come and gone since it was asked for before.
        name = names.pod_name(key[1], container)
        if container in self._cache.pods(key):
            return name
        if self._has_ended(key, record, view.name, container):
            return None
        await self._make(key, application, record, view, container, context)
        return name

    def _has_ended(
        self, key: Key, record: ApplicationRecord, request: str, container: ContainerId
    ) -> bool:
        """Whether a container without a pod has ended, as its request says now."""
        found = self._cache.request((key[0], request))
        views, _ = request_view.views([] if found is None else [found], record.id)
        if not views:
            return True
        view = views[0]
        return request_plan.has_ended(view, container, lambda c: self._exits.of(key, c, view))

    async def _make(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        view: RequestView,
        container: ContainerId,
        context: ContainerLaunchContext,
    ) -> None:
        name, unanswered = names.pod_name(key[1], container), self._unanswered.get(key, set())
        try:
            pod = self._make_pod(application, record, _placement(view, container), context)
            new = await self._pods.create(pod)
        except (Refused, SpecError) as error:
            message = f"pod {name} was refused: {error}"
            reason = NAME_TAKEN if isinstance(error, NameTaken) else LAUNCH_REFUSED
            self._pods.tell_refused(application, reason, message)
            self._note_launch(key, view, message)
            ending = ContainerExit(ExitStatus.INVALID, message)
            if isinstance(error, PodTooLarge):
                # It had a pod, whose deletion would tell another end.
                self._exits.stop(container, ending)
                self._look(key)
            else:
                self._exits.note(key, container, ending)
            return
        except NotLeading:
            # Nothing was asked.
            raise
        except PodGone:
            if container not in unanswered:
                # It may have been a former application's, so that the name is free now.
                raise
            self._exits.note_unless_known(key, container, pod_state.TAKEN_AWAY)
            return
        except Unavailable:
            self._unanswered.setdefault(key, set()).add(container)
            raise
        unanswered.discard(container)
        if new:
            self._note_launch(key, view, "")
            self._look(key)

    def _note_launch(self, key: Key, view: RequestView, refused: str) -> None:
        """A pod was made, or *refused* says why not."""
        if refused or self.launch_refused(key, view):
            self._refusals.setdefault(key, {})[view.name] = view.generation, refused

    def launch_refused(self, key: Key, view: RequestView) -> str:
        """Why the last pod of a request could not be made; "" when it could, or it has changed."""
        generation, message = self._refusals.get(key, {}).get(view.name) or (0, "")
        told = view.condition(RECONCILED)
        if not generation and told is not None and told.reason == LAUNCH_REFUSED:
            # As an earlier process found it.
            generation, message = told.observed_generation or 0, told.message
        return message if generation == view.generation else ""

    def forget(self, key: Key) -> None:
        """The application *key* is gone."""
        self._refusals.pop(key, None)
        self._unanswered.pop(key, None)

    async def stop(self, key: Key, container: ContainerId, status: ExitStatus) -> None:
        """End a container on behalf of its AM."""
        pod = self._cache.pods(key).get(container)
        ending = BY_APPLICATION_MASTER[status]
        if pod is None:
            # Nothing will report its end, so it has ended now.
            self._exits.note(key, container, ending)
        elif pod.ending is None:
            self._exits.stop(container, ending)
            await self._pods.delete(pod)

    def _make_pod(
        self,
        application: YarnApplication,
        record: ApplicationRecord,
        placement: ContainerPlacement,
        context: ContainerLaunchContext,
    ) -> Object:
        """The pod of a container.

        Raises:
            SpecError: it cannot be made of what its user wrote.
        """
        defaults = self._defaults()
        retry = application_spec.retry_rule(application, defaults.most_attempts)
        owner = pod_builder.owner_of(application, record, retry.max_attempts)
        am = application.spec.application_master
        executor = context.executor or (am.executor if am is not None else None) or ""
        try:
            context = replace(context, executor=executor)
            return pod_builder.make_pod(owner, placement, context, defaults)
        except SpecError:
            raise
        except Exception as error:
            # A template is another API's, and may be wrong in a way that nobody has thought of.
            _log.warning("%s/%s: a template", owner.namespace, owner.name, exc_info=True)
            raise SpecError(f"template: {type(error).__name__}: {error}") from error


def _placement(view: RequestView, container: ContainerId) -> ContainerPlacement:
    """A granted container as its pod is made; an AM's containers are tasks to their pods."""
    return ContainerPlacement(
        container,
        view.grants[container],
        view.size_of(container),
        view.name,
        names.ROLE_TASK if view.role == names.ROLE_ASK else view.role,
        opportunistic=view.runs_opportunistic(container),
    )
