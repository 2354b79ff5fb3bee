"""Which queue an application goes to."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import Rejected, SpecError
from kubeyarn.model.fair_queues import FairRule, FairRuleKind, check_fair_rules
from kubeyarn.schedulers.fair.placement import PlacementSubject, default_rules, place

SPECIFIED = FairRule(FairRuleKind.SPECIFIED)
USER = FairRule(FairRuleKind.USER)
DEFAULT = FairRule(FairRuleKind.DEFAULT)
REJECT = FairRule(FairRuleKind.REJECT)


class Declared:
    """Queues that are declared leaves."""

    def __init__(self, *leaves: str, parents: tuple[str, ...] = ()) -> None:
        self.leaves, self.parents = leaves, parents

    def is_declared(self, path: str) -> bool:
        return path in self.leaves or path in self.parents

    def is_leaf(self, path: str) -> bool:
        return path in self.leaves


def placed(*rules: FairRule, queue: str = "", queues: Declared | None = None) -> str:
    subject = PlacementSubject(queue, "al.ice", ("devs", "ops"))
    return place(rules, subject, queues or Declared())


def test_the_queue_that_was_asked_for_is_taken() -> None:
    assert placed(SPECIFIED, DEFAULT, queue="a.b") == "root.a.b"


def test_asking_for_default_is_asking_for_none() -> None:
    assert placed(SPECIFIED, USER, queue="default") == "root.al_dot_ice"


def test_a_rule_that_must_not_create_passes_over_queues_that_are_not_declared() -> None:
    rules = (FairRule(FairRuleKind.SPECIFIED, create=False), DEFAULT)

    assert placed(*rules, queue="root.x") == "root.default"
    assert placed(*rules, queue="root.x", queues=Declared("root.x")) == "root.x"


def test_the_primary_group_is_the_first() -> None:
    assert placed(FairRule(FairRuleKind.PRIMARY_GROUP)) == "root.devs"


def test_a_group_queue_must_be_declared_for_the_secondary_group_rule() -> None:
    rules = (FairRule(FairRuleKind.SECONDARY_GROUP), DEFAULT)

    assert placed(*rules) == "root.default"
    assert placed(*rules, queues=Declared("root.ops")) == "root.ops"


def test_a_nested_user_queue_stands_in_the_queue_its_inner_rule_finds() -> None:
    nested = FairRule(FairRuleKind.NESTED_USER, parent=FairRule(FairRuleKind.PRIMARY_GROUP))

    assert placed(nested) == "root.devs.al_dot_ice"


def test_a_nested_user_queue_is_not_made_below_a_leaf() -> None:
    nested = FairRule(FairRuleKind.NESTED_USER, parent=FairRule(FairRuleKind.PRIMARY_GROUP))

    assert placed(nested, DEFAULT, queues=Declared("root.devs")) == "root.default"


def test_a_user_named_root_gets_a_queue_only_inside_another_rule() -> None:
    inside_root = FairRule(FairRuleKind.USER, parent=FairRule(FairRuleKind.DEFAULT, queue="root"))
    subject = PlacementSubject("", "root", ("root",))

    assert place((USER,), subject, Declared()) == "root"
    assert place((inside_root,), subject, Declared(parents=("root",))) == "root.root"


def test_the_default_rule_may_name_its_queue() -> None:
    assert placed(FairRule(FairRuleKind.DEFAULT, queue="a.rest")) == "root.a.rest"


def test_reject_ends_the_list() -> None:
    with pytest.raises(Rejected, match="no placement rule"):
        placed(FairRule(FairRuleKind.SPECIFIED, create=False), REJECT, queue="root.x")


@pytest.mark.parametrize("queue", [".a", "a.", " a"])
def test_a_queue_name_with_a_stray_period_or_blank_is_refused(queue: str) -> None:
    with pytest.raises(Rejected):
        placed(SPECIFIED, DEFAULT, queue=queue)


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        pytest.param((DEFAULT, SPECIFIED), "rule 1", id="unreachable"),
        pytest.param((SPECIFIED,), "last rule", id="falls out at the end"),
        pytest.param((FairRule(FairRuleKind.NESTED_USER),), "inside it", id="no inner rule"),
        pytest.param(
            (FairRule(FairRuleKind.NESTED_USER, parent=REJECT),), "inside", id="reject inside"
        ),
        pytest.param((FairRule(FairRuleKind.DEFAULT, parent=USER),), "inside", id="not nested"),
        pytest.param((FairRule(FairRuleKind.REJECT, parent=USER),), "inside", id="reject nested"),
        pytest.param(
            (FairRule(FairRuleKind.NESTED_USER, parent=USER),), "inside", id="user in user"
        ),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: tuple[FairRule, ...], complaint: str) -> None:
    with pytest.raises(SpecError, match=complaint):
        check_fair_rules(rules)


def test_without_rules_undeclared_queues_and_user_queues_are_made() -> None:
    assert default_rules(allow_undeclared=True, user_as_default=True) == (SPECIFIED, USER)


def test_without_undeclared_queues_everything_else_goes_to_default() -> None:
    rules = default_rules(allow_undeclared=False, user_as_default=True)

    assert placed(*rules, queue="root.fresh") == "root.default"


PRIMARY = FairRule(FairRuleKind.PRIMARY_GROUP)
SECONDARY = FairRule(FairRuleKind.SECONDARY_GROUP)


def only_there(kind: FairRuleKind) -> FairRule:
    return FairRule(kind, create=False)


def nested(inside: FairRule) -> FairRule:
    return FairRule(FairRuleKind.NESTED_USER, parent=inside)


@pytest.mark.parametrize(
    ("rules", "queue", "expected"),
    [
        pytest.param((SPECIFIED, DEFAULT), "a", "root.a", id="specified"),
        pytest.param((SPECIFIED, DEFAULT), "root.a", "root.a", id="specified from root"),
        pytest.param(
            (SPECIFIED, DEFAULT), "rooted", "root.rooted", id="a name that begins with root"
        ),
        pytest.param((SPECIFIED, DEFAULT), "", "root.default", id="nothing specified"),
        pytest.param((SPECIFIED, DEFAULT), "default", "root.default", id="default specified"),
        pytest.param((USER,), "a", "root.al_dot_ice", id="the user, whatever is specified"),
        pytest.param((PRIMARY,), "a", "root.devs", id="the primary group"),
        pytest.param((SECONDARY, DEFAULT), "a", "root.ops", id="a group that is declared"),
        pytest.param(
            (only_there(FairRuleKind.USER), DEFAULT), "a", "root.default", id="no such user"
        ),
        pytest.param(
            (only_there(FairRuleKind.PRIMARY_GROUP), USER),
            "a",
            "root.al_dot_ice",
            id="no such group",
        ),
        pytest.param(
            (only_there(FairRuleKind.SPECIFIED), DEFAULT), "ops", "root.ops", id="declared"
        ),
        pytest.param((nested(PRIMARY),), "a", "root.devs.al_dot_ice", id="the user in its group"),
        pytest.param(
            (nested(SECONDARY), DEFAULT), "a", "root.ops.al_dot_ice", id="in a declared group"
        ),
        pytest.param((nested(SPECIFIED),), "p", "root.p.al_dot_ice", id="in what is specified"),
        pytest.param(
            (nested(FairRule(FairRuleKind.DEFAULT, queue="users")),),
            "a",
            "root.users.al_dot_ice",
            id="in a queue for users",
        ),
        pytest.param((nested(SPECIFIED), DEFAULT), "leaf", "root.default", id="not below a leaf"),
    ],
)
def test_the_first_rule_with_an_answer_decides(
    rules: tuple[FairRule, ...], queue: str, expected: str
) -> None:
    queues = Declared("root.leaf", parents=("root", "root.ops"))

    assert placed(*rules, queue=queue, queues=queues) == expected
