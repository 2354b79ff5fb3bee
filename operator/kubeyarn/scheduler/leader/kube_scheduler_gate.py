"""Whether the kube-scheduler of this pod works: only where the scheduler beside it leads.

Each pod's kube-scheduler elects itself by a Lease of its own pod, which nobody else wants. While
the scheduler beside it stands by, it keeps that Lease; when it leads, it lets go. So a
kube-scheduler is warm and waits, and which one works follows one election.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound
from kubeyarn.cluster.resources import LEASES
from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)


KEEPER = "kubeyarn-scheduler-stands-by"
COMPONENT = "kube-scheduler-gate"
# A Lease that nobody renews is never taken over within this time.
_FOREVER_S = 10 * 365 * 86_400
_LOOK_S = 1.0
# kube-scheduler renews every second.
_SILENT_S = 4.0


@dataclass(frozen=True, slots=True)
class KubeSchedulerGate:
    """The Lease *name* of one pod's kube-scheduler; *pod* and *uid* are who it goes with."""

    namespace: str
    name: str
    pod: str = ""
    uid: str = ""

    async def shut(self, client: KubeClient) -> None:
        """Have this pod's kube-scheduler wait; one that works stops at its next renewal."""
        try:
            lease = await client.get(LEASES, self.name, self.namespace)
        except NotFound:
            await client.create(LEASES, self._fresh(), self.namespace)
            return
        if lease["spec"].get("holderIdentity") != KEEPER:
            lease["spec"] |= _kept()
            await client.replace(LEASES, self.name, lease, self.namespace)

    async def keep_open(self, client: KubeClient) -> None:
        """While this process leads: let this pod's kube-scheduler work, and no other pod's.

        One that was killed left the Lease to nobody; its successor need not wait for the end of it.
        """
        seen, since = "", time.monotonic()
        shut_others = False
        while True:
            try:
                holder = await self._open(client, silent=time.monotonic() - since > _SILENT_S)
                if holder != seen:
                    seen, since = holder, time.monotonic()
                if not shut_others:
                    await self._shut_others(client)
                    shut_others = True
            except (ApiError, Unavailable) as error:
                _log.warning("lease %s: %s", self.name, error)
            await asyncio.sleep(_LOOK_S)

    async def _open(self, client: KubeClient, *, silent: bool) -> str:
        """Let go of the Lease if it is kept, or its holder silent; returns what it says."""
        try:
            lease = await client.get(LEASES, self.name, self.namespace)
        except NotFound:
            return ""
        spec = lease["spec"]
        if spec.get("holderIdentity") == KEEPER or (silent and spec.get("holderIdentity")):
            spec |= {"holderIdentity": "", "leaseDurationSeconds": 1}
            await client.replace(LEASES, self.name, lease, self.namespace)
        return f"{spec.get('holderIdentity')} {spec.get('renewTime')}"

    async def _shut_others(self, client: KubeClient) -> None:
        """The pod that led before may live on, and not know it yet."""
        chosen = {"labelSelector": f"app.kubernetes.io/component={COMPONENT}"}
        for lease in await client.list_all(LEASES, self.namespace, **chosen):
            name, holder = lease["metadata"]["name"], lease["spec"].get("holderIdentity")
            if name == self.name or holder == KEEPER:
                continue
            lease["spec"] |= _kept()
            try:
                await client.replace(LEASES, name, lease, self.namespace)
            except (NotFound, Conflict):
                await KubeSchedulerGate(self.namespace, name).shut(client)

    def _fresh(self) -> Object:
        metadata: Object = {
            "name": self.name,
            "namespace": self.namespace,
            "labels": {
                "app.kubernetes.io/part-of": "kubeyarn",
                "app.kubernetes.io/component": COMPONENT,
            },
        }
        if self.pod and self.uid:
            owner = {"apiVersion": "v1", "kind": "Pod", "name": self.pod, "uid": self.uid}
            metadata["ownerReferences"] = [owner]
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": metadata,
            "spec": _kept(),
        }


def _kept() -> Object:
    now = times.micro_timestamp(datetime.now(UTC))
    return {
        "holderIdentity": KEEPER,
        "leaseDurationSeconds": _FOREVER_S,
        "acquireTime": now,
        "renewTime": now,
    }
