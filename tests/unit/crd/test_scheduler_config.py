"""YarnQueue objects as a scheduler configuration."""

from __future__ import annotations

import itertools

import pytest

from kubeyarn.crd import scheduler_config
from kubeyarn.crd.field_reader import FieldReader
from kubeyarn.crd.scheduler_config_cluster import read_cluster
from kubeyarn.model import queues as model
from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import ResourceTypes
from unit.crd.builders import a_queue, as_stored, read_queues, some, spec_schema, unchecked

TYPES = ResourceTypes()
GIB = 2**30


def config_of(*objects, types=TYPES):
    tree = read_queues(objects, types)
    assert tree.problems == ()
    assert tree.config is not None
    return tree.config


def queue_of(config, path):
    return next(queue for queue in config.queues if queue.path == path)


def problem_of(*objects):
    tree = read_queues(objects, TYPES)
    assert len(tree.problems) == 1
    return tree.problems[0]


def test_a_root_alone_has_the_documented_cluster_settings():
    config = config_of(a_queue("root"))

    assert config.kind is model.SchedulerKind.CAPACITY
    assert config.minimum_allocation == (GIB, 1000)
    assert config.increment_allocation == (GIB, 1000)
    assert config.maximum_allocation == (64 * GIB, 32000)
    assert config.dominant
    assert config.legacy_queue_mode
    assert config.corrections
    assert config.maximum_application_priority == 10
    assert not config.preemption.enabled


def test_cluster_settings_are_read():
    config = config_of(
        a_queue(
            "root",
            cluster={
                "scheduler": "Fair",
                "resourceCalculator": "Default",
                "minimumAllocation": {"memory": "512Mi"},
                "maximumAllocation": {"cpu": 8, "memory": "32Gi"},
                "partitions": [{"name": "gpu"}, {"name": "spot", "exclusive": False}],
                "maximumApplicationPriority": 0,
                "preemption": {"enabled": True, "intervalSeconds": 5, "totalPerRound": "25%"},
                "placementRules": [{"type": "user", "matches": "alice", "policy": "specified"}],
            },
        )
    )

    assert config.kind is model.SchedulerKind.FAIR
    assert not config.dominant
    assert config.minimum_allocation == (GIB // 2, 1000)
    assert config.maximum_allocation == (32 * GIB, 8000)
    assert config.partitions == (model.Partition("gpu"), model.Partition("spot", exclusive=False))
    assert config.maximum_application_priority == 0
    assert config.preemption.enabled
    assert config.preemption.interval_ms == 5000
    assert config.preemption.total_per_round == 0.25
    assert config.preemption.natural_termination == 0.2
    assert config.placement_rules[0].matches == "alice"
    assert config.fair is not None
    assert config.memory_per_mib == 2**20
    assert config.fair.preemption.enabled


def test_what_is_said_of_offers_and_limits_of_the_cluster_is_read():
    config = config_of(
        a_queue(
            "root",
            cluster={
                "maximumApplications": 50,
                "maximumApplicationsPerQueue": 5,
                "placementRulesOverride": True,
                "mastersInSharedPartitions": True,
                "offers": {
                    "multipleAssignments": False,
                    "maximumAssignments": 7,
                    "maximumOffSwitchAssignments": 3,
                    "nodeLocalityDelay": 4,
                    "rackLocalityAdditionalDelay": 5,
                    "rackLocalityFullReset": False,
                    "reservationsContinueLook": False,
                    "skipReservedNodes": True,
                },
            },
        )
    )

    assert (config.maximum_applications, config.maximum_applications_per_queue) == (50, 5)
    assert config.placement_override
    assert config.am_in_shared_partitions
    assert config.offers == model.OfferConfig(
        multiple_assignments=False,
        maximum_assignments=7,
        maximum_offswitch=3,
        node_locality_delay=4,
        rack_additional_delay=5,
        rack_full_reset=False,
        continue_look_at_reservations=False,
        skip_reserved_nodes=True,
    )


def test_what_holds_for_queues_that_do_not_say_it_is_read():
    config = config_of(
        a_queue(
            "root",
            cluster={
                "maximumAMShare": "0%",
                "userLimitFactor": "0",
                "minimumUserLimitPercent": "33.3",
                "maximumParallelApplications": 0,
            },
        )
    )

    assert config.maximum_am_share == 0
    assert config.user_limit_factor == 0
    assert config.minimum_user_limit_percent == 33.3
    assert config.maximum_parallel_applications == 0


def test_what_nobody_says_is_as_hadoop_has_it():
    config = config_of(a_queue("root"))

    assert config.maximum_am_share == 0.1
    assert config.user_limit_factor == 1
    assert config.minimum_user_limit_percent == 100
    assert config.maximum_parallel_applications is None


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        (1, 1),
        (100, 100),
        (25, 25),
        ("33.3", 33.3),
        ("1", 1),
        ("100.0", 100),
        ("99.999999999", 99.999999999),
    ],
)
def test_a_least_part_of_a_user_may_be_a_fraction_of_a_percent(said, percent):
    config = config_of(a_queue("root"), a_queue("root.a", minimumUserLimitPercent=said))

    assert queue_of(config, "root.a").minimum_user_limit_percent == percent


