"""An application of a scenario, and the requests that its ApplicationMaster sends.

Hadoop's AM client sends a request as rows: one for each node and rack, and one for any. The
scheduler derives the racks of nodes by itself, so a `Locality` has only the rows of nodes and those
of racks that are named. A row that is sent with count 0 stays a place that is waited for; so the
rows that were emptied are remembered here and sent along each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.errors import SpecError
from kubeyarn.simulate.scenario import DEFAULT_RACK, flag, mapping, names, shown, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.simulate.scheduler import OutstandingRows


ENDED = ("finished", "killed", "failed", "rejected")
"""States in which an application holds and asks for nothing."""


@dataclass(slots=True)
class EmptiedRows:
    """Places of one key whose rows were sent with count 0."""

    nodes: set[str] = field(default_factory=set)
    racks: set[str] = field(default_factory=set)

    def empty(self, nodes: Mapping[str, int], racks: Mapping[str, int]) -> None:
        """Rows with outstanding counts are sent with 0."""
        self.nodes |= {name for name, count in nodes.items() if count > 0}
        self.racks |= {name for name, count in racks.items() if count > 0}

    def fill(self, nodes: AbstractSet[str], racks: AbstractSet[str | None]) -> None:
        """These rows are sent with counts."""
        self.nodes -= nodes
        self.racks -= racks


@dataclass(slots=True)
class SimulatedApp:
    """An application of the scenario, as its user sees it.

    *kept* are requests that wait for the AM to register, *sent* the last one of each key.
    *expires_ms* is when its lifetime is over; None: never.
    """

    name: str
    id: ApplicationId
    state: str = "accepted"
    message: str = ""
    attempt: int = 1
    submitted_ms: int = 0
    expires_ms: int | None = None
    running: bool = False
    master: ContainerId | None = None
    blacklist: frozenset[str] = frozenset()
    kept: dict[AskKey, Ask] = field(default_factory=dict)
    sent: dict[AskKey, Ask] = field(default_factory=dict)
    emptied: dict[AskKey, EmptiedRows] = field(default_factory=dict)

    def reject(self, message: str) -> None:
        """The scheduler does not take it."""
        self.state, self.message = "rejected", message

    def start_master(self, container: ContainerId) -> None:
        """Its AM was granted its container, and runs."""
        self.running, self.master = True, container

    def register(self) -> list[Ask]:
        """The AM registers; returns the requests that were kept for it."""
        kept, self.kept = list(self.kept.values()), {}
        self.state = "running"
        return kept

    def end(self, state: str) -> None:
        """It has ended, in one of `ENDED`."""
        self.state, self.running = state, False

    def expire_at(self, ms: int) -> None:
        """Its lifetime is over then."""
        self.expires_ms = ms

    def keep(self, ask: Ask) -> None:
        """Keep a request until the AM registers, in place of one with the same key."""
        self.kept[ask.key] = ask

    def drop_kept(self, priority: int) -> None:
        """Keep no request of a priority."""
        self.kept = {key: ask for key, ask in self.kept.items() if key.priority != priority}

    def exclude(self, added: Iterable[str], removed: Iterable[str]) -> frozenset[str]:
        """Change the blacklist; returns it. What is added and removed at once is not on it."""
        self.blacklist = (self.blacklist | set(added)) - set(removed)
        return self.blacklist

    def begin_attempt(self) -> None:
        """Another attempt begins, whose AM has asked for nothing yet."""
        self.running, self.master = False, None
        self.state = "accepted"
        self.attempt += 1
        # Hadoop hands it on to the next attempt only where containers are kept across attempts.
        self.blacklist = frozenset()
        self.kept.clear()
        self.sent.clear()
        self.emptied.clear()

    def to_send(
        self, ask: Ask, outstanding: OutstandingRows | None, rack_of: Callable[[str], str | None]
    ) -> Ask:
        """*ask* with the rows that it empties."""
        place = ask.locality
        # An AM client sends a row of count 0 for each place that it named before and does not name
        # now; a place that is not sent keeps its row in the scheduler.
        emptied = self.emptied.get(ask.key)
        if outstanding is not None and (outstanding.nodes or outstanding.racks):
            emptied = self.emptied.setdefault(ask.key, EmptiedRows())
            emptied.empty(outstanding.nodes, outstanding.racks)
        nodes, racks = place.nodes, place.racks
        if emptied is not None:
            of_nodes = {rack_of(name) for name, _ in nodes}
            emptied.fill({name for name, _ in nodes}, {name for name, _ in racks} | of_nodes)
            nodes += tuple((name, 0) for name in sorted(emptied.nodes))
            racks += tuple((name, 0) for name in sorted(emptied.racks))
        self.sent[ask.key] = ask
        return replace(ask, locality=Locality(nodes, racks, place.relax))

    def ask_again(self, lost: Container, outstanding: OutstandingRows | None) -> Ask | None:
        """The request for one container more, where *lost* was asked for; None: it was not."""
        # What was asked for last is the only request whose places are known.
        sent = self.sent.get(lost.key)
        if sent is None:
            return None
        rows = outstanding
        nodes = dict(rows.nodes) if rows else {}
        if lost.node in dict(sent.locality.nodes):
            nodes[lost.node] = nodes.get(lost.node, 0) + 1
        named = dict(sent.locality.racks)
        left = dict(rows.racks) if rows else {}
        racks = tuple((name, left.get(name, 0)) for name in named)
        place = Locality(tuple(nodes.items()), racks, sent.locality.relax)
        return replace(sent, count=(rows.count if rows else 0) + 1, locality=place)


def read_places(
    arguments: Mapping[str, object], count: int, rack_of: Callable[[str], str | None]
) -> Locality:
    """`nodes`, `racks` and `relax` of a request for *count* containers.

    In a map each place has a count of its own, and a rack's row counts those of its nodes, too.

    Raises:
        SpecError: they are neither lists nor maps of counts.
    """
    relax = flag(arguments, "relax", default=True)
    nodes = _counts(arguments, "nodes", count)
    racks = _counts(arguments, "racks", count)
    in_racks: dict[str, int] = {}
    for name, wanted in nodes.items():
        rack = rack_of(name)
        if rack is not None:
            in_racks[rack] = in_racks.get(rack, 0) + wanted
        elif relax and DEFAULT_RACK not in racks:
            # The AM client knows no rack of it but the default one.
            racks[DEFAULT_RACK] = wanted
    if isinstance(arguments.get("nodes"), dict) or isinstance(arguments.get("racks"), dict):
        racks = {name: wanted + in_racks.get(name, 0) for name, wanted in racks.items()}
    return Locality(tuple(nodes.items()), tuple(racks.items()), relax)


def _counts(arguments: Mapping[str, object], name: str, count: int) -> dict[str, int]:
    counts = arguments.get(name)
    if isinstance(counts, dict):
        places = mapping(counts, name)
        return {place: whole(places, place, least=0) for place in places}
    if counts is not None and not isinstance(counts, list):
        raise SpecError(
            f"{name}: found {shown(counts)}, expected a list of names or a map of counts"
        )
    return dict.fromkeys(names(arguments, name), count)
