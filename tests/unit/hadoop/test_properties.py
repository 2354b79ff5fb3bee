"""Properties, and the small languages in their values."""

from __future__ import annotations

from math import inf, isnan

import pytest

from kubeyarn.hadoop.properties import (
    Configuration,
    parse_boolean,
    parse_float,
    parse_int,
    parse_long,
    read_access,
    read_amount,
    read_capacity,
    read_priority_access,
)
from kubeyarn.model.errors import ConfigRefused, SpecError
from kubeyarn.model.queues import Access, Capacity, PriorityAccess, Share, Unit, percent, weight
from kubeyarn.model.resources import ResourceTypes

TYPES = ResourceTypes(("memory", "cpu", "yarn.io/gpu"))


def conf(value: str) -> Configuration:
    return Configuration({"p": value})


def test_a_property_that_is_not_set_has_its_default() -> None:
    nothing = Configuration({})

    assert nothing.get("p") is None
    assert nothing.get_int("p", 7) == 7
    assert nothing.get_long("p", None) is None
    assert nothing.get_float("p", 0.5) == 0.5
    assert nothing.get_boolean("p", True) is True
    assert nothing.get_strings("p") == ()


def test_names_with_a_prefix_come_sorted() -> None:
    assert list(Configuration({"a.c": "", "b": "", "a.b": ""}).names("a.")) == ["a.b", "a.c"]


def test_a_trimmed_value_of_blanks_is_none() -> None:
    assert conf(" x ").get_trimmed("p") == "x"
    assert conf("  ").get_trimmed("p") is None


def test_a_list_is_split_at_commas_and_has_no_empty_members() -> None:
    assert conf(" a, b c ,,d,").get_strings("p") == ("a", "b c", "d")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("+5", 5),
        ("-3", -3),
        ("0x10", 16),
        ("-0Xff", -255),
        ("0x-10", -16),
        ("0x+10", 16),
        ("010", 10),
        ("\uff15", 5),
        ("१", 1),
        ("\x015\n", 5),
        ("2147483647", 2**31 - 1),
        ("-2147483648", -(2**31)),
    ],
)
def test_whole_numbers_are_read_as_hadoop_does(text: str, number: int) -> None:
    assert conf(text).get_int("p", None) == number
    assert conf(text).get_long("p", None) == number


@pytest.mark.parametrize(
    "text",
    ["", "x", "1.0", "1e3", "1 2", "0x", "+0x10", "-0x+10", "1L", "1_0", "\u00a05", "\U0001d7d3"],
)
def test_what_is_no_whole_number_is_refused_with_the_property(text: str) -> None:
    with pytest.raises(ConfigRefused, match="p: found") as refused:
        conf(text).get_int("p", None)

    (problem,) = refused.value.problems
    assert (problem.queue, problem.field, problem.reason) == ("root", "p", "InvalidField")


def test_a_number_must_fit_into_its_bits() -> None:
    assert conf("2147483648").get_long("p", None) == 2**31
    with pytest.raises(ConfigRefused, match="from -2147483648 to 2147483647"):
        conf("2147483648").get_int("p", None)
    with pytest.raises(ConfigRefused):
        conf("9223372036854775808").get_long("p", None)
    with pytest.raises(ConfigRefused):
        conf("0x8000000000000000").get_long("p", None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        (" 0.5 ", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e2", 100.0),
        ("-1.5f", -1.5),
        ("2D", 2.0),
        ("Infinity", inf),
        ("-Infinity", -inf),
        ("0x1p3", 8.0),
        ("-0x.8P1f", -1.0),
        ("0x1p9999", inf),
        ("-0x1p9999", -inf),
    ],
)
def test_decimal_numbers_are_read_as_java_does(text: str, number: float) -> None:
    assert parse_float(text) == number
    assert conf(text).get_float("p", None) == number


def test_not_a_number_is_a_number() -> None:
    assert isnan(parse_float("NaN"))


