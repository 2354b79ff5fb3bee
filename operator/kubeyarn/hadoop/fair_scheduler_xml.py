"""The allocation file, fair-scheduler.xml (Hadoop: AllocationFileParser).

The file is read in two parts: `queue` elements, parents before children, then the elements beside
them, which are defaults for all queues, limits of users and the placement rules. The first value
that Hadoop refuses is refused with its element's name; elements that Hadoop ignores (unknown ones,
settings of reservations) are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Final, TypeVar

from kubeyarn.hadoop.configurable_resources import read_limit
from kubeyarn.hadoop.elements import read_xml
from kubeyarn.hadoop.properties import (
    parse_boolean,
    parse_float,
    parse_int,
    parse_long,
    read_access,
    trim,
)
from kubeyarn.model.errors import ConfigRefused, Problem, SpecError
from kubeyarn.model.fair_queues import (
    FairClusterConfig,
    FairPolicy,
    FairQueueConfig,
    FairQueueDefaults,
    FairRule,
    FairRuleKind,
    check_fair_rules,
)
from kubeyarn.model.queues import Access, QueueConfig

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_T = TypeVar("_T")
_ROOT: Final = "root"
_QUEUE_TAGS: Final = ("queue", "pool")
_HALF_RANGE: Final = 2**63
_POLICIES: Final = {
    "fair": FairPolicy.FAIR,
    "fifo": FairPolicy.FIFO,
    "drf": FairPolicy.DRF,
}
_POLICY_PACKAGE: Final = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.policies."
_POLICY_CLASSES: Final = {
    f"{_POLICY_PACKAGE}FairSharePolicy": FairPolicy.FAIR,
    f"{_POLICY_PACKAGE}FifoPolicy": FairPolicy.FIFO,
    f"{_POLICY_PACKAGE}DominantResourceFairnessPolicy": FairPolicy.DRF,
}
_POLICY_TAGS: Final = ("defaultQueueSchedulingPolicy", "defaultQueueSchedulingMode")
# Hadoop reads the text of each of these, used or not, and does not start where one has none.
_TEXT_TAGS: Final = (
    "queueMaxResourcesDefault",
    "userMaxAppsDefault",
    "defaultFairSharePreemptionTimeout",
    "fairSharePreemptionTimeout",
    "defaultMinSharePreemptionTimeout",
    "queueMaxAppsDefault",
    "defaultFairSharePreemptionThreshold",
    "queueMaxAMShareDefault",
    "reservation-planner",
    "reservation-agent",
    "reservation-policy",
)
# Nothing here uses these, but an empty one stops Hadoop.
_RESERVATION_TAGS: Final = (
    "aclAdministerReservations",
    "aclListReservations",
    "aclSubmitReservations",
)


@dataclass(frozen=True, slots=True)
class Allocations:
    """An allocation file: its queues (root first), and the settings of the whole cluster."""

    queues: tuple[QueueConfig, ...]
    cluster: FairClusterConfig


def read_allocations(text: str, types: Sequence[str], base: FairClusterConfig) -> Allocations:
    """Read an allocation file.

    Args:
        text: The XML.
        types: The resource types' names, memory and cpu first.
        base: The settings that do not come from the file; they are kept.

    Raises:
        ConfigRefused: the file is no XML, has another root element, or a value cannot be read.
    """
    try:
        root = read_xml(text)
    except SpecError as error:
        raise _refused(_ROOT, "allocations", f"the allocation file: {error}") from error
    if root.tag != "allocations":
        raise _refused(
            _ROOT, root.tag, f"the outermost element is <{root.tag}>, it must be <allocations>"
        )
    # Queues first: of the defaults below, those that root's own element sets are not read.
    queues = _QueueReader(types).read([child for child in root if child.tag in _QUEUE_TAGS])
    of_root = next((queue.fair for queue in queues if queue.path == _ROOT), None)
    cluster = _ClusterReader(root, types, of_root or FairQueueConfig()).read(base)
    return Allocations(queues, cluster)


def _refused(queue: str, field: str, message: str) -> ConfigRefused:
    return ConfigRefused((Problem(queue, field, "InvalidField", message),))


def _text(element: Element) -> str:
    if element.text is None:
        raise SpecError("found nothing, expected a value")
    return trim(element.text)


def _seconds(text: str) -> int:
    """Seconds as milliseconds; beyond 64 bits they wrap around, as Java's long does."""
    return (parse_long(text) * 1000 + _HALF_RANGE) % (2 * _HALF_RANGE) - _HALF_RANGE


