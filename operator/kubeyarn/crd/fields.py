"""The kinds of fields that the custom resources are made of, and how the API server checks them.

Each kind carries its OpenAPI form and, where a pattern's message would be unreadable, CEL rules
whose messages say what was found and what is allowed.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from kubeyarn.crd import quantities, shares

Extras = dict[str, Any]
"""A piece of OpenAPI schema: JSON, so its values are of any type."""

RESOURCES = 16
"""Resource types a map may name; also what keeps CEL's estimated cost within its budget."""
QUANTITY_CHARACTERS = 40


def camel(name: str) -> str:
    """A Python name as the API spells it: `maximum_am_share` is `maximumAMShare`."""
    first, *rest = name.split("_")
    return first + "".join("AM" if part == "am" else part.capitalize() for part in rest)


class Fields(BaseModel):
    """The base of all parts of a custom resource: API names, and nothing unknown is kept."""

    model_config = ConfigDict(
        alias_generator=camel, validate_by_name=True, validate_by_alias=True, extra="forbid"
    )


def rule(cel: str, message: str, at: str = "") -> Extras:
    """A CEL rule, reported on the field *at*, such as `.spec.cluster`, or on the whole object.

    *message* is a CEL expression when it starts with a quote.
    """
    key = "messageExpression" if message.startswith("'") else "message"
    said = {"rule": cel, key: message}
    return {**said, "fieldPath": at} if at else said


def rules(*these: Extras) -> Extras:
    """The `json_schema_extra` of a field or model that has CEL rules."""
    return {"x-kubernetes-validations": list(these)}


def _quantity(allowed: str, least: str, most: str) -> Extras:
    text = "string(self)"
    within = f"!quantity({text}).isLessThan(quantity('{most}')) ? false : {least}"
    return {
        "x-kubernetes-int-or-string": True,
        "maxLength": QUANTITY_CHARACTERS,
        **rules(
            rule(f"isQuantity({text}) && ({within})", f"'found ' + {text} + ', allowed: {allowed}'")
        ),
    }


_POSITIVE = "quantity(string(self)).isGreaterThan(quantity('0'))"
_NOT_NEGATIVE = "!quantity(string(self)).isLessThan(quantity('0'))"
_EXAMPLES = "a quantity such as 2, 500m or 1536Mi,"

POSITIVE_QUANTITY = _quantity(f"{_EXAMPLES} above 0 and below 1Pi", _POSITIVE, "1Pi")
QUANTITY = _quantity(f"{_EXAMPLES} 0 or more and below 1Ei", _NOT_NEGATIVE, "1Ei")


def _checked_quantity(value: str | int) -> str | int:
    quantities.cpu(value, "quantity")
    return value


def _map_of(value: Extras) -> Extras:
    return {"type": "object", "additionalProperties": value, "maxProperties": RESOURCES}


Amount = Annotated[str | int, AfterValidator(_checked_quantity)]

PositiveAmounts = Annotated[dict[str, Amount], WithJsonSchema(_map_of(POSITIVE_QUANTITY))]
"""How much of each resource, all above 0: the size of a container."""
Amounts = Annotated[dict[str, Amount], WithJsonSchema(_map_of(QUANTITY))]
"""How much of each resource, 0 allowed: what a queue is given."""
ManyAmounts = Annotated[
    dict[str, Amount],
    WithJsonSchema(
        _map_of(
            {
                "x-kubernetes-int-or-string": True,
                "maxLength": QUANTITY_CHARACTERS,
                "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
            }
        )
    ),
]
"""Amounts in a long list: the API server allows no rule there, whose cost grows with the list."""
ShownAmounts = Annotated[
    dict[str, str | int],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"x-kubernetes-int-or-string": True},
            "maxProperties": 64,
        }
    ),
]
"""How much of each resource, as a status shows it; nobody types it, so nothing checks it."""


def _checked_share(value: str) -> str:
    shares.share(value, "share")
    return value


def _checked_percentage(value: str) -> str:
    shares.percentage(value, "percentage")
    return value


def _checked_number(value: str) -> str:
    shares.number(value, "number")
    return value


def _checked_am_share(value: str) -> str:
    return value if value == "-1" else _checked_percentage(value)


def _text(pattern: str, allowed: str) -> Extras:
    return {
        "type": "string",
        "maxLength": 24,
        **rules(
            rule(
                f"self.matches(r'{pattern}')",
                f"'found \"' + self + '\", allowed: {allowed}'",
            )
        ),
    }


_PERCENT = r"(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?)%"
_WEIGHT = r"(10000(\.0{1,9})?|[0-9]{1,4}(\.[0-9]{1,9})?)w"

SHARE = _text(
    f"^({_PERCENT}|{_WEIGHT})$",
    'a percentage from "0%" to "100%", or a weight from "0w" to "10000w"',
)
PERCENTAGE = _text(f"^{_PERCENT}$", 'a percentage from "0%" to "100%"')
FACTOR = _text(
    f"^(-1|{shares.NUMBER})$", 'a number in quotes, 0 or more, such as "1.5"; "-1" switches it off'
)
AM_SHARE = _text(
    f"^(-1|{_PERCENT})$", 'a percentage from "0%" to "100%"; "-1" switches the limit off'
)
WEIGHT = _text(f"^{shares.NUMBER}$", 'a number in quotes, 0 or more, such as "1.5"')

Share = Annotated[str, AfterValidator(_checked_share), WithJsonSchema(SHARE)]
Percentage = Annotated[str, AfterValidator(_checked_percentage), WithJsonSchema(PERCENTAGE)]
Factor = Annotated[str, AfterValidator(_checked_number), WithJsonSchema(FACTOR)]
AMShare = Annotated[str, AfterValidator(_checked_am_share), WithJsonSchema(AM_SHARE)]
Weight = Annotated[str, AfterValidator(_checked_number), WithJsonSchema(WEIGHT)]


def _by_resource(pattern: str, allowed: str) -> Extras:
    text = "string(self)"
    amount = (
        f"isQuantity({text}) && {_NOT_NEGATIVE} && quantity({text}).isLessThan(quantity('1Ei'))"
    )
    value = {
        "x-kubernetes-int-or-string": True,
        "maxLength": QUANTITY_CHARACTERS,
        **rules(
            rule(
                f"{text}.matches(r'^{pattern}$') || ({amount})",
                f"'found ' + {text} + ', allowed: {allowed}'",
            )
        ),
    }
    return _map_of(value)


CapacityByResource = Annotated[
    dict[str, str | int],
    WithJsonSchema(
        _by_resource(
            f"({_PERCENT}|{_WEIGHT})",
            'a quantity such as 160Gi, a percentage such as "50%", or a weight such as "2w"',
        )
    ),
]
MaximumByResource = Annotated[
    dict[str, str | int],
    WithJsonSchema(
        _by_resource(_PERCENT, 'a quantity such as 160Gi or a percentage such as "50%"')
    ),
]

FreeForm = Annotated[
    dict[str, Any],
    WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
]
"""An object whose fields are another API's; the API server keeps it as it is."""

Seconds = Annotated[int, Field(ge=0, le=2**31 - 1)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Line = Annotated[str, Field(max_length=253)]
Diagnostics = Annotated[str, Field(max_length=32768)]
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 64})]
QueueName = Annotated[str, Field(max_length=253)]
PartitionName = Annotated[
    str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
]


def listed_by(*keys: str) -> Extras:
    """The `json_schema_extra` of a list whose entries are told apart by *keys*."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


AS_SET: Extras = {"x-kubernetes-list-type": "set"}
AS_ONE: Extras = {"x-kubernetes-list-type": "atomic"}