@pytest.mark.parametrize(
    "text", ["", "x", "1,5", "inf", "nan", "1_000", "0x1", "0xp1", "NaNf", "e5"]
)
def test_what_java_takes_for_no_number_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="expected a number"):
        parse_float(text)
    with pytest.raises(ConfigRefused, match="p: found"):
        conf(text).get_float("p", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        (" TRUE ", True),
        ("false", False),
        ("False", False),
        ("yes", None),
        ("", None),
    ],
)
def test_a_flag_is_true_or_false_and_otherwise_not_set(text: str, expected: bool | None) -> None:
    assert conf(text).get_boolean("p", None) is expected


def test_javas_parsers_take_no_blanks() -> None:
    assert (parse_int("+7"), parse_long("-7"), parse_boolean("TRUE")) == (7, -7, True)
    assert parse_boolean(" true") is False
    for parse in (parse_int, parse_long):
        with pytest.raises(SpecError):
            parse(" 7")
    with pytest.raises(SpecError):
        parse_int(str(2**31))


@pytest.mark.parametrize(
    ("text", "access"),
    [
        pytest.param("*", Access(everyone=True), id="everybody"),
        pytest.param(" * ", Access(everyone=True), id="everybody, with blanks"),
        pytest.param("* g", Access(everyone=True), id="every user"),
        pytest.param("u *", Access(everyone=True), id="every group"),
        pytest.param(" ", Access(), id="nobody"),
        pytest.param("", Access(), id="nothing"),
        pytest.param("u,v", Access(users=frozenset("uv")), id="users"),
        pytest.param(" g", Access(groups=frozenset("g")), id="groups"),
        pytest.param(
            "u,v g, h", Access(users=frozenset("uv"), groups=frozenset("gh")), id="users and groups"
        ),
    ],
)
def test_an_access_control_list_names_users_and_groups(text: str, access: Access) -> None:
    assert read_access(text) == access


def test_priorities_of_users_stand_in_brackets() -> None:
    text = "[user=u,v max_priority=7 default_priority=2] [group=g max_priority=3] [user=*]"

    assert read_priority_access("p", text) == (
        PriorityAccess(Access(users=frozenset("uv")), maximum=7, default=2),
        PriorityAccess(Access(groups=frozenset("g")), maximum=3),
        PriorityAccess(Access(everyone=True, users=frozenset("*"))),
    )


@pytest.mark.parametrize("text", ["[who=u]", "[user=u max_priority=high]", "[user=u extra]"])
def test_an_unknown_word_among_priorities_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused, match="expected user="):
        read_priority_access("p", text)


@pytest.mark.parametrize(
    ("text", "capacity"),
    [
        pytest.param("30", percent(30.0), id="percent"),
        pytest.param(" 12.5 ", percent(12.5), id="decimal percent"),
        pytest.param("2w", weight(2.0), id="weight"),
        pytest.param(
            "[memory=1024,vcores=2]",
            Capacity(
                by_resource=(
                    Share(Unit.ABSOLUTE, 1024.0),
                    Share(Unit.ABSOLUTE, 2.0),
                    Share(Unit.ABSOLUTE, 0.0),
                )
            ),
            id="absolute, and a type left out is 0",
        ),
        pytest.param(
            "[memory-mb=4Gi, vcores=50%, yarn.io/gpu=3w]",
            Capacity(
                by_resource=(
                    Share(Unit.ABSOLUTE, 4096.0),
                    Share(Unit.PERCENT, 50.0),
                    Share(Unit.WEIGHT, 3.0),
                )
            ),
            id="mixed",
        ),
    ],
)
def test_a_capacity_is_a_percentage_a_weight_or_a_vector(text: str, capacity: Capacity) -> None:
    assert read_capacity("p", text, TYPES) == capacity


@pytest.mark.parametrize(
    "text", ["", "a lot", "w", "[memory=1024", "[disk=5]", "[memory=5Qi]", "[vcores=x%]"]
)
def test_what_is_no_capacity_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused, match="p: found"):
        read_capacity("p", text, TYPES)