def _share_limit(text: str) -> float:
    return min(_number(text), 1.0)


def _threshold(text: str) -> float:
    return max(min(_number(text), 1.0), 0.0)


def _number(text: str) -> float:
    number = parse_float(text)
    if isnan(number):
        raise SpecError(f"found {text!r}, expected a number")
    return number


def _read_policy(text: str) -> FairPolicy:
    """A `schedulingPolicy` by its name (fair, fifo, drf) or by its class in Hadoop."""
    known = _POLICIES.get(text.lower())
    if known is None:
        known = _POLICY_CLASSES.get(text)
    if known is None:
        raise SpecError(f"found {text!r}, expected fair, fifo or drf")
    return known


def _read_default_policy(text: str) -> FairPolicy:
    """A `defaultQueueSchedulingPolicy`; Hadoop refuses fifo by name, and takes it by class."""
    if text.lower() == "fifo":
        raise SpecError("it is fifo, which only leaf queues can have; use fair or drf")
    return _read_policy(text)


class _ClusterReader:
    """Reads the elements beside the queues.

    A default that root's own element sets as well is not read: root's value goes to all queues.
    """

    def __init__(self, root: Element, types: Sequence[str], root_queue: FairQueueConfig) -> None:
        self._types = types
        self._root_queue = root_queue
        self._policies = [child for child in root if child.tag in _POLICY_TAGS]
        self._users = [child for child in root if child.tag == "user"]
        self._rules = [child for child in root if child.tag == "queuePlacementPolicy"]
        self._texts = {
            child.tag: _with_name(_ROOT, child, _text) for child in root if child.tag in _TEXT_TAGS
        }

    def read(self, base: FairClusterConfig) -> FairClusterConfig:
        return replace(
            base,
            defaults=self._defaults(),
            user_maximum_default=self._value(
                "userMaxAppsDefault", parse_int, FairClusterConfig().user_maximum_default
            ),
            user_maximum=self._user_maxima(),
            rules=self._placement(base.rules),
        )

    def _value(self, tag: str, reader: Callable[[str], _T], default: _T) -> _T:
        text = self._texts.get(tag)
        if text is None:
            return default
        try:
            return reader(text)
        except SpecError as error:
            raise _refused(_ROOT, tag, f"{tag}: {error}") from error

    def _defaults(self) -> FairQueueDefaults:
        none = FairQueueDefaults()
        return FairQueueDefaults(
            policy=self._policy(),
            maximum=self._value(
                "queueMaxResourcesDefault",
                lambda text: read_limit(text, self._types),
                none.maximum,
            ),
            maximum_running_applications=self._value(
                "queueMaxAppsDefault", parse_int, none.maximum_running_applications
            ),
            maximum_am_share=self._value(
                "queueMaxAMShareDefault", _share_limit, none.maximum_am_share
            ),
            min_share_preemption_timeout_ms=self._min_share_timeout(none),
            fair_share_preemption_timeout_ms=self._fair_share_timeout(none),
            fair_share_preemption_threshold=self._fair_share_threshold(none),
        )

    def _min_share_timeout(self, none: FairQueueDefaults) -> int:
        default = none.min_share_preemption_timeout_ms
        if self._root_queue.min_share_preemption_timeout_ms is not None:
            return default
        return self._value("defaultMinSharePreemptionTimeout", _seconds, default)

    def _fair_share_timeout(self, none: FairQueueDefaults) -> int:
        default = none.fair_share_preemption_timeout_ms
        if self._root_queue.fair_share_preemption_timeout_ms is not None:
            return default
        tag = "defaultFairSharePreemptionTimeout"
        legacy = "fairSharePreemptionTimeout"
        return self._value(tag if tag in self._texts else legacy, _seconds, default)

    def _fair_share_threshold(self, none: FairQueueDefaults) -> float:
        default = none.fair_share_preemption_threshold
        if self._root_queue.fair_share_preemption_threshold is not None:
            return default
        return self._value("defaultFairSharePreemptionThreshold", _threshold, default)

    def _policy(self) -> FairPolicy:
        """The last default policy in the file, by whichever of the two names."""
        policy = FairPolicy.FAIR
        for element in self._policies:
            policy = _with_name(_ROOT, element, lambda child: _read_default_policy(_text(child)))
        return policy

    def _user_maxima(self) -> tuple[tuple[str, int], ...]:
        maxima: dict[str, int] = {}
        for user in self._users:
            for field in user:
                if field.tag == "maxRunningApps":
                    name = user.get("name", "")
                    try:
                        maxima[name] = parse_int(_text(field))
                    except SpecError as error:
                        message = f"maxRunningApps of user {name!r}: {error}"
                        raise _refused(_ROOT, "user", message) from error
        return tuple(maxima.items())

    def _placement(self, before: tuple[FairRule, ...]) -> tuple[FairRule, ...]:
        """The rules of the last `queuePlacementPolicy`; one without rules keeps those of before."""
        if not self._rules:
            return ()
        try:
            # Of several the last one counts, as each overwrites the one before in Hadoop's parser.
            rules = _read_rules(self._rules[-1])
            check_fair_rules(rules)
        except SpecError as error:
            message = f"queuePlacementPolicy: {error}"
            raise _refused(_ROOT, "queuePlacementPolicy", message) from error
        return rules or before


