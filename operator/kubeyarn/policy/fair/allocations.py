"""The allocation file, fair-scheduler.xml, as values (Hadoop: AllocationFileParser).

What Hadoop refuses is refused with every problem found named; what it ignores (unknown elements,
reservation settings) is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from kubeyarn.model.errors import ConfigRefused, Problem, SpecError
from kubeyarn.model.fair_queues import (
    FairClusterConfig,
    FairPolicy,
    FairQueueConfig,
    FairQueueDefaults,
    FairRule,
    FairRuleKind,
)
from kubeyarn.model.queues import Access, QueueConfig
from kubeyarn.policy.fair.amounts import read_limit
from kubeyarn.policy.fair.numbers import read_boolean, read_decimal, read_int, read_long
from kubeyarn.policy.fair.placing import check_rules

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_T = TypeVar("_T")
_ROOT: Final = "root"
_QUEUE_TAGS: Final = ("queue", "pool")
_POLICIES: Final = {
    "fair": FairPolicy.FAIR,
    "fifo": FairPolicy.FIFO,
    "drf": FairPolicy.DRF,
}
_POLICY_CLASSES: Final = {
    "fairsharepolicy": FairPolicy.FAIR,
    "fifopolicy": FairPolicy.FIFO,
    "dominantresourcefairnesspolicy": FairPolicy.DRF,
}
_POLICY_PACKAGE: Final = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.policies."


@dataclass(frozen=True, slots=True)
class Allocations:
    """What an allocation file says: its queues (root first) and what goes for all of them."""

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
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise _refused(_ROOT, "allocations", f"the allocation file is not XML: {error}") from error
    if root.tag != "allocations":
        raise _refused(
            _ROOT, root.tag, f"the outermost element is <{root.tag}>, it must be <allocations>"
        )
    cluster = _Cluster(root, types).read(base)
    queues = _Queues(types).read([child for child in root if child.tag in _QUEUE_TAGS])
    return Allocations(queues, cluster)


def _refused(queue: str, field: str, message: str) -> ConfigRefused:
    return ConfigRefused((Problem(queue, field, "InvalidField", message),))


def _text(element: Element) -> str:
    if element.text is None:
        raise SpecError("found nothing, expected a value")
    return element.text.strip()


def _seconds(text: str) -> int:
    return read_long(text) * 1000


def _share_limit(text: str) -> float:
    return min(read_decimal(text), 1.0)


def _threshold(text: str) -> float:
    return max(min(read_decimal(text), 1.0), 0.0)


def read_policy(text: str) -> FairPolicy:
    """A policy by its name (fair, fifo, drf) or by its class in Hadoop.

    Raises:
        SpecError: there is no such policy.
    """
    known = _POLICIES.get(text.lower())
    if known is None:
        known = _POLICY_CLASSES.get(text.removeprefix(_POLICY_PACKAGE).lower())
    if known is None:
        raise SpecError(f"found {text!r}, expected fair, fifo or drf")
    return known


def read_access(text: str) -> Access:
    """An ACL: `user1,user2 group1,group2`, `*` for everybody, a blank for nobody."""
    if text.strip() == "*":
        return Access(everyone=True)
    users, _, groups = text.partition(" ")
    return Access(users=_members(users), groups=_members(groups))


def _members(text: str) -> frozenset[str]:
    return frozenset(member.strip() for member in text.split(",") if member.strip())


class _Cluster:
    """Reads what stands beside the queues."""

    def __init__(self, root: Element, types: Sequence[str]) -> None:
        self._types = types
        self._elements = {child.tag: child for child in root}
        self._users = [child for child in root if child.tag == "user"]

    def read(self, base: FairClusterConfig) -> FairClusterConfig:
        return replace(
            base,
            defaults=self._defaults(),
            user_maximum_default=self._value(
                "userMaxAppsDefault", read_int, base.user_maximum_default
            ),
            user_maximum=self._user_maxima(),
            rules=self._rules(),
        )

    def _value(self, tag: str, reader: Callable[[str], _T], default: _T) -> _T:
        element = self._elements.get(tag)
        if element is None:
            return default
        try:
            return reader(_text(element))
        except SpecError as error:
            raise _refused(_ROOT, tag, f"{tag}: {error}") from error

    def _defaults(self) -> FairQueueDefaults:
        none = FairQueueDefaults()
        legacy = self._value(
            "fairSharePreemptionTimeout", _seconds, none.fair_share_preemption_timeout_ms
        )
        return FairQueueDefaults(
            policy=self._policy(),
            maximum=self._value(
                "queueMaxResourcesDefault",
                lambda text: read_limit(text, self._types),
                none.maximum,
            ),
            maximum_running_applications=self._value(
                "queueMaxAppsDefault", read_int, none.maximum_running_applications
            ),
            maximum_am_share=self._value(
                "queueMaxAMShareDefault", _share_limit, none.maximum_am_share
            ),
            min_share_preemption_timeout_ms=self._value(
                "defaultMinSharePreemptionTimeout",
                _seconds,
                none.min_share_preemption_timeout_ms,
            ),
            fair_share_preemption_timeout_ms=self._value(
                "defaultFairSharePreemptionTimeout", _seconds, legacy
            ),
            fair_share_preemption_threshold=self._value(
                "defaultFairSharePreemptionThreshold",
                _threshold,
                none.fair_share_preemption_threshold,
            ),
        )

    def _policy(self) -> FairPolicy:
        policy = FairPolicy.FAIR
        for tag in ("defaultQueueSchedulingMode", "defaultQueueSchedulingPolicy"):
            policy = self._value(tag, read_policy, policy)
        if policy is FairPolicy.FIFO:
            raise _refused(
                _ROOT,
                "defaultQueueSchedulingPolicy",
                "defaultQueueSchedulingPolicy is fifo, which only leaf queues can have; "
                "use fair or drf",
            )
        return policy

    def _user_maxima(self) -> tuple[tuple[str, int], ...]:
        maxima: dict[str, int] = {}
        for user in self._users:
            for field in user:
                if field.tag == "maxRunningApps":
                    name = user.get("name", "")
                    try:
                        maxima[name] = read_int(_text(field))
                    except SpecError as error:
                        message = f"maxRunningApps of user {name!r}: {error}"
                        raise _refused(_ROOT, "user", message) from error
        return tuple(maxima.items())

    def _rules(self) -> tuple[FairRule, ...]:
        policy = self._elements.get("queuePlacementPolicy")
        if policy is None:
            return ()
        try:
            rules = _read_rules(policy)
            check_rules(rules)
        except SpecError as error:
            message = f"queuePlacementPolicy: {error}"
            raise _refused(_ROOT, "queuePlacementPolicy", message) from error
        return rules


def _is_rule(element: Element) -> bool:
    return element.tag.lower() == "rule"


def _read_rules(policy: Element) -> tuple[FairRule, ...]:
    if not len(policy) and policy.text is None:
        raise SpecError("it is empty; name rules or leave it out")
    return tuple(_read_rule(child) for child in policy if _is_rule(child))


def _read_rule(element: Element) -> FairRule:
    name = element.get("name", "")
    try:
        kind = FairRuleKind(name)
    except ValueError:
        known = ", ".join(FairRuleKind)
        raise SpecError(f"found a rule named {name!r}, expected one of {known}") from None
    create = element.get("create", "")
    inner = [child for child in element if _is_rule(child)]
    return FairRule(
        kind=kind,
        create=not create or read_boolean(create),
        queue=element.get("queue", ""),
        parent=_read_rule(inner[-1]) if inner else None,
    )


class _Queues:
    """Reads the queue elements, outside in."""

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
        self._read_fields(_ROOT, element)

    def _read(self, parent: str, element: Element) -> None:
        name = element.get("name", "").strip()
        if "." in name:
            raise _refused(f"{parent}.{name}", "name", f"name {name!r}: it must not have a period")
        if not name:
            raise _refused(parent, "name", "a queue inside it has no name, or a blank one")
        self._read_fields(f"{parent}.{name}", element)

    def _read_fields(self, path: str, element: Element) -> None:
        known = self._queues.get(path)
        order = known.order if known else len(self._queues)
        self._queues[path] = QueueConfig(path=path, order=order, fair=FairQueueConfig())
        is_parent = element.get("type", "") == "parent"
        for field in element:
            # Hadoop takes any ending of "queue" for it (AllocationFileQueueParser.loadQueue).
            if "queue".endswith(field.tag) or field.tag == "pool":
                is_parent = True
                self._read(path, field)
            elif field.tag == "reservation":
                is_parent = True
            else:
                self._take(path, field)
        queue = self._queues[path]
        if queue.fair is None:
            return
        if is_parent and queue.fair.maximum_am_share is not None:
            raise _refused(path, "maxAMShare", "maxAMShare is only for queues without children")
        self._queues[path] = replace(queue, fair=replace(queue.fair, parent=is_parent))

    def _take(self, path: str, field: Element) -> None:
        """Note one field of a queue; fields that are not known change nothing."""
        queue = self._queues[path]
        try:
            if field.tag == "aclSubmitApps":
                queue = replace(queue, submit=read_access(_raw(field)))
            elif field.tag == "aclAdministerApps":
                queue = replace(queue, administer=read_access(_raw(field)))
            elif queue.fair is not None:
                queue = replace(queue, fair=self._with(queue.fair, field))
        except SpecError as error:
            raise _refused(path, field.tag, f"{field.tag}: {error}") from error
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


def _raw(element: Element) -> str:
    if element.text is None:
        raise SpecError("found nothing, expected users and groups, * or a blank")
    return element.text


_PLAIN_FIELDS: Final[dict[str, Callable[[FairQueueConfig, str], FairQueueConfig]]] = {
    "weight": lambda q, text: replace(q, weight=read_decimal(text)),
    "maxRunningApps": lambda q, text: replace(q, maximum_running_applications=read_int(text)),
    "maxAMShare": lambda q, text: replace(q, maximum_am_share=_share_limit(text)),
    "schedulingPolicy": lambda q, text: replace(q, policy=read_policy(text)),
    "schedulingMode": lambda q, text: replace(q, policy=read_policy(text)),
    "minSharePreemptionTimeout": lambda q, text: replace(
        q, min_share_preemption_timeout_ms=_seconds(text)
    ),
    "fairSharePreemptionTimeout": lambda q, text: replace(
        q, fair_share_preemption_timeout_ms=_seconds(text)
    ),
    "fairSharePreemptionThreshold": lambda q, text: replace(
        q, fair_share_preemption_threshold=_threshold(text)
    ),
    "allowPreemptionFrom": lambda q, text: replace(q, allow_preemption_from=read_boolean(text)),
}
