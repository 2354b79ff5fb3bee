"""What the custom resources are made of: typed fields that are read and documented in one place.

A resource is a frozen `msgspec.Struct`. Each annotation describes a field once for all: its type is
how a raw object is decoded, and the `Field` beside it is its part of the CustomResourceDefinition.
A decoder looks at types and enumerations alone. Bounds, patterns and CEL rules are the API server's
to check, so that an object that was stored before a bound was made can still be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

Extras = dict[str, Any]
"""A piece of OpenAPI schema: JSON, so its values are of any type."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""A map that has no entries, as the value of a field that is not set."""

NUMBER = r"[0-9]{1,9}(\.[0-9]{1,9})?"
"""A number as it may stand in a string: no sign, no exponent, at most nine decimals."""

RESOURCES = 16
"""Resource types a map may name; also what keeps CEL's estimated cost within its budget."""
QUANTITY_CHARACTERS = 40


def camel(name: str) -> str:
    """A Python name as the API spells it: `maximum_am_share` is `maximumAMShare`."""
    first, *rest = name.split("_")
    return first + "".join("AM" if part == "am" else part.capitalize() for part in rest)


class Fields(msgspec.Struct, frozen=True, rename=camel):
    """The base of all parts of a custom resource: API names, and what is unknown is passed over.

    A part whose class has `extras` adds them to its schema.
    """


class Field:
    """What a field is for, and what else its schema says, in JSON Schema's own words."""

    __slots__ = ("description", "schema")

    def __init__(self, description: str = "", **schema: Any) -> None:
        self.description = description
        self.schema: Extras = schema


class Reported(Field):
    """A field of a status. What a reader finds where it is not set is no default of the API's."""

    __slots__ = ()


def rule(cel: str, message: str, at: str = "") -> Extras:
    """A CEL rule, reported on the field *at*, such as `.spec.cluster`, or on the whole object.

    *message* is a CEL expression when it starts with a quote.
    """
    key = "messageExpression" if message.startswith("'") else "message"
    made = {key: message, "rule": cel}
    return {"fieldPath": at, **made} if at else made


def rules(*these: Extras) -> Extras:
    """The schema of a field or class that has CEL rules."""
    return {"x-kubernetes-validations": list(these)}