@pytest.mark.parametrize("said", [0, 101, "0.5", "100.1", "-1", "x", "", True, 33.3, [1]])
def test_a_least_part_of_a_user_is_from_1_to_100(said):
    problem = problem_of(a_queue("root"), a_queue("root.a", minimumUserLimitPercent=said))

    assert problem.field == "spec.minimumUserLimitPercent"


def test_what_a_queue_has_of_a_partition_may_be_said_by_resource():
    types = ResourceTypes(("memory", "cpu", "nvidia.com/gpu"))
    config = config_of(
        a_queue("root"),
        a_queue(
            "root.a",
            partitions=[
                {
                    "name": "gpu",
                    "capacityByResource": {"memory": "16Gi", "nvidia.com/gpu": 2},
                    "maximumCapacityByResource": {"memory": "32Gi"},
                },
                {"name": "mixed", "capacityByResource": {"memory": "50%", "cpu": "2w"}},
                {"name": "plain"},
            ],
        ),
        types=types,
    )
    gpu, mixed, plain = queue_of(config, "root.a").partitions

    assert gpu.capacity == model.absolute((16 * GIB, 0, 2))
    assert gpu.maximum == model.absolute((32 * GIB, 0, 0))
    assert mixed.capacity == model.Capacity(
        by_resource=(
            model.Share(model.Unit.PERCENT, 50.0),
            model.Share(model.Unit.WEIGHT, 2.0),
            model.Share(model.Unit.ABSOLUTE, 0.0),
        )
    )
    assert (plain.capacity, plain.maximum) == (model.percent(0), None)


def test_what_a_queue_has_of_a_partition_is_said_once():
    both = {"name": "gpu", "capacity": "5%", "capacityByResource": {"memory": "1Gi"}}
    problem = problem_of(a_queue("root"), a_queue("root.a", partitions=[both]))

    assert problem.field == "spec.partitions[0].capacity"


def test_limits_of_users_and_the_partition_of_masters_are_read():
    config = config_of(
        a_queue(
            "root",
            cluster={
                "maximumParallelApplicationsPerUser": 3,
                "maximumParallelApplicationsOf": {"alice": 9},
                "masterPartition": "masters",
            },
        )
    )

    assert config.user_maximum_parallel_applications == 3
    assert config.maximum_parallel_applications_of == {"alice": 9}
    assert config.am_default_partition == "masters"


