"""What root says to the Fair Scheduler of the whole cluster."""

from __future__ import annotations

import pytest

from kubeyarn.model.fair_queues import (
    FairClusterConfig,
    FairOffers,
    FairPolicy,
    FairPreemption,
    FairRule,
    FairRuleKind,
    ResourceLimit,
)
from kubeyarn.model.resources import ResourceTypes
from unit.crd.builders import a_queue, as_stored, read_queues, spec_schema

GIB = 2**30


def read(**fair):
    cluster = {"scheduler": "Fair", "fair": fair}
    return read_queues([a_queue("root", cluster=cluster)], ResourceTypes())


def settings_of(**fair):
    found = read(**fair)
    assert found.problems == ()
    assert found.config is not None
    assert found.config.fair is not None
    return found.config.fair


def test_what_is_not_said_is_as_hadoop_has_it():
    assert settings_of() == FairClusterConfig()


def test_rules_are_read_with_the_rules_inside_them():
    below = {"policy": "default", "queue": "root.users", "create": False}
    fair = settings_of(
        placementRules=[
            {"policy": "specified", "create": False},
            {"policy": "nestedUserQueue", "parent": {"policy": "primaryGroup"}},
            {"policy": "user", "parent": below},
            {"policy": "reject"},
        ]
    )

    inside = FairRule(FairRuleKind.DEFAULT, create=False, queue="root.users")
    assert fair.rules == (
        FairRule(FairRuleKind.SPECIFIED, create=False),
        FairRule(FairRuleKind.NESTED_USER, parent=FairRule(FairRuleKind.PRIMARY_GROUP)),
        FairRule(FairRuleKind.USER, parent=inside),
        FairRule(FairRuleKind.REJECT),
    )


def test_defaults_limits_and_thresholds_are_read():
    fair = settings_of(
        allowUndeclaredQueues=False,
        userAsDefaultQueue=False,
        defaults={
            "policy": "Drf",
            "maxRunningApplications": 5,
            "maxAMShare": "-1",
            "maxResources": {"memory": "4Gi"},
        },
        maxRunningApplicationsPerUser=3,
        maxRunningApplicationsOf={"alice": 7},
        sizeBasedWeight=True,
        nodeLocalityThreshold="50%",
        preemptionUtilizationThreshold="60%",
    )

    assert (fair.allow_undeclared, fair.user_as_default) == (False, False)
    assert fair.defaults.policy is FairPolicy.DRF
    assert fair.defaults.maximum == ResourceLimit(amounts=(4 * GIB, None), fractions=(None, None))
    assert (fair.defaults.maximum_running_applications, fair.defaults.maximum_am_share) == (5, -1)
    assert (fair.user_maximum_default, fair.user_maximum) == (3, (("alice", 7),))
    assert fair.size_based_weight
    assert (fair.offers.node_locality_threshold, fair.offers.rack_locality_threshold) == (0.5, -1)
    assert fair.preemption.utilization_threshold == 0.6


def test_offers_and_the_preemption_of_masters_are_read():
    fair = settings_of(
        preemptMasters=False,
        preemptMastersOf={"root.b": True},
        waitBeforeNextStarvationCheckSeconds=3,
        assignMultiple=True,
        dynamicMaximumAssign=False,
        maximumAssign=4,
        rackLocalityThreshold="25%",
        reservableNodes="10%",
        reservationThresholdIncrements=6,
    )

    assert fair.preemption == FairPreemption(
        masters=False, masters_of=(("root.b", True),), wait_before_next_check_ms=3000
    )
    assert fair.offers == FairOffers(
        multiple=True,
        dynamic_maximum=False,
        maximum=4,
        rack_locality_threshold=0.25,
        reservable_nodes=0.1,
        reservation_multiple=6,
    )


def test_the_api_servers_defaults_are_hadoops():
    spec = as_stored(spec_schema("YarnQueue"), {"cluster": {"fair": {"defaults": {}}}})
    fair = settings_of(**spec["cluster"]["fair"])

    assert fair.preemption == FairPreemption()
    assert fair.offers == FairOffers()


@pytest.mark.parametrize(
    ("fair", "field"),
    [
        ({"placementRules": [{"policy": "odd"}]}, "spec.cluster.fair.placementRules[0].policy"),
        ({"maxRunningApplicationsOf": {"bob": "x"}}, "spec.cluster.fair.maxRunningApplicationsOf"),
        ({"defaults": {"maxAMShare": "much"}}, "spec.cluster.fair.defaults.maxAMShare"),
    ],
    ids=["policy", "users", "share"],
)
def test_what_is_wrong_is_named(fair, field):
    problem = read(**fair).problems[0]
    assert (problem.queue, problem.reason) == ("root", "InvalidField")
    assert problem.field == field


def test_what_queues_made_on_demand_may_use_is_read():
    queue = a_queue("root.a", fair={"maxChildResources": {"memory": "2Gi"}})
    root = a_queue("root", cluster={"scheduler": "Fair"})
    config = read_queues([root, queue], ResourceTypes()).config
    assert config is not None
    found = next(one for one in config.queues if one.path == "root.a").fair
    assert found is not None
    assert found.child_maximum == ResourceLimit(amounts=(2 * GIB, None), fractions=(None, None))