def listed_by(*keys: str) -> Extras:
    """The schema of a list whose entries are told apart by *keys*."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


# What a server-side apply by two owners makes of a list: entries of both, or the whole list of one.
AS_SET: Extras = {"x-kubernetes-list-type": "set"}
AS_ONE: Extras = {"x-kubernetes-list-type": "atomic"}


def _quantity(allowed: str, least: str, most: str) -> Extras:
    text = "string(self)"
    within = f"!quantity({text}).isLessThan(quantity('{most}')) ? false : {least}"
    return {
        "maxLength": QUANTITY_CHARACTERS,
        "x-kubernetes-int-or-string": True,
        **rules(
            rule(f"isQuantity({text}) && ({within})", f"'found ' + {text} + ', allowed: {allowed}'")
        ),
    }


_POSITIVE = "quantity(string(self)).isGreaterThan(quantity('0'))"
_NOT_NEGATIVE = "!quantity(string(self)).isLessThan(quantity('0'))"
_EXAMPLES = "a quantity such as 2, 500m or 1536Mi,"

POSITIVE_QUANTITY = _quantity(f"{_EXAMPLES} above 0 and below 1Pi", _POSITIVE, "1Pi")
QUANTITY = _quantity(f"{_EXAMPLES} 0 or more and below 1Ei", _NOT_NEGATIVE, "1Ei")


def _map_of(value: Extras) -> Extras:
    return {"type": "object", "additionalProperties": value, "maxProperties": RESOURCES}


ResourceAmounts = Mapping[str, str | int]
"""Kubernetes quantities by resource name."""

PositiveAmounts = Annotated[ResourceAmounts, Field(**_map_of(POSITIVE_QUANTITY))]
"""How much of each resource, all above 0: the size of a container."""
Amounts = Annotated[ResourceAmounts, Field(**_map_of(QUANTITY))]
"""How much of each resource, 0 allowed: what a queue is given."""
ManyAmounts = Annotated[
    ResourceAmounts,
    Field(
        **_map_of(
            {
                "maxLength": QUANTITY_CHARACTERS,
                "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
                "x-kubernetes-int-or-string": True,
            }
        )
    ),
]
"""Amounts in a long list: the API server allows no rule there, whose cost grows with the list."""
ShownAmounts = Annotated[
    ResourceAmounts,
    Field(
        type="object",
        additionalProperties={"x-kubernetes-int-or-string": True},
        maxProperties=64,
    ),
]
"""How much of each resource, as a status shows it; nobody types it, so nothing checks it."""


def _text(pattern: str, allowed: str) -> Field:
    return Field(
        type="string",
        maxLength=24,
        **rules(
            rule(
                f"self.matches(r'{pattern}')",
                f"'found \"' + self + '\", allowed: {allowed}'",
            )
        ),
    )


_PERCENT = r"(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?)%"
_WEIGHT = r"(10000(\.0{1,9})?|[0-9]{1,4}(\.[0-9]{1,9})?)w"

SHARE = _text(
    f"^({_PERCENT}|{_WEIGHT})$",
    'a percentage from "0%" to "100%", or a weight from "0w" to "10000w"',
)
PERCENTAGE = _text(f"^{_PERCENT}$", 'a percentage from "0%" to "100%"')
FACTOR = _text(
    f"^(-1|{NUMBER})$", 'a number in quotes, 0 or more, such as "1.5"; "-1" switches it off'
)
AM_SHARE = _text(
    f"^(-1|{_PERCENT})$", 'a percentage from "0%" to "100%"; "-1" switches the limit off'
)
WEIGHT = _text(f"^{NUMBER}$", 'a number in quotes, 0 or more, such as "1.5"')
_PERCENT_OF_USERS: Extras = {
    "maxLength": 24,
    "x-kubernetes-int-or-string": True,
    **rules(
        rule(
            r"string(self).matches(r'^(100(\.0{1,9})?|[1-9][0-9]?(\.[0-9]{1,9})?)$')",
            "'found ' + string(self) + ', allowed: 1 to 100, a fraction in quotes: \"33.3\"'",
        )
    ),
}
USER_LIMIT_PERCENT = Field(**_PERCENT_OF_USERS)

Share = Annotated[str, SHARE]
Percentage = Annotated[str, PERCENTAGE]
Factor = Annotated[str, FACTOR]
AMShare = Annotated[str, AM_SHARE]
Weight = Annotated[str, WEIGHT]
UserLimitPercent = Annotated[int | str, USER_LIMIT_PERCENT]
"""A percentage from 1 to 100 without its sign: 25, or "33.3"."""


# One rule for every spelling: to a structural schema it is one type, int-or-string, and only CEL
# can tell a share from an amount.
def _by_resource(pattern: str, allowed: str) -> Field:
    text = "string(self)"
    amount = (
        f"isQuantity({text}) && {_NOT_NEGATIVE} && quantity({text}).isLessThan(quantity('1Ei'))"
    )
    value = {
        "maxLength": QUANTITY_CHARACTERS,
        "x-kubernetes-int-or-string": True,
        **rules(
            rule(
                f"{text}.matches(r'^{pattern}$') || ({amount})",
                f"'found ' + {text} + ', allowed: {allowed}'",
            )
        ),
    }
    return Field(**_map_of(value))


CapacityByResource = Annotated[
    ResourceAmounts,
    _by_resource(
        f"({_PERCENT}|{_WEIGHT})",
        'a quantity such as 160Gi, a percentage such as "50%", or a weight such as "2w"',
    ),
]
MaximumByResource = Annotated[
    ResourceAmounts,
    _by_resource(_PERCENT, 'a quantity such as 160Gi or a percentage such as "50%"'),
]


def _many_by_resource(pattern: str) -> Field:
    amount = r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?"
    value = {
        "maxLength": QUANTITY_CHARACTERS,
        "pattern": f"^({pattern}|{amount})$",
        "x-kubernetes-int-or-string": True,
    }
    return Field(**_map_of(value))


ManyCapacitiesByResource = Annotated[ResourceAmounts, _many_by_resource(f"{_PERCENT}|{_WEIGHT}")]
ManyMaximaByResource = Annotated[ResourceAmounts, _many_by_resource(_PERCENT)]
"""As CapacityByResource and MaximumByResource, in a list: see ManyAmounts."""

FreeForm = Annotated[
    Mapping[str, Any], Field(type="object", **{"x-kubernetes-preserve-unknown-fields": True})
]
"""An object whose fields are another API's; the API server keeps it as it is."""

Seconds = Annotated[int, Field(minimum=0, maximum=2**31 - 1)]
Count = Annotated[int, Field(minimum=0, maximum=2**31 - 1)]
Line = Annotated[str, Field(maxLength=253)]
Diagnostics = Annotated[str, Field(maxLength=32768)]
Time = Annotated[str, Field(format="date-time", maxLength=64)]
QueueName = Annotated[str, Field(maxLength=253)]
PartitionName = Annotated[
    str, Field(maxLength=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
]
ObservedGeneration = Annotated[
    int | None, Field("The metadata.generation this status speaks of.", minimum=0)
]