def test_priorities_of_users_and_enforced_partitions_are_read():
    config = config_of(
        a_queue("root", allowZeroCapacitySum=True),
        a_queue(
            "root.a",
            capacity="100%",
            ordering={"applications": "FifoWithPartitions", "enforcedPartitions": ["gpu"]},
            priorityAccess=[
                {"users": ["alice"], "groups": ["ops"], "maximumPriority": 5, "defaultPriority": 2},
                {"users": ["*"], "maximumPriority": 1},
            ],
        ),
    )
    queue = queue_of(config, "root.a")

    assert queue_of(config, "root").allow_zero_capacity_sum
    assert queue.enforced_partitions == {"gpu"}
    assert queue.priority_access == (
        model.PriorityAccess(
            model.Access(users=frozenset({"alice"}), groups=frozenset({"ops"})), 5, 2
        ),
        model.PriorityAccess(model.Access(everyone=True, users=frozenset({"*"})), 1),
    )


def test_every_word_on_preemption_is_read():
    config = config_of(
        a_queue(
            "root",
            cluster={
                "preemption": {
                    "enabled": True,
                    "observeOnly": True,
                    "lazy": True,
                    "conservativeDrf": True,
                    "forReservedContainers": True,
                    "balanceReservedContainers": True,
                    "balanceAfterSatisfied": True,
                    "balanceMaximumWaitBeforeKillSeconds": 9,
                    "intraQueue": {
                        "enabled": True,
                        "minimumThreshold": "25%",
                        "maximumAllowable": "75%",
                        "conservativeDrf": False,
                    },
                    "underutilized": {"enabled": True, "delaySeconds": 8, "moveReservation": True},
                }
            },
        )
    )

    assert config.lazy_preemption
    assert config.preemption == model.PreemptionConfig(
        enabled=True,
        observe_only=True,
        conservative_drf=True,
        select_on_reserved=True,
        additional_balance_on_reserved=True,
        balance_after_satisfied=True,
        balance_wait_before_kill_ms=9000,
        intra_queue=True,
        intra_queue_minimum_threshold=0.25,
        intra_queue_maximum_allowable=0.75,
        intra_queue_conservative_drf=False,
        underutilized=True,
        underutilized_delay_ms=8000,
        underutilized_move_reservation=True,
    )


@pytest.mark.parametrize(("said", "corrected"), [(True, True), (False, False), (None, True)])
def test_corrections_are_on_unless_root_switches_them_off(said, corrected):
    config = config_of(a_queue("root", cluster={} if said is None else {"corrections": said}))

    assert config.corrections is corrected


def test_the_api_servers_defaults_are_hadoops():
    preemption = {"intraQueue": {}, "underutilized": {}}
    said = {"cluster": {"offers": {}, "preemption": preemption}, "ordering": {}, "preemption": {}}
    spec = as_stored(spec_schema("YarnQueue"), said)
    config = config_of(a_queue("root", **spec))

    assert config.offers == model.OfferConfig()
    assert config.preemption == model.PreemptionConfig()
    assert (config.maximum_applications, config.maximum_applications_per_queue) == (10_000, -1)
    assert not config.lazy_preemption


