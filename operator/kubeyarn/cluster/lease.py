"""Leadership by a coordination.k8s.io Lease, with the number of takings as a fencing epoch.

The official client's elector keeps no `leaseTransitions`, which we need: it is the epoch that
makes container ids of two leaders in a row differ (Hadoop: the ResourceManager's epoch).
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

from kubeyarn.cluster.client import KubeClient, Object
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound
from kubeyarn.cluster.resources import LEASES
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)


class Lease:
    """One candidate's view of a Lease.

    `acquire` waits until it is ours and answers the epoch; `hold` renews and returns when it is
    lost. A lease is ours only until *duration_s* after the last renewal that was answered. A new
    process of the same *identity* (a restarted container of the same pod) need not wait.
    """

    def __init__(
        self, client: KubeClient, namespace: str, name: str, identity: str, duration_s: int = 10
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._duration_s = duration_s
        self._seen: tuple[str, str] | None = None
        self._seen_at = 0.0
        self._renewed_at = float("-inf")

    @property
    def held(self) -> bool:
        """Whether nobody else can have it now."""
        return self._left_s() > 0

    def _left_s(self) -> float:
        return self._renewed_at + self._duration_s - time.monotonic()

    async def acquire(self) -> int:
        """Wait for the lease; returns its epoch: how often it changed hands, counted from 0."""
        while True:
            try:
                taken = await self._try()
                if taken is not None:
                    return taken
            except (ApiError, Unavailable) as error:
                _log.warning("lease %s: %s", self._name, error)
            await asyncio.sleep(self._duration_s / 10)

    async def hold(self) -> None:
        """Renew until the lease is lost."""
        while self.held:
            await asyncio.sleep(self._duration_s / 5)
            try:
                # An answer that comes when the lease has run out is of no use.
                async with asyncio.timeout(max(0.0, self._left_s())):
                    await self._renew()
            except TimeoutError:
                _log.warning("lease %s: not renewed in time", self._name)
            except Conflict:
                _log.warning("lease %s: changed under us", self._name)
            except (ApiError, Unavailable) as error:
                _log.warning("lease %s: %s", self._name, error)

    async def release(self) -> None:
        """Give the lease back, so that the next candidate need not wait for it to run out."""
        if not self.held:
            return
        self._renewed_at = float("-inf")
        try:
            await self._give_up()
        except (ApiError, Unavailable) as error:
            _log.warning("lease %s: not released, it runs out: %s", self._name, error)

    async def _give_up(self) -> None:
        lease = await self._client.get(LEASES, self._name, self._namespace)
        if lease["spec"].get("holderIdentity") == self._identity:
            lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
            await self._client.replace(LEASES, self._name, lease, self._namespace)

    async def _try(self) -> int | None:
        started = time.monotonic()
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
        except NotFound:
            await self._client.create(LEASES, self._fresh(), self._namespace, attempts=1)
            self._renewed_at = started
            return 0
        if not self._free(lease):
            return None
        epoch = int(lease["spec"].get("leaseTransitions") or 0) + 1
        lease["spec"] = self._spec() | {"acquireTime": _now(), "leaseTransitions": epoch}
        try:
            await self._client.replace(LEASES, self._name, lease, self._namespace)
        except Conflict:
            return None
        self._renewed_at = started
        return epoch

    def _free(self, lease: Object) -> bool:
        """Whether its holder gave it up or did not renew it for as long as we have watched."""
        spec = lease["spec"]
        if spec.get("holderIdentity") in (None, "", self._identity):
            return True
        seen = (str(spec.get("holderIdentity")), str(spec.get("renewTime")))
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        return now - self._seen_at > int(spec.get("leaseDurationSeconds") or self._duration_s)

    async def _renew(self) -> None:
        started = time.monotonic()
        lease = await self._client.get(LEASES, self._name, self._namespace)
        if lease["spec"].get("holderIdentity") != self._identity:
            self._renewed_at = float("-inf")
            return
        lease["spec"]["renewTime"] = _now()
        await self._client.replace(LEASES, self._name, lease, self._namespace)
        self._renewed_at = started

    def _fresh(self) -> Object:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._spec() | {"acquireTime": _now(), "leaseTransitions": 0},
        }

    def _spec(self) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._duration_s,
            "renewTime": _now(),
        }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