@pytest.mark.parametrize(
    ("text", "memory", "amount"),
    [
        ("4096", True, 4096),
        ("4Gi", True, 4096),
        ("1G", True, 953),
        ("512Ki", True, 0),
        ("3", False, 3),
        ("2k", False, 2000),
    ],
)
def test_memory_is_mebibytes_and_everything_else_units(
    text: str, memory: bool, amount: int
) -> None:
    assert read_amount("p", text, memory=memory) == amount


@pytest.mark.parametrize(
    ("text", "number"), [("5", 5), ("+5", 5), ("-5", -5), ("\uff15", 5), ("005", 5)]
)
def test_a_number_that_java_reads_alone_has_no_blanks_and_no_hexadecimal(
    text: str, number: int
) -> None:
    assert conf(text).get_untrimmed_int("p", None) == number
    for odd in (f" {text}", f"{text} ", f"0x{text}"):
        with pytest.raises(ConfigRefused, match="p: found"):
            conf(odd).get_untrimmed_int("p", None)


def test_a_number_that_java_reads_alone_has_a_default() -> None:
    assert Configuration({}).get_untrimmed_int("p", None) is None


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({"p": "${a}"}, "${a}", id="not set"),
        pytest.param({"p": "${a}", "a": "1"}, "1", id="set"),
        pytest.param({"p": "x${a}y${b}", "a": "1", "b": "2"}, "x1y2", id="two"),
        pytest.param({"p": "${a}${b}${c}", "a": "1", "c": "3"}, "1${b}${c}", id="up to one unset"),
        pytest.param({"p": "${a}", "a": "${b}", "b": "1"}, "1", id="of a variable"),
        pytest.param({"p": "${${a}}", "a": "b", "b": "1"}, "1", id="a name of a variable"),
        pytest.param({"p": "${p}"}, "${p}", id="itself"),
        pytest.param({"p": "x${a}", "a": "y${a}"}, "x${a}", id="one that contains itself"),
        pytest.param({"p": "$a ${ a } ${} {a} ${a", "a": "1"}, "$a ${ a } ${} {a} ${a", id="none"),
        pytest.param({"p": "${env.A-1}"}, "1", id="the environment's, with a default"),
        pytest.param({"p": "${env.A:-1}"}, "1", id="or empty"),
        pytest.param({"p": "${env.A-}"}, "", id="an empty default"),
        pytest.param({"p": "${env.A}"}, "${env.A}", id="the environment's, without"),
        pytest.param({"p": "${env.}", "env.": "1"}, "1", id="no variable of it"),
        pytest.param({"p": "${e-1}"}, "${e-1}", id="a default is the environment's alone"),
    ],
)
def test_variables_in_a_value_are_other_properties(values: dict[str, str], found: str) -> None:
    assert Configuration(values).get("p") == found


def test_properties_that_name_each_other_for_ever_are_refused() -> None:
    circle = Configuration({"p": "${a}", "a": "${b}", "b": "${a}"})

    with pytest.raises(ConfigRefused, match=r"p: found '\$\{a\}', whose properties name others"):
        circle.get_int("p", None)


@pytest.mark.parametrize(("between", "refused"), [(18, False), (19, True)])
def test_a_value_is_made_in_at_most_twenty_steps(between: int, refused: bool) -> None:
    chain = {f"q{n}": f"${{q{n + 1}}}" for n in range(between)}
    made = Configuration({"p": "${q0}", **chain, f"q{between}": "5"})

    if refused:
        with pytest.raises(ConfigRefused):
            made.get("p")
    else:
        assert made.get("p") == "5"


@pytest.mark.parametrize(
    "text", ["", "1.5k", "1 G", " 1", "much", "1g", "9" * 30, "9223372036854Mi"]
)
def test_an_amount_is_whole_and_of_64_bits(text: str) -> None:
    with pytest.raises(ConfigRefused, match="p: found"):
        read_amount("p", text, memory=False)
