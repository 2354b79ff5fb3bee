"""Leadership by a coordination.k8s.io Lease, with the number of takings as a fencing epoch.

Theory of operation. Two clocks are never compared. The holder counts its time from when it asked
for the last renewal that was answered, so its end comes no later than anybody else expects it. A
candidate counts from when it first saw the Lease as it is, and takes it only when it has watched it
unchanged for the whole duration. So the holder stops writing before another can begin.

Every taking raises `leaseTransitions`, which is the epoch of the new leader (Hadoop: the
ResourceManager's epoch): container ids of two leaders in a row differ, and what a former one still
has on the way is refused. The API server's own check of the resource version lets only one of two
candidates take it.

A holder that could not renew in time has not lost the Lease as long as nobody took it: it pauses,
and when a renewal comes through it goes on with the same epoch, because nobody decided meanwhile.
Elsewhere electors give up then; here that would cost a new process, its lists and all its sessions
for every pause of the API server that is longer than the Lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound
from kubeyarn.cluster.resources import LEASES
from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)

NEVER = -1
"""The highest epoch where nobody has ever led."""

HighestEpoch = Callable[[], Awaitable[int]]


async def _never() -> int:
    return NEVER


async def _nothing() -> None:
    return


class Lease:
    """One candidate's view of a Lease.

    `acquire` waits until it is ours and answers the epoch; `hold` renews and returns when another
    has taken it. A lease is ours only until *duration_s* after the last renewal that was answered;
    when one comes too late, and nobody has taken it meanwhile, it is ours again. A new process of
    the same *identity* (a restarted container of the same pod) need not wait.

    *highest_epoch* tells which epochs were used when there is no Lease, because it was deleted: the
    next one begins above them, and only after a leader that knows nothing of it must have noticed.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        identity: str,
        duration_s: int = 10,
        highest_epoch: HighestEpoch = _never,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._duration_s = duration_s
        self._highest_epoch = highest_epoch
        self._epoch = NEVER
        self._missing_since: float | None = None
        self._seen: tuple[str, str] | None = None
        self._seen_at = 0.0
        self._renewed_at = float("-inf")

    @property
    def held(self) -> bool:
        """Whether nobody else can have it now."""
        return self.left_s() > 0

    def left_s(self) -> float:
        """For how long nobody else can have it yet; negative when somebody can."""
        return self._renewed_at + self._duration_s - time.monotonic()

    async def acquire(self, on_taken: Callable[[], Awaitable[None]] = _nothing) -> int:
        """Wait for the lease; returns its epoch: how often it changed hands, counted from 0.

        *on_taken* is called, until it has come through once, when another has the lease.
        """
        told = False
        while True:
            try:
                # An API server that does not answer must not keep us from one that does again.
                async with asyncio.timeout(self._duration_s / 2):
                    taken = await self._try()
                if taken is not None:
                    self._epoch = taken
                    return taken
                if not told:
                    await on_taken()
                    told = True
            except TimeoutError:
                _log.warning("lease %s: no answer in time", self._name)
            except (ApiError, Unavailable) as error:
                _log.warning("lease %s: %s", self._name, error)
            await asyncio.sleep(self._duration_s / 10)

    async def hold(self) -> None:
        """Renew until another has taken the lease.

        A renewal is due a fifth of the duration after the last one was asked for, not after this
        process got to it: when the machine stood still meanwhile, nothing is written before the
        next renewal, so that comes first.
        """
        mine, due = True, self._renewed_at + self._duration_s / 5
        while mine:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = time.monotonic() + self._duration_s / 5
            held = self.held
            try:
                async with asyncio.timeout(self._duration_s / 2):
                    mine = await self._renew()
            except TimeoutError:
                _log.warning("lease %s: not renewed in time", self._name)
            except Conflict:
                _log.warning("lease %s: changed under us", self._name)
            except (ApiError, Unavailable) as error:
                _log.warning("lease %s: %s", self._name, error)
            if held is not self.held:
                _log.warning("lease %s: %s", self._name, "ran out" if held else "held again")

    async def release(self) -> None:
        """Give the lease back, so that the next candidate need not wait for it to run out."""
        # Another may hold it by now, and giving it up would be a write without the right to.
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
            # The epoch stays in it: the next one counts on from there.
            lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
            await self._client.replace(LEASES, self._name, lease, self._namespace)

    async def _try(self) -> int | None:
        """Take the Lease if it is free; returns the epoch, None while another holds it."""
        # Before the call: the answer may take long, and the Lease runs from when it was written.
        started = time.monotonic()
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
        except NotFound:
            return await self._make()
        self._missing_since = None
        if not self._free(lease):
            return None
        epoch = int(lease["spec"].get("leaseTransitions") or 0) + 1
        lease["spec"] = self._spec() | {"acquireTime": _now(), "leaseTransitions": epoch}
        try:
            # With the resourceVersion that was read, so of two that try only one gets it.
            await self._client.replace(LEASES, self._name, lease, self._namespace)
        except Conflict:
            return None
        self._renewed_at = started
        return epoch

    async def _make(self) -> int | None:
        """Make the Lease; one that was deleted is made when its last holder must have noticed."""
        started = time.monotonic()
        highest = await self._highest_epoch()
        if self._missing_since is None:
            self._missing_since = started
        if highest > NEVER and started - self._missing_since < self._duration_s:
            return None
        await self._client.create(LEASES, self._fresh(highest + 1), self._namespace, attempts=1)
        self._renewed_at = started
        return highest + 1

    def _free(self, lease: Object) -> bool:
        """Whether its holder gave it up, or we have watched it not being renewed long enough."""
        spec = lease["spec"]
        # Our own name: a process of this pod before us, which has ended, or we would not run.
        if spec.get("holderIdentity") in (None, "", self._identity):
            return True
        # By our own clock, from when we saw it change: the times in the Lease are of other clocks.
        seen = (str(spec.get("holderIdentity")), str(spec.get("renewTime")))
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        return now - self._seen_at > int(spec.get("leaseDurationSeconds") or self._duration_s)

    async def _renew(self) -> bool:
        """Whether it is still ours; the answer to a renewal counts from when it was asked."""
        started = time.monotonic()
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
        except NotFound:
            # Somebody deleted it. Whoever else makes it anew begins above our epoch.
            await self._client.create(LEASES, self._fresh(self._epoch), self._namespace, attempts=1)
            self._renewed_at = started
            return True
        spec = lease["spec"]
        ours = spec.get("holderIdentity") == self._identity
        if not ours or int(spec.get("leaseTransitions") or 0) != self._epoch:
            self._renewed_at = float("-inf")
            return False
        lease["spec"]["renewTime"] = _now()
        await self._client.replace(LEASES, self._name, lease, self._namespace)
        self._renewed_at = started
        return True

    def _fresh(self, epoch: int) -> Object:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._spec() | {"acquireTime": _now(), "leaseTransitions": epoch},
        }

    def _spec(self) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._duration_s,
            "renewTime": _now(),
        }


def _now() -> str:
    return times.micro_timestamp(datetime.now(UTC))
