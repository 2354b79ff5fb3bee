"""The allocation file."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.fair_scheduler_xml import Allocations, read_allocations
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.fair_queues import (
    FairClusterConfig,
    FairPolicy,
    FairQueueConfig,
    FairRule,
    FairRuleKind,
    ResourceLimit,
)
from kubeyarn.model.queues import Access, QueueConfig

TYPES = ("memory", "cpu")


def read(body: str) -> Allocations:
    return read_allocations(f"<allocations>{body}</allocations>", TYPES, FairClusterConfig())


def queue(body: str, path: str) -> QueueConfig:
    return next(q for q in read(body).queues if q.path == path)


def fair(body: str, path: str) -> FairQueueConfig:
    found = queue(body, path).fair
    assert found is not None
    return found


def test_every_field_of_a_queue_is_read() -> None:
    said = fair(
        """<queue name="a">
             <weight>2.5</weight><minResources>1024 mb, 1 vcores</minResources>
             <maxResources>50%</maxResources><maxRunningApps>7</maxRunningApps>
             <maxAMShare>0.3</maxAMShare><schedulingPolicy>FIFO</schedulingPolicy>
             <minSharePreemptionTimeout>5</minSharePreemptionTimeout>
             <fairSharePreemptionTimeout>6</fairSharePreemptionTimeout>
             <fairSharePreemptionThreshold>1.5</fairSharePreemptionThreshold>
             <allowPreemptionFrom>false</allowPreemptionFrom>
             <maxContainerAllocation>2048 mb,2 vcores</maxContainerAllocation>
           </queue>""",
        "root.a",
    )

    assert said == FairQueueConfig(
        weight=2.5,
        minimum=(1024, 1),
        maximum=ResourceLimit(fractions=(0.5, 0.5)),
        maximum_container=(2048, 2),
        policy=FairPolicy.FIFO,
        maximum_running_applications=7,
        maximum_am_share=0.3,
        min_share_preemption_timeout_ms=5000,
        fair_share_preemption_timeout_ms=6000,
        fair_share_preemption_threshold=1.0,
        allow_preemption_from=False,
    )


def test_a_queue_with_queues_inside_is_a_parent() -> None:
    body = '<queue name="a"><queue name="b"/><pool name="c"/></queue><queue name="d"/>'

    assert [q.path for q in read(body).queues] == [
        "root",
        "root.a",
        "root.a.b",
        "root.a.c",
        "root.d",
    ]
    assert fair(body, "root.a").parent
    assert not fair(body, "root.a.b").parent


def test_a_queue_can_be_declared_a_parent_without_children() -> None:
    assert fair('<queue name="a" type="parent"/>', "root.a").parent


def test_root_may_be_declared_when_it_holds_all_others() -> None:
    body = '<queue name="root"><weight>3</weight><queue name="a"/></queue>'

    assert fair(body, "root").weight == 3.0
    assert queue(body, "root.a").parent == "root"


def test_access_is_read_as_users_and_groups() -> None:
    body = '<queue name="a"><aclSubmitApps>al,bo devs</aclSubmitApps></queue>'
    body += '<queue name="b"><aclSubmitApps>*</aclSubmitApps></queue>'
    body += '<queue name="c"><aclAdministerApps> ops</aclAdministerApps></queue>'

    assert queue(body, "root.a").submit == Access(
        users=frozenset({"al", "bo"}), groups=frozenset({"devs"})
    )
    assert queue(body, "root.b").submit == Access(everyone=True)
    assert queue(body, "root.c").administer == Access(groups=frozenset({"ops"}))


def test_what_goes_for_all_queues_is_read() -> None:
    cluster = read(
        """<queueMaxAppsDefault>3</queueMaxAppsDefault>
           <queueMaxAMShareDefault>-1.0</queueMaxAMShareDefault>
           <queueMaxResourcesDefault>2048 mb,2 vcores</queueMaxResourcesDefault>
           <defaultQueueSchedulingPolicy>drf</defaultQueueSchedulingPolicy>
           <defaultFairSharePreemptionTimeout>10</defaultFairSharePreemptionTimeout>
           <defaultMinSharePreemptionTimeout>11</defaultMinSharePreemptionTimeout>
           <defaultFairSharePreemptionThreshold>0.8</defaultFairSharePreemptionThreshold>
           <userMaxAppsDefault>1</userMaxAppsDefault>
           <user name="bob"><maxRunningApps>2</maxRunningApps></user>"""
    ).cluster

    assert cluster.defaults.maximum_running_applications == 3
    assert cluster.defaults.maximum_am_share == -1.0
    assert cluster.defaults.maximum.of((9, 9)) == (2048, 2)
    assert cluster.defaults.policy is FairPolicy.DRF
    assert cluster.defaults.fair_share_preemption_timeout_ms == 10_000
    assert cluster.defaults.min_share_preemption_timeout_ms == 11_000
    assert cluster.defaults.fair_share_preemption_threshold == 0.8
    assert cluster.user_maximum_default == 1
    assert cluster.user_maximum == (("bob", 2),)


def test_the_legacy_timeout_counts_where_the_new_one_is_not_said() -> None:
    old = "<fairSharePreemptionTimeout>4</fairSharePreemptionTimeout>"
    new = "<defaultFairSharePreemptionTimeout>5</defaultFairSharePreemptionTimeout>"

    assert read(old).cluster.defaults.fair_share_preemption_timeout_ms == 4000
    assert read(old + new).cluster.defaults.fair_share_preemption_timeout_ms == 5000


def test_a_default_nobody_needs_is_not_even_read() -> None:
    """What root says itself, or a newer name says, is what counts; the other may be nonsense."""
    root = '<queue name="root"><minSharePreemptionTimeout>7</minSharePreemptionTimeout></queue>'
    unread = "<defaultMinSharePreemptionTimeout>soon</defaultMinSharePreemptionTimeout>"
    newer = "<defaultFairSharePreemptionTimeout>5</defaultFairSharePreemptionTimeout>"
    older = "<fairSharePreemptionTimeout>soon</fairSharePreemptionTimeout>"

    defaults = read(root + unread + newer + older).cluster.defaults

    assert defaults.fair_share_preemption_timeout_ms == 5000


def test_the_default_policy_is_the_one_said_last_by_either_name() -> None:
    drf = "<defaultQueueSchedulingPolicy>drf</defaultQueueSchedulingPolicy>"
    fair_mode = "<defaultQueueSchedulingMode>fair</defaultQueueSchedulingMode>"

    assert read(drf + fair_mode).cluster.defaults.policy is FairPolicy.FAIR
    assert read(fair_mode + drf).cluster.defaults.policy is FairPolicy.DRF


def test_a_policy_may_be_said_by_its_full_class_name() -> None:
    package = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.policies"
    name = f"{package}.DominantResourceFairnessPolicy"

    body = f'<queue name="a"><schedulingPolicy>{name}</schedulingPolicy></queue>'

    assert fair(body, "root.a").policy is FairPolicy.DRF


def test_seconds_beyond_the_range_wrap_around_as_in_java() -> None:
    most = 2**63 - 1
    body = f"<defaultMinSharePreemptionTimeout>{most}</defaultMinSharePreemptionTimeout>"

    assert read(body).cluster.defaults.min_share_preemption_timeout_ms == -1000


def test_a_queue_said_twice_has_what_both_say() -> None:
    body = '<queue name="a"><weight>2</weight><maxRunningApps>3</maxRunningApps></queue>'
    body += '<queue name="a" type="parent"><maxRunningApps>4</maxRunningApps></queue>'

    assert fair(body, "root.a") == FairQueueConfig(
        weight=2.0, maximum_running_applications=4, parent=True
    )


def test_a_queue_for_reservations_is_a_parent() -> None:
    assert fair('<queue name="a"><reservation/></queue>', "root.a") == FairQueueConfig(
        parent=True, reservable=True
    )


def test_queues_in_a_root_in_capitals_exist_without_their_settings() -> None:
    body = '<queue name="ROOT"><queue name="a"><weight>2</weight></queue></queue>'

    assert [q.path for q in read(body).queues] == ["root", "root.ROOT", "root.ROOT.a"]
    assert fair(body, "root.ROOT.a") == FairQueueConfig()


@pytest.mark.parametrize("text", ["*", " * ", " *", "* ops", "al *"])
def test_a_star_for_users_or_groups_is_everybody(text: str) -> None:
    body = f'<queue name="a"><aclSubmitApps>{text}</aclSubmitApps></queue>'

    assert queue(body, "root.a").submit == Access(everyone=True)


def test_a_placement_policy_without_rules_leaves_those_in_force() -> None:
    before = FairClusterConfig(rules=(FairRule(FairRuleKind.REJECT),))
    none = "<allocations><queuePlacementPolicy> </queuePlacementPolicy></allocations>"

    assert read_allocations(none, TYPES, before).cluster.rules == before.rules
    assert read_allocations("<allocations/>", TYPES, before).cluster.rules == ()


def test_what_stands_inside_an_inner_rule_is_not_looked_at() -> None:
    rules = read(
        """<queuePlacementPolicy><rule name="user"><rule name="default" queue="teams">
             <rule name="unheard"/></rule></rule></queuePlacementPolicy>"""
    ).cluster.rules

    assert rules == (
        FairRule(FairRuleKind.USER, parent=FairRule(FairRuleKind.DEFAULT, queue="teams")),
    )


def test_placement_rules_are_read_with_the_rule_inside() -> None:
    rules = read(
        """<queuePlacementPolicy>
             <rule name="specified" create="false"/>
             <rule name="nestedUserQueue"><rule name="primaryGroup" create="false"/></rule>
             <rule name="default" queue="rest"/>
           </queuePlacementPolicy>"""
    ).cluster.rules

    assert rules == (
        FairRule(FairRuleKind.SPECIFIED, create=False),
        FairRule(
            FairRuleKind.NESTED_USER, parent=FairRule(FairRuleKind.PRIMARY_GROUP, create=False)
        ),
        FairRule(FairRuleKind.DEFAULT, queue="rest"),
    )


def test_a_namespace_changes_nothing() -> None:
    text = '<allocations xmlns="urn:x"><queue name="a"><weight>2</weight></queue></allocations>'

    assert read_allocations(text, TYPES, FairClusterConfig()).queues[1].path == "root.a"


def test_an_element_with_a_prefix_is_another_one() -> None:
    fields = "<weight>2</weight><f:weight>3</f:weight>"

    assert fair(f'<queue name="a">{fields}</queue>', "root.a") == FairQueueConfig(weight=2.0)
    with pytest.raises(ConfigRefused, match="the outermost element is <f:allocations>"):
        read_allocations('<f:allocations xmlns:f="urn:x"/>', TYPES, FairClusterConfig())


def test_unknown_elements_and_comments_change_nothing() -> None:
    body = '<!-- hello --><unheard>1</unheard><queue name="a"><unheard/><weight>2</weight></queue>'

    assert fair(body, "root.a") == FairQueueConfig(weight=2.0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('<queue name="a"><weight>heavy</weight></queue>', "weight"),
        ('<queue name="a"><weight></weight></queue>', "weight"),
        ('<queue name="a"><maxRunningApps>few</maxRunningApps></queue>', "maxRunningApps"),
        ('<queue name="a"><maxRunningApps>3000000000</maxRunningApps></queue>', "maxRunningApps"),
        ('<queue name="a"><maxResources>lots</maxResources></queue>', "maxResources"),
        (
            '<queue name="a"><schedulingPolicy>lottery</schedulingPolicy></queue>',
            "schedulingPolicy",
        ),
        ('<queue name="a"><maxAMShare>1</maxAMShare><queue name="b"/></queue>', "maxAMShare"),
        ('<queue name="a.b"/>', "name"),
        ('<queue name=" "/>', "name"),
        ('<queue name="root"/><queue name="a"/>', "queue"),
        (
            "<defaultQueueSchedulingPolicy>fifo</defaultQueueSchedulingPolicy>",
            "defaultQueueSchedulingPolicy",
        ),
        ("<userMaxAppsDefault>x</userMaxAppsDefault>", "userMaxAppsDefault"),
        ('<user name="u"><maxRunningApps>x</maxRunningApps></user>', "user"),
        ("<queuePlacementPolicy></queuePlacementPolicy>", "queuePlacementPolicy"),
        (
            '<queue name="a"><schedulingPolicy>FairSharePolicy</schedulingPolicy></queue>',
            "schedulingPolicy",
        ),
        ('<queue name="a"><reservation/><queue name="b"/></queue>', "reservation"),
        ('<queue name="a"><aclListReservations/></queue>', "aclListReservations"),
        ('<queue name="a"><weight>NaN</weight></queue>', "weight"),
        ("<reservation-agent></reservation-agent>", "reservation-agent"),
        (
            (
                "<defaultQueueSchedulingPolicy>FIFO</defaultQueueSchedulingPolicy>"
                "<defaultQueueSchedulingMode>drf</defaultQueueSchedulingMode>"
            ),
            "defaultQueueSchedulingPolicy",
        ),
        (
            '<queuePlacementPolicy><rule name="weekday"/></queuePlacementPolicy>',
            "queuePlacementPolicy",
        ),
        (
            (
                '<queuePlacementPolicy><rule name="default"/><rule name="specified"/>'
                "</queuePlacementPolicy>"
            ),
            "queuePlacementPolicy",
        ),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(body: str, field: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        read(body)

    assert refused.value.problems[0].field == field


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<allocations><queue", id="cut off"),
        pytest.param("", id="empty"),
        pytest.param("<!DOCTYPE allocations><allocations/>", id="a document type"),
        pytest.param("<queues/>", id="another root"),
        pytest.param(
            '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><allocations>&e;</allocations>',
            id="an entity",
        ),
    ],
)
def test_what_is_no_allocation_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused):
        read_allocations(text, TYPES, FairClusterConfig())