def _with_name(path: str, element: Element, reader: Callable[[Element], _T]) -> _T:
    try:
        return reader(element)
    except SpecError as error:
        raise _refused(path, element.tag, f"{element.tag}: {error}") from error


def _is_rule(element: Element) -> bool:
    return element.tag.lower() == "rule"


def _read_rules(policy: Element) -> tuple[FairRule, ...]:
    if not len(policy) and policy.text is None:
        raise SpecError("it is empty; name rules or leave it out")
    return tuple(_read_nested(child) for child in policy if _is_rule(child))


def _read_nested(element: Element) -> FairRule:
    """A rule with the rule inside it; Hadoop does not read a third level."""
    rule = _read_rule(element)
    inner = [child for child in element if _is_rule(child)]
    return replace(rule, parent=_read_rule(inner[-1])) if inner else rule


def _read_rule(element: Element) -> FairRule:
    name = element.get("name", "")
    try:
        kind = FairRuleKind(name)
    except ValueError:
        known = ", ".join(FairRuleKind)
        raise SpecError(f"found a rule named {name!r}, expected one of {known}") from None
    create = element.get("create", "")
    return FairRule(
        kind=kind,
        create=not create or parse_boolean(create),
        queue=element.get("queue", ""),
    )


class _QueueReader:
    """Reads the `queue` elements, parents before children (Hadoop: AllocationFileQueueParser)."""

    def __init__(self, types: Sequence[str]) -> None:
        self._types = types
        self._queues: dict[str, QueueConfig] = {}

    def read(self, elements: Sequence[Element]) -> tuple[QueueConfig, ...]:
        self._queues[_ROOT] = QueueConfig(path=_ROOT, fair=FairQueueConfig())
        for element in elements:
            if element.get("name", "").lower() == _ROOT:
                self._read_root(element, alone=len(elements) == 1)
            else:
                self._read(_ROOT, element)
        return tuple(self._queues.values())

    def _read_root(self, element: Element, *, alone: bool) -> None:
        if not alone:
            raise _refused(
                _ROOT, "queue", "root is declared, so all other queues must stand inside it"
            )
        if element.get("name") == _ROOT:
            self._read_fields(_ROOT, element)
        else:
            self._read_misspelt_root(element)

    def _read_misspelt_root(self, element: Element) -> None:
        """Hadoop keeps what stands in `ROOT` under that name, and makes the queues below root.

        So the queues exist, but none of their settings is in force.
        """
        read = _QueueReader(self._types)
        read._read_fields(element.get("name", ""), element)
        for path, queue in read._queues.items():
            parent = queue.fair is not None and queue.fair.parent
            below = f"{_ROOT}.{path}"
            self._queues[below] = QueueConfig(
                below, order=len(self._queues), fair=FairQueueConfig(parent=parent)
            )

    def _read(self, parent: str, element: Element) -> None:
        name = element.get("name", "").strip()
        if "." in name:
            raise _refused(f"{parent}.{name}", "name", f"name {name!r}: it must not have a period")
        if not name:
            raise _refused(parent, "name", "a queue inside it has no name, or a blank one")
        self._read_fields(f"{parent}.{name}", element)

    def _read_fields(self, path: str, element: Element) -> None:
        """Read a queue's element; one that was read before is added to."""
        if path not in self._queues:
            self._queues[path] = QueueConfig(path, order=len(self._queues), fair=FairQueueConfig())
        tags = [field.tag for field in element]
        # Known before its fields are read: some of them only a leaf may have.
        is_parent = element.get("type", "") == "parent" or any(map(_is_queue, tags))
        for field in element:
            if _is_queue(field.tag):
                self._read(path, field)
            else:
                self._take(path, field)
        for tag in ("reservation", "maxAMShare"):
            if is_parent and tag in tags:
                raise _refused(path, tag, f"{tag} is only for queues without children")
        queue = self._queues[path]
        fair = queue.fair or FairQueueConfig()
        reservable = fair.reservable or "reservation" in tags
        parent = fair.parent or is_parent or reservable
        self._queues[path] = replace(
            queue, fair=replace(fair, parent=parent, reservable=reservable)
        )

    def _take(self, path: str, field: Element) -> None:
        """Set one field of a queue; unknown fields change nothing."""
        queue = self._queues[path]
        if field.tag == "aclSubmitApps":
            queue = replace(queue, submit=_with_name(path, field, _read_raw_access))
        elif field.tag == "aclAdministerApps":
            queue = replace(queue, administer=_with_name(path, field, _read_raw_access))
        # Read as Hadoop reads them, so that a wrong one is refused; there is no ReservationSystem
        # here.
        elif field.tag in _RESERVATION_TAGS:
            _with_name(path, field, _read_raw_access)
        elif queue.fair is not None:
            fair = queue.fair
            queue = replace(
                queue, fair=_with_name(path, field, lambda child: self._with(fair, child))
            )
        self._queues[path] = queue

    def _with(self, fair: FairQueueConfig, field: Element) -> FairQueueConfig:
        tag = field.tag
        if tag in _PLAIN_FIELDS:
            return _PLAIN_FIELDS[tag](fair, _text(field))
        if tag == "minResources":
            limit = read_limit(_text(field), self._types, missing=0)
            return replace(fair, minimum=tuple(x or 0 for x in limit.amounts) or None)
        if tag == "maxResources":
            return replace(fair, maximum=read_limit(_text(field), self._types))
        if tag == "maxChildResources":
            return replace(fair, child_maximum=read_limit(_text(field), self._types))
        if tag == "maxContainerAllocation":
            limit = read_limit(_text(field), self._types)
            return replace(fair, maximum_container=limit.amounts or None)
        return fair


