"""Making the pods of granted containers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import AlreadyExists, Refused
from kubeyarn.cluster.events import WARNING, EventRecorder
from kubeyarn.cluster.resources import PODS
from kubeyarn.crd.object import Key, Object
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Ending
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.applications import observed_state
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.pods import owning, pod_builder
from kubeyarn.resourcemanager.pods.cluster_defaults import Site
from kubeyarn.resourcemanager.pods.pod_builder import Launch, Placed
from kubeyarn.resourcemanager.requests.endings import Endings
from kubeyarn.resourcemanager.requests.request_view import RequestView
from kubeyarn.resourcemanager.settings import Settings


class Launcher:
    """Makes pods; *look* has an application looked at again, *site* is what this cluster gives."""

    def __init__(
        self,
        client: KubeClient,
        events: EventRecorder,
        settings: Settings,
        cache: Cache,
        endings: Endings,
        site: Callable[[], Site],
        look: Callable[[Key], None],
    ) -> None:
        self._client = client
        self._events = events
        self._settings = settings
        self._cache = cache
        self._endings = endings
        self._site = site
        self._look = look

    async def launch_all(
        self,
        key: Key,
        application: Object,
        record: ApplicationRecord,
        view: RequestView,
        containers: Iterable[ContainerId],
    ) -> None:
        """Make the pods of a request that says how its containers are launched."""
        master = view.role == names.ROLE_AM
        spec = application["spec"].get("applicationMaster") or {} if master else view.container
        if spec is None:
            return
        launch = Launch.of(spec)
        if not launch.image and not master:
            launch = replace(launch, image=owning.am_image(application))
        placed = [owning.placed(view, container, view.role) for container in containers]
        await asyncio.gather(*(self.launch(key, application, record, p, launch) for p in placed))

    async def launch(
        self,
        key: Key,
        application: Object,
        record: ApplicationRecord,
        placed: Placed,
        launch: Launch,
    ) -> str:
        """Make the pod of a granted container, unless it is there; returns the pod's name.

        What the API server refuses for good ends the container with INVALID and the server's words.
        """
        most = observed_state.retry_rule(application, self._settings).max_attempts
        made_for = replace(owning.owner(application, record), max_attempts=most)
        name = names.pod_name(key[1], placed.container)
        master = application["spec"].get("applicationMaster") or {}
        launch = replace(launch, executor=launch.executor or master.get("executor") or "")
        try:
            pod = pod_builder.make_pod(made_for, placed, launch, self._site())
            created = await self._client.create(PODS, pod, key[0])
        except AlreadyExists:
            return name
        except (Refused, SpecError) as error:
            message = f"pod {name} was refused: {error}"
            self._endings.note(placed.container, Ending(ExitStatus.INVALID, message))
            self._events.record(application, WARNING, "LaunchRefused", "Launch", message)
            self._look(key)
            return name
        self._cache.put_pod(created)
        self._look(key)
        return name