def test_every_field_of_a_queue_is_read():
    config = config_of(
        a_queue("root"),
        a_queue(
            "root.etl",
            state="Stopped",
            capacity="60%",
            maximumCapacity="80%",
            partitions=[{"name": "gpu", "capacity": "50%", "maximumAMShare": "20%"}],
            accessiblePartitions=["gpu"],
            defaultPartition="gpu",
            minimumUserLimitPercent=25,
            userLimitFactor="1.5",
            userWeights={"bob": "2", "alice": "0.5"},
            maximumAMShare="30%",
            maximumApplications=1000,
            maximumParallelApplications=50,
            maximumParallelApplicationsPerUser=5,
            maximumAllocation={"cpu": "8"},
            ordering={"applications": "Fair", "sizeBasedWeight": True, "children": "Utilization"},
            priority=-3,
            defaultApplicationPriority=2,
            preemption={"disabled": True, "intraQueueDisabled": False},
            lifetime={"defaultSeconds": 60, "maximumSeconds": 3600},
            fair={"weight": "2.5", "policy": "Drf", "maxAMShare": "-1", "maxResources": {"cpu": 4}},
        ),
    )
    queue = queue_of(config, "root.etl")

    assert queue.state is model.ConfiguredState.STOPPED
    assert queue.capacity == model.percent(60)
    assert queue.maximum_capacity == model.percent(80)
    assert queue.partitions == (
        model.QueuePartition("gpu", capacity=model.percent(50), maximum_am_share=0.2),
    )
    assert queue.accessible_partitions == frozenset({"gpu"})
    assert queue.default_partition == "gpu"
    assert queue.minimum_user_limit_percent == 25
    assert queue.user_limit_factor == 1.5
    assert queue.user_weights == (("alice", 0.5), ("bob", 2.0))
    assert queue.maximum_am_share == 0.3
    assert queue.maximum_applications == 1000
    assert queue.maximum_parallel_applications == 50
    assert queue.maximum_parallel_applications_per_user == 5
    assert queue.maximum_allocation == {1: 8000}
    assert queue.application_ordering is model.ApplicationOrdering.FAIR
    assert queue.size_based_weight is True
    assert queue.child_ordering is model.ChildOrdering.UTILIZATION
    assert queue.priority == -3
    assert queue.default_application_priority == 2
    assert queue.preemption_disabled is True
    assert queue.intra_queue_preemption_disabled is False
    assert queue.default_lifetime_seconds == 60
    assert queue.maximum_lifetime_seconds == 3600
    assert queue.fair is not None
    assert queue.fair.weight == 2.5
    assert queue.fair.policy is FairPolicy.DRF
    assert queue.fair.maximum_am_share == -1
    assert queue.fair.maximum is not None
    assert queue.fair.maximum.of((100, 100)) == (2**63 - 1, 4000)


def test_a_silent_field_stays_silent_so_that_defaults_and_parents_speak():
    queue = queue_of(config_of(a_queue("root"), a_queue("root.a")), "root.a")

    assert queue == model.QueueConfig("root.a", order=1)


def test_capacities_may_be_weights_amounts_or_mixed():
    types = ResourceTypes(("memory", "cpu", "nvidia.com/gpu"))
    config = config_of(
        a_queue("root"),
        a_queue("root.a", capacity="3w"),
        a_queue(
            "root.b", capacityByResource={"memory": "160Gi", "cpu": "50%", "nvidia.com/gpu": "2w"}
        ),
        a_queue("root.c", maximumCapacityByResource={"memory": "160Gi"}),
        a_queue("root.d", maximumCapacityByResource={"memory": "50%"}),
        types=types,
    )
    share = model.Share

    assert queue_of(config, "root.a").capacity == model.weight(3)
    assert queue_of(config, "root.b").capacity == model.Capacity(
        by_resource=(
            share(model.Unit.ABSOLUTE, 160.0 * GIB),
            share(model.Unit.PERCENT, 50.0),
            share(model.Unit.WEIGHT, 2.0),
        )
    )
    assert queue_of(config, "root.c").maximum_capacity == model.absolute((160 * GIB, 0, 0))
    assert queue_of(config, "root.d").maximum_capacity == model.Capacity(
        by_resource=(
            share(model.Unit.PERCENT, 50.0),
            share(model.Unit.PERCENT, 100.0),
            share(model.Unit.PERCENT, 100.0),
        )
    )


def test_the_order_of_the_objects_does_not_matter():
    objects = [a_queue("root"), a_queue("root.b"), a_queue("root.a"), a_queue("root.a.x")]
    tree, *others = (read_queues(order, TYPES) for order in itertools.permutations(objects))

    assert all(other == tree for other in others)
    assert tree.config is not None
    assert [queue.path for queue in tree.config.queues] == ["root", "root.a", "root.a.x", "root.b"]


def test_no_queue_is_no_configuration_and_no_problem():
    assert read_queues([], TYPES) == scheduler_config.QueuesRead(None, ())