def _is_queue(tag: str) -> bool:
    """Hadoop takes any ending of "queue" for it (AllocationFileQueueParser.loadQueue)."""
    return "queue".endswith(tag) or tag == "pool"


def _read_raw_access(element: Element) -> Access:
    if element.text is None:
        raise SpecError("found nothing, expected users and groups, * or a blank")
    return read_access(element.text)


_PLAIN_FIELDS: Final[dict[str, Callable[[FairQueueConfig, str], FairQueueConfig]]] = {
    "weight": lambda q, text: replace(q, weight=_number(text)),
    "maxRunningApps": lambda q, text: replace(q, maximum_running_applications=parse_int(text)),
    "maxAMShare": lambda q, text: replace(q, maximum_am_share=_share_limit(text)),
    "schedulingPolicy": lambda q, text: replace(q, policy=_read_policy(text)),
    "schedulingMode": lambda q, text: replace(q, policy=_read_policy(text)),
    "minSharePreemptionTimeout": lambda q, text: replace(
        q, min_share_preemption_timeout_ms=_seconds(text)
    ),
    "fairSharePreemptionTimeout": lambda q, text: replace(
        q, fair_share_preemption_timeout_ms=_seconds(text)
    ),
    "fairSharePreemptionThreshold": lambda q, text: replace(
        q, fair_share_preemption_threshold=_threshold(text)
    ),
    # It may stand several times, and once false it stays so.
    "allowPreemptionFrom": lambda q, text: replace(
        q, allow_preemption_from=q.allow_preemption_from and parse_boolean(text)
    ),
}
