"""A whole configuration as manifests, and the check that nothing was lost on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kubeyarn.convert.capacity_queues import capacity_queues
from kubeyarn.convert.cluster_spec import say_cluster
from kubeyarn.convert.converted import Converted, Note, SpecWriter, yarn_queue
from kubeyarn.convert.fair_queues import fair_queues, say_fair_cluster
from kubeyarn.convert.hadoop_units import in_hadoop_units
from kubeyarn.convert.queue_access import asks_for_rights, queue_access
from kubeyarn.convert.queue_names import QueueNames
from kubeyarn.crd.object import Object
from kubeyarn.crd.scheduler_config import ROOT, QueuesRead, read_queues, resource_types
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, SchedulerKind


def convert(
    config: SchedulerConfig, groups: Mapping[str, tuple[str, ...]] | None = None
) -> Converted:
    """The manifests of a configuration that `hadoop` has read: queues, then roles.

    *groups* are users' groups, the primary one first, where Hadoop's mapping is known.
    """
    names = QueueNames(queue.path for queue in config.queues)
    fair = config.kind is SchedulerKind.FAIR
    cluster = Converted()
    writer = SpecWriter(ROOT, cluster)
    if fair:
        say_fair_cluster(config, names, writer)
    else:
        say_cluster(config, names, writer)
    if asks_for_rights(config):
        writer.say("cluster.queueAccess", "ByRole", "aclSubmitApps" if fair else "yarn.acl.enable")
    of_users = {user: list(theirs) for user, theirs in (groups or {}).items()}
    source = "hadoop.user.group.static.mapping.overrides"
    writer.say("cluster.userGroups", of_users, source)
    queues = fair_queues(config, names) if fair else capacity_queues(config, names)
    objects = [*_with_root(queues.objects, writer.spec), *queue_access(config, names)]
    return Converted(
        objects,
        [*names.notes, *cluster.notes, *queues.notes, *_faults(objects)],
        {**queues.sources, **cluster.sources},
        {ROOT: ROOT, **queues.paths},
    )


def _with_root(objects: Iterable[Object], spec: Mapping[str, Any]) -> list[Object]:
    """The queues with root first, which says what the whole cluster has, too."""
    by_name = {found["metadata"]["name"]: found for found in objects}
    of_root = by_name.pop(ROOT, {})
    return [yarn_queue(ROOT, _merged(spec, of_root.get("spec", {}))), *by_name.values()]


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(first)
    for field, value in second.items():
        before = merged.get(field)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[field] = _merged(before, value)
        else:
            merged[field] = value
    return merged


def read_back(objects: Iterable[Object]) -> QueuesRead:
    """What the scheduler will read of the YarnQueues among *objects*."""
    queues = [UncheckedQueue.read(found) for found in objects if found.get("kind") == "YarnQueue"]
    return read_queues(queues, resource_types(queues))


def through_yarn_queues(config: SchedulerConfig) -> SchedulerConfig:
    """*config* as the scheduler reads it of its YarnQueues, in Hadoop's units.

    What YarnQueues leave to others stays: siblings' order in the file, which is by name there, and
    access, which the API server's roles decide.

    Raises:
        ConfigRefused: the scheduler would refuse one of the YarnQueues.
    """
    converted = convert(config)
    read = read_back(converted.objects)
    if read.problems or read.config is None:
        raise ConfigRefused(read.problems)
    before = {queue.path: queue for queue in config.queues}
    found = in_hadoop_units(read.config, config.types)
    return replace(
        found,
        queues=tuple(
            _as_in_file(queue, before[converted.paths[queue.path]]) for queue in found.queues
        ),
        administrators=config.administrators,
        check_access=config.check_access,
        fit_every_resource=False,
        removable=config.removable,
    )


def _as_in_file(queue: QueueConfig, before: QueueConfig) -> QueueConfig:
    return replace(queue, order=before.order, submit=before.submit, administer=before.administer)


def _faults(objects: Iterable[Object]) -> list[Note]:
    """What the scheduler would refuse of the manifests."""
    problems = read_back(objects).problems
    return [Note(one.queue, one.field, one.message) for one in problems]
