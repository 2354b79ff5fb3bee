"""Which queue a placement rule sends an application to, and which rules are refused.

The rules are those of Hadoop's `mapping-rule-json`; rows named by a scenario are what Hadoop did in
`tests/conformance/capacity/scenarios`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.errors import ConfigRefused, Rejected
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.queues import (
    MatcherKind,
    PlacementFallback,
    PlacementRule,
    QueueConfig,
    SchedulerConfig,
)
from kubeyarn.schedulers.capacity.placement import (
    check_rules,
    may_be_created,
    normalize,
    pattern_of,
    place,
    resolve,
)

USER, GROUP, APPLICATION = MatcherKind.USER, MatcherKind.GROUP, MatcherKind.APPLICATION
REJECT, SKIP, DEFAULT = (
    PlacementFallback.REJECT,
    PlacementFallback.SKIP,
    PlacementFallback.PLACE_DEFAULT,
)


class Queues:
    """A tree; *creating* parents make leaves on demand, *branching* ones parents as well."""

    leaves = (
        "root.default",
        "root.users.alice",
        "root.users.dev",
        "root.dev",
        "root.ops",
        "root.x.twin",
        "root.y.twin",
        "root.users.a_dot_b",
        "root.apps.etl",
    )
    parents = ("root", "root.users", "root.apps", "root.x", "root.y", "root.made", "root.branch")
    creating = ("root.made", "root.branch")
    branching = ("root.branch",)

    def path_of(self, name: str) -> str | None:
        known = (*self.leaves, *self.parents)
        if name in known:
            return name
        named = [path for path in known if path.rpartition(".")[2] == name]
        return named[0] if len(named) == 1 else None

    def is_leaf(self, path: str) -> bool:
        return path in self.leaves

    def ambiguous(self, name: str) -> bool:
        known = (*self.leaves, *self.parents)
        return name not in known and sum(p.rpartition(".")[2] == name for p in known) > 1

    def makes_children(self, path: str) -> bool:
        return path in self.creating

    def makes_parents(self, path: str) -> bool:
        return path in self.branching


QUEUES = Queues()


def app(
    user: str = "alice", queue: str = "", groups: tuple[str, ...] = ("dev",), name: str = "etl"
) -> Application:
    return Application(ApplicationId(1, 1), user, queue, groups=groups, name=name)


def rule(
    policy: str, matches: str = "*", kind: MatcherKind = USER, **more: object
) -> PlacementRule:
    return replace(PlacementRule(kind, matches, policy), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "application", "placed"),
    [
        pytest.param([], app(), None, id="nowhere without rules"),
        pytest.param(
            [rule("user", parent_queue="root.users")],
            app("alice"),
            "root.users.alice",
            id="by its user, below a parent (place-user)",
        ),
        pytest.param(
            [rule("user", parent_queue="root.users")],
            app("bob"),
            None,
            id="nowhere when the user's queue is not there and the rule is skipped",
        ),
        pytest.param(
            [rule("user", parent_queue="root.users"), rule("defaultQueue")],
            app("bob"),
            "root.default",
            id="by the next rule, then",
        ),
        pytest.param(
            [rule("user", parent_queue="root.users", fallback=DEFAULT)],
            app("bob"),
            "root.default",
            id="in the default queue, where the rule falls back to it",
        ),
        pytest.param(
            [rule("user", parent_queue="root.users")],
            app("a.b"),
            "root.users.a_dot_b",
            id="with dots of a user's name replaced",
        ),
        pytest.param(
            [rule("primaryGroup")], app(groups=("ops", "x")), "root.ops", id="by its first group"
        ),
        pytest.param(
            [rule("primaryGroup", parent_queue="root.users")],
            app(groups=("dev",)),
            "root.users.dev",
            id="by its first group below a parent (place-primary-group)",
        ),
        pytest.param(
            [rule("primaryGroup", parent_queue="root.users")],
            app("alice", groups=()),
            "root.users.alice",
            id="by its user, who is the group of a user without any",
        ),
        pytest.param(
            [rule("secondaryGroup")],
            app(groups=("dev", "nobody", "ops")),
            "root.ops",
            id="by the first further group that has a queue",
        ),
        pytest.param(
            [rule("secondaryGroup")],
            app(groups=("dev",)),
            None,
            id="nowhere without a further group",
        ),
        pytest.param(
            [rule("applicationName", parent_queue="root.apps")],
            app(name="etl"),
            "root.apps.etl",
            id="by its name",
        ),
        pytest.param(
            [rule("custom", custom_placement="root.users.%user")],
            app("alice"),
            "root.users.alice",
            id="by a pattern",
        ),
        pytest.param(
            [rule("custom", custom_placement="dev")], app(), None, id="nowhere by a twin of a name"
        ),
        pytest.param(
            [rule("custom", custom_placement="root.dev")], app(), "root.dev", id="by a full path"
        ),
        pytest.param(
            [rule("custom", custom_placement="root.users")],
            app(),
            None,
            id="nowhere by a parent's path",
        ),
        pytest.param(
            [rule("custom", custom_placement="root.made.%user")],
            app("carl"),
            "root.made.carl",
            id="in a queue that is created (auto-v1-mapping)",
        ),
        pytest.param(
            [rule("custom", custom_placement="root.made.%user", create=False)],
            app("carl"),
            None,
            id="nowhere where the rule may not create",
        ),
        pytest.param(
            [rule("custom", custom_placement="root.branch.%primary_group.%user")],
            app("carl"),
            "root.branch.dev.carl",
            id="in a branch that is created",
        ),
        pytest.param(
            [rule("custom", custom_placement="root.made.%primary_group.%user")],
            app("carl"),
            None,
            id="nowhere in a branch of a parent that creates leaves alone",
        ),
        pytest.param(
            [rule("setDefaultQueue", value="root.dev"), rule("defaultQueue")],
            app(),
            "root.dev",
            id="in the default queue that a rule set",
        ),
        pytest.param(
            [rule("specified")],
            app(queue="default"),
            "root.default",
            id="in the queue that it names, if rules decide",
        ),
        pytest.param(
            [rule("custom", "bob", custom_placement="root.dev"), rule("defaultQueue")],
            app("alice"),
            "root.default",
            id="not by a rule for another user",
        ),
        pytest.param(
            [rule("custom", "dev", GROUP, custom_placement="root.dev")],
            app(groups=("ops", "dev")),
            "root.dev",
            id="by a rule for any of its groups (place-group)",
        ),
        pytest.param(
            [rule("custom", "etl", APPLICATION, custom_placement="root.apps.etl")],
            app(name="etl"),
            "root.apps.etl",
            id="by a rule for its name",
        ),
        pytest.param(
            [rule("custom", "%primary_group", USER, custom_placement="root.dev")],
            app("dev", groups=("dev",)),
            "root.dev",
            id="by a rule for users who have their group's name",
        ),
    ],
)
def test_an_application_is_placed(
    rules: list[PlacementRule], application: Application, placed: str | None
) -> None:
    assert place(application, rules, QUEUES, override=False) == placed


@pytest.mark.parametrize(
    ("queue", "override", "placed"),
    [
        ("", False, "root.dev"),
        ("default", False, "root.dev"),
        ("root.users.alice", False, None),
        ("root.users.alice", True, "root.dev"),
    ],
    ids=[
        "an application that names none is placed",
        "so is one that names the default queue",
        "one that names a queue is not (place-user-no-override)",
        "unless rules override what users name (place-user-override)",
    ],
)
def test_rules_are_for_applications_without_a_queue(
    queue: str, override: bool, placed: str | None
) -> None:
    rules = [rule("custom", custom_placement="root.dev")]

    assert place(app(queue=queue), rules, QUEUES, override=override) == placed


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([rule("reject")], id="a rule that rejects (place-json-reject)"),
        pytest.param(
            [rule("user", parent_queue="root.users", fallback=REJECT), rule("defaultQueue")],
            id="a rule whose queue is not there and that falls back to rejecting",
        ),
        pytest.param(
            [
                rule("setDefaultQueue", value="root.gone"),
                rule("user", parent_queue="root.users", fallback=DEFAULT),
            ],
            id="a rule that falls back to a default queue that is not there",
        ),
    ],
)
def test_an_application_is_rejected_by(rules: list[PlacementRule]) -> None:
    with pytest.raises(Rejected, match="rejected by a placement rule") as refused:
        place(app("bob"), rules, QUEUES, override=False)

    assert refused.value.reason == "PlacementRejected"


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        (rule("specified"), "%specified"),
        (rule("defaultQueue"), "%default"),
        (rule("user"), "%user"),
        (rule("user", parent_queue="root.p"), "root.p.%user"),
        (rule("primaryGroupUser"), "%primary_group.%user"),
        (rule("secondaryGroupUser", parent_queue="root.p"), "root.p.%secondary_group.%user"),
        (rule("applicationName"), "%application"),
        (rule("custom", custom_placement="root.a.%user"), "root.a.%user"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.policy,
)
def test_a_policy_is_a_path_pattern(given: PlacementRule, pattern: str) -> None:
    assert pattern_of(given) == pattern


@pytest.mark.parametrize(
    ("name", "create", "path"),
    [
        ("root.dev", False, "root.dev"),
        ("default", False, "root.default"),
        ("users.alice", False, "root.users.alice"),
        ("alice", False, "root.users.alice"),
        ("root.users", False, None),
        ("twin", False, None),
        ("root.made.new", False, None),
        ("root.made.new", True, "root.made.new"),
        ("made.new", True, "root.made.new"),
        ("root.users.new", True, None),
        ("root..dev", False, None),
        ("", False, None),
        ("nobody.new", True, None),
    ],
)
def test_a_name_is_the_path_of_a_leaf(name: str, create: bool, path: str | None) -> None:
    assert resolve(name, QUEUES, create=create) == path


@pytest.mark.parametrize(
    ("path", "created"),
    [
        ("root.made.new", True),
        ("root.made.new.deep", False),
        ("root.branch.new", True),
        ("root.branch.new.deep", True),
        ("root.branch.new.deep.deeper", False),
        ("root.users.new", False),
        ("new", False),
    ],
)
def test_a_leaf_may_be_created_below_a_parent_that_creates(path: str, created: bool) -> None:
    assert may_be_created(path, QUEUES) is created


def test_a_short_name_of_a_parent_begins_a_path() -> None:
    assert normalize("users.new", QUEUES) == "root.users.new"
    assert normalize("nobody.new", QUEUES) is None


# -- what is refused when a configuration is read ------------------------------------------------


def config(given: PlacementRule) -> SchedulerConfig:
    return SchedulerConfig(
        queues=(QueueConfig("root"),),
        minimum_allocation=(1, 1),
        maximum_allocation=(9, 9),
        placement_rules=(given,),
    )


@pytest.mark.parametrize(
    "given",
    [
        rule("custom", custom_placement="root.dev"),
        rule("custom", custom_placement="default"),
        rule("custom", custom_placement="root.made.new"),
        rule("custom", custom_placement="root.users.%user"),
        rule("custom", custom_placement="%primary_group.%user"),
        rule("custom", custom_placement="root.branch.new.%user"),
        rule("user", parent_queue="root.users"),
        rule("defaultQueue"),
        rule("reject"),
        rule("setDefaultQueue", value="root.gone"),
    ],
    ids=lambda value: value.custom_placement or value.policy,
)
def test_a_rule_that_can_place_is_taken(given: PlacementRule) -> None:
    check_rules(config(given), QUEUES)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("root.gone", "the queue does not exist and nothing makes it"),
        ("root.users", "the queue is not a leaf"),
        ("twin", "several queues have this name; use the full path"),
        ("gone.%user", "queue 'gone' does not exist"),
        ("root.dev.%user", "root.dev is a leaf and has no queues below it"),
        ("root.users.gone.%user", "no queue on the path exists or may be made"),
        ("root..%user", "a part of the path is empty"),
        ("", "a part of the path is empty"),
    ],
)
def test_a_rule_that_can_never_place_is_refused(target: str, why: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        check_rules(config(rule("custom", custom_placement=target)), QUEUES)

    [problem] = refused.value.problems
    assert (problem.queue, problem.field) == ("root", "placement rules")
    assert problem.message == f"target {target!r}: {why}"
