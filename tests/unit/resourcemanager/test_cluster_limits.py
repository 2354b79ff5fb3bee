"""What queues allow, by their objects."""

from __future__ import annotations

from kubeyarn.resourcemanager import cluster_limits
from kubeyarn.resourcemanager.cache import Cache
from unit.resourcemanager.objects import cache_of, queue_status

GIB = 2**30


def test_without_a_word_yarns_defaults_hold():
    low, high = cluster_limits.allocation(Cache(), "root.a")

    assert low == {"cpu": 1000, "memory": GIB}
    assert high == {"cpu": 32000, "memory": 64 * GIB}


def test_roots_cluster_settings_and_the_smallest_on_the_way_count():
    cluster = {
        "minimumAllocation": {"memory": "512Mi", "cpu": "500m"},
        "maximumAllocation": {"memory": "16Gi", "cpu": "8"},
    }
    cache = cache_of(
        root={"spec": {"cluster": cluster}},
        root_a={"spec": {"maximumAllocation": {"memory": "4Gi"}}},
        root_a_x={"spec": {"maximumAllocation": {"memory": "8Gi", "cpu": "2"}}},
    )

    assert cluster_limits.allocation(cache, "root.a.x") == (
        {"memory": GIB // 2, "cpu": 500},
        {"memory": 4 * GIB, "cpu": 2000},
    )
    assert cluster_limits.allocation(cache, "root.b")[1] == {"memory": 16 * GIB, "cpu": 8000}


def test_a_setting_for_one_resource_leaves_the_others_default():
    cache = cache_of(root={"spec": {"cluster": {"maximumAllocation": {"memory": "8Gi"}}}})

    assert cluster_limits.allocation(cache, "root.a")[1] == {"memory": 8 * GIB, "cpu": 32000}


def test_a_setting_that_makes_no_sense_is_as_none():
    cache = cache_of(root={"spec": {"cluster": {"maximumAllocation": {"memory": "lots"}}}})

    assert cluster_limits.allocation(cache, "root.a")[1]["memory"] == 64 * GIB


def test_how_many_nodes_take_containers():
    assert cluster_limits.nodes(Cache()) == 0
    assert cluster_limits.nodes(cache_of(root=queue_status({}, {}, nodes=7))) == 7


def test_a_template_bounds_the_containers_of_queues_made_by_it():
    made = {
        "enabled": True,
        "template": {"maximumAllocation": {"memory": "8Gi", "cpu": "4"}},
        "leafTemplate": {"maximumAllocation": {"memory": "2Gi"}},
        "parentTemplate": {"maximumAllocation": {"memory": "3Gi"}},
    }
    cache = cache_of(root_users={"spec": {"autoCreate": made}})

    assert cluster_limits.allocation(cache, "root.users.alice")[1]["memory"] == 2 * GIB
    # A template that says it, says all of it: cpu is the cluster's.
    assert cluster_limits.allocation(cache, "root.users.alice")[1]["cpu"] == 32000
    assert cluster_limits.allocation(cache, "root.users.alice.x")[1]["memory"] == 3 * GIB
    assert cluster_limits.allocation(cache, "root.users")[1]["memory"] == 64 * GIB
