"""The nodes of a scenario: who heartbeats, who leaves, who is ill, and who holds too much.

What Hadoop's ResourceManager does of that, and not its scheduler, is done here: a node that is told
to leave keeps the size of what is used on it, an ill node is out of the scheduler, and an
over-committed one names the containers that are to be killed when its time is up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.model.errors import IllegalEvent, SpecError
from kubeyarn.model.resources import add, fits, subtract

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ContainerId
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.api import SteppedScheduler

NO_TIMEOUT = -1
"""An over-commit timeout after which nobody is killed, however late (Hadoop: ResourceOption)."""


class SimulatedNodes:
    """Nodes in the order in which they heartbeat.

    A node that leaves has its size of before in *_leaving*; one that is ill is in *_unhealthy*, and
    keeps its place in the order. *_kill_at_ms* is when containers of an over-committed node are
    killed, *_granted* the order in which containers were.
    """

    def __init__(self, scheduler: SteppedScheduler) -> None:
        self._scheduler = scheduler
        self._nodes: dict[str, Node] = {}
        self._leaving: dict[str, Vector] = {}
        self._unhealthy: set[str] = set()
        self._kill_at_ms: dict[str, int] = {}
        self._granted: dict[ContainerId, int] = {}

    def __iter__(self) -> Iterator[str]:
        """The names of those that heartbeat."""
        return iter([name for name in self._nodes if name not in self._unhealthy])

    def __len__(self) -> int:
        return len(self._nodes) - len(self._unhealthy)

    def node(self, name: str) -> Node:
        """A node that heartbeats.

        Raises:
            IllegalEvent: there is none of that name.
        """
        if name not in self._nodes or name in self._unhealthy:
            raise IllegalEvent(f"node {name!r} does not exist or is unhealthy")
        return self._nodes[name]

    def rack_of(self, name: str) -> str | None:
        """The rack of a node; None: there is no such node."""
        node = self._nodes.get(name)
        return None if node is None else node.rack

    def is_leaving(self, name: str) -> bool:
        """Whether the node was told to leave."""
        return name in self._leaving

    # -- coming and going ------------------------------------------------------------------------

    def add(self, node: Node) -> None:
        """A node registers, last in order."""
        if node.name in self._nodes:
            raise SpecError(f"node {node.name!r} exists already; give it another name")
        self._nodes[node.name] = node
        self._scheduler.add_node(node)

    def remove(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers."""
        if name not in self._nodes:
            raise SpecError(f"node {name!r} does not exist")
        del self._nodes[name]
        # A node of that name that comes later is another one, with nothing planned for it.
        self._leaving.pop(name, None)
        self._kill_at_ms.pop(name, None)
        self._unhealthy.discard(name)
        return self._scheduler.remove_node(name)

    def fall_ill(self, name: str) -> Sequence[Container]:
        """A node is out of the scheduler; returns its containers."""
        self.node(name)
        self._unhealthy.add(name)
        self._kill_at_ms.pop(name, None)
        return self._scheduler.remove_node(name)

    def recover(self, name: str) -> None:
        """An ill node is back, empty."""
        if name not in self._unhealthy:
            raise IllegalEvent(f"node {name!r} is not unhealthy")
        self._unhealthy.remove(name)
        self._scheduler.add_node(self._nodes[name])

    def leave(self, name: str) -> None:
        """A node is told to leave; nothing happens before its next heartbeat."""
        node = self.node(name)
        if name in self._leaving:
            raise IllegalEvent(f"node {name!r} leaves already")
        # Its size shrinks heartbeat by heartbeat; this one is given back if it stays.
        self._leaving[name] = node.total

    def stay(self, name: str) -> None:
        """A leaving node is running again, with its size of before."""
        if name not in self._leaving:
            raise IllegalEvent(f"node {name!r} is not leaving")
        self.resize(name, self._leaving.pop(name), NO_TIMEOUT, 0)

    # -- sizes -----------------------------------------------------------------------------------

    def resize(self, name: str, total: Vector, timeout_seconds: int, now_ms: int) -> None:
        """The node has another size from now on; see `to_kill` for what is over it."""
        node = self.node(name)
        self._kill_at_ms.pop(name, None)
        if timeout_seconds >= 0:
            self._kill_at_ms[name] = now_ms + timeout_seconds * 1000
        if total != node.total:
            self._nodes[name] = replace(node, total=total)
            self._scheduler.update_node(self._nodes[name])

    def granted(self, container: ContainerId) -> None:
        """A container was granted just now."""
        self._granted[container] = len(self._granted)

    def held(self, name: str) -> list[Container]:
        """The containers on a node."""
        return [one for one in self._scheduler.containers() if one.node == name]

    def used(self, name: str) -> Vector:
        """What the containers on a node hold."""
        # Zero, with as many resources as the node has.
        total = subtract(self._nodes[name].total, self._nodes[name].total)
        for one in self.held(name):
            total = add(total, one.size)
        return total

    def to_kill(self, name: str, now_ms: int) -> list[Container]:
        """What is killed on an over-committed node whose time is up: the newest first, AMs last.

        Hadoop: AbstractYarnScheduler.signalContainersIfOvercommitted, getContainersToKill.
        """
        at = self._kill_at_ms.get(name)
        if at is None or now_ms < at:
            return []
        total, used = self._nodes[name].total, self.used(name)
        killed: list[Container] = []
        for one in sorted(self.held(name), key=lambda c: (c.am, -self._granted.get(c.id, 0))):
            if fits(used, total):
                break
            killed.append(one)
            used = subtract(used, one.size)
        return killed