def test_a_queue_without_its_parent_is_reported_and_the_rest_goes_on():
    tree = read_queues([a_queue("root"), a_queue("root.a"), a_queue("root.x.y")], TYPES)

    (problem,) = tree.problems
    assert (problem.queue, problem.reason) == ("root.x.y", "ParentNotFound")
    assert "root.x" in problem.message
    assert tree.config is not None
    assert [queue.path for queue in tree.config.queues] == ["root", "root.a"]


def test_without_root_every_queue_says_so():
    tree = read_queues([a_queue("root.a")], TYPES)

    assert tree.config is None
    assert [problem.reason for problem in tree.problems] == ["ParentNotFound"]


@pytest.mark.parametrize(
    ("spec", "field", "found", "allowed"),
    [
        ({"capacity": "130%"}, "spec.capacity", "130%", '"100%"'),
        ({"capacity": 60}, "spec.capacity", "60", "percentage"),
        ({"maximumCapacity": "3w"}, "spec.maximumCapacity", "3w", '"100%"'),
        ({"userLimitFactor": "-2"}, "spec.userLimitFactor", "-2", "0 or more"),
        ({"maximumApplications": -1}, "spec.maximumApplications", "-1", "0 or more"),
        ({"minimumUserLimitPercent": 0}, "spec.minimumUserLimitPercent", "0", "1 to 100"),
        ({"state": "Paused"}, "spec.state", "Paused", "Running, Stopped"),
        ({"userWeights": {"al": "x"}}, "spec.userWeights", "'x'", "number"),
        ({"maximumAllocation": {"cpu": "0"}}, "spec.maximumAllocation", "'0'", "above 0"),
        ({"maximumAllocation": {"gpu": "1"}}, "spec.maximumAllocation", "gpu", "memory, cpu"),
        ({"capacityByResource": {"memory": "1 Gi"}}, "spec.capacityByResource", "1 Gi", "quantity"),
        ({"ordering": {"children": "No"}}, "spec.ordering.children", "No", "Utilization"),
        ({"ordering": []}, "spec.ordering", "[]", "object"),
        ({"accessiblePartitions": "gpu"}, "spec.accessiblePartitions", "gpu", "list"),
        ({"priority": True}, "spec.priority", "True", "integer"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_found_and_what_is_allowed(
    spec, field, found, allowed
):
    problem = problem_of(a_queue("root"), a_queue("root.a", **spec))

    assert (problem.queue, problem.reason, problem.field) == ("root.a", "InvalidField", field)
    assert found in problem.message
    assert allowed in problem.message
    assert problem.message.startswith(field)


def test_capacity_said_twice_is_refused():
    problem = problem_of(
        a_queue("root"), a_queue("root.a", capacity="1%", capacityByResource={"memory": "1Gi"})
    )

    assert problem.field == "spec.capacity"
    assert "found both" in problem.message


def test_a_queue_that_does_not_parse_is_left_out_with_all_below_it():
    tree = read_queues(
        [a_queue("root"), a_queue("root.a", capacity="oops"), a_queue("root.a.x", capacity="5%")],
        TYPES,
    )

    assert [(problem.queue, problem.reason) for problem in tree.problems] == [
        ("root.a", "InvalidField"),
        ("root.a.x", "ParentNotFound"),
    ]
    assert tree.config is not None
    assert [queue.path for queue in tree.config.queues] == ["root"]


def test_wrong_cluster_settings_are_no_configuration():
    objects = [a_queue("root", cluster={"maximumAllocation": {"cpu": "x"}}), a_queue("root.a")]
    tree = read_queues(objects, TYPES)

    assert [problem.field for problem in tree.problems] == ["spec.cluster.maximumAllocation"]
    assert tree.config is None


def test_a_minimum_above_the_maximum_is_refused():
    problem = problem_of(a_queue("root", cluster={"minimumAllocation": {"memory": "65Gi"}}))

    assert problem.field == "spec.cluster.minimumAllocation.memory"
    assert "found 65Gi" in problem.message
    assert "64Gi" in problem.message


def test_a_queue_that_is_being_deleted_takes_no_more_applications():
    leaving = a_queue("root.a", state="Running")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T03:42:28Z"
    config = config_of(a_queue("root"), leaving)

    assert queue_of(config, "root.a").state is model.ConfiguredState.STOPPED


def test_templates_speak_like_queues():
    config = config_of(
        a_queue("root", autoCreate={"enabled": True, "expirySeconds": 60}),
        a_queue(
            "root.a",
            autoCreate={
                "enabled": True,
                "maximumQueues": 5,
                "failOnExceedingParentCapacity": True,
                "leafTemplate": {"capacity": "3w"},
            },
        ),
        a_queue("root.b", autoCreate={"enabled": False, "maximumQueues": 5}),
    )
    made = queue_of(config, "root.a").auto_create

    assert made is not None
    assert made.maximum_queues == 5
    assert made.fail_on_exceeding_parent
    assert made.leaf_template == model.QueueConfig("", capacity=model.weight(3))
    assert made.template is None
    assert queue_of(config, "root.b").auto_create is None
    assert config.queue_expiry_seconds == 60


def test_a_template_with_an_unknown_field_is_refused():
    problem = problem_of(
        a_queue("root"),
        a_queue("root.a", autoCreate={"enabled": True, "template": {"capacitty": "3w"}}),
    )

    assert problem.field == "spec.autoCreate.template.capacitty"
    assert "unknown field" in problem.message


def test_resources_that_queues_name_are_types_of_the_cluster():
    types = scheduler_config.resource_types(
        unchecked(
            a_queue("root", cluster={"maximumAllocation": {"z/fpga": "2", "memory": "1Gi"}}),
            a_queue("root.a", capacityByResource={"nvidia.com/gpu": "2", "cpu": "1"}),
            a_queue(
                "root.b",
                partitions=[
                    {"name": "x", "capacityByResource": {"x/a": "1"}},
                    {"name": "y", "maximumCapacityByResource": {"x/b": "1"}},
                    "odd",
                ],
            ),
        )
    )

    assert types.names == ("memory", "cpu", "nvidia.com/gpu", "x/a", "x/b", "z/fpga")


def test_what_is_not_said_of_a_further_resource_bounds_nothing():
    types = ResourceTypes(("memory", "cpu", "gpu"))
    config = config_of(a_queue("root"), types=types)

    assert config.minimum_allocation == (GIB, 1000, 0)
    assert config.maximum_allocation == (64 * GIB, 32000, 2**63 - 1)


def paths(schema, at):
    """Every field of a schema below *at*, those of free-form objects left out."""
    for name, field in schema.get("properties", {}).items():
        inner, place = field, f"{at}.{name}"
        yield place
        if field.get("type") == "array":
            inner, place = field["items"], f"{place}[0]"
        yield from paths(inner, place)


def test_every_field_of_the_definition_is_asked_for_and_no_other(monkeypatch):
    asked = set()
    read = FieldReader.read

    def recording(self, name, parse):
        asked.add(f"{self.at}.{name}")
        return read(self, name, parse)

    monkeypatch.setattr(FieldReader, "read", recording)
    schema = spec_schema("YarnQueue")
    spec = some(schema)
    for kind in ("Capacity", "Fair"):
        spec["cluster"]["scheduler"] = kind
        read_cluster(FieldReader(spec, "spec"), TYPES, ())
    scheduler_config.queue_config(FieldReader(spec, "spec"), "root", TYPES)

    fields = set(paths(schema, "spec"))
    assert sorted(fields - asked) == []
    # Templates have fields of their own, and readers of what they do not set have no path.
    known = {path for path in asked if "emplate." not in path and not path.startswith(".")}
    # A rule's parent is read like the rule; the definition ends there, as Hadoop does.
    assert sorted(known - fields) == ["spec.cluster.fair.placementRules[0].parent.parent"]
