"""The roles that ACL strings meant.

Hadoop: `acl_submit_applications`, `acl_administer_queue` and `yarn.admin.acl`. A right to a queue
holds for all queues below it, in Hadoop as here. The rights are the verbs `submit` and `administer`
on a YarnQueue, which root's `queueAccess: ByRole` has asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubeyarn.convert.queue_names import QueueNames
from kubeyarn.crd.object import Object
from kubeyarn.crd.scheduler_config import ROOT
from kubeyarn.model.queues import Access, SchedulerConfig, SchedulerKind

_GROUP = "rbac.authorization.k8s.io"
_EVERYONE = "system:authenticated"


def queue_access(config: SchedulerConfig, names: QueueNames) -> list[Object]:
    """A ClusterRole and a ClusterRoleBinding for each right that somebody has to a queue.

    Empty where everybody may use every queue. Hadoop lets everybody into root and
    nobody else into the queues below it where a file says nothing.
    """
    if not asks_for_rights(config):
        return []
    made: list[Object] = []
    for queue in config.queues:
        at_root = queue.path == ROOT
        standard = Access(everyone=True) if at_root else None
        path = names.of(queue.path)
        for verb, access in (
            ("submit", queue.submit or standard),
            ("administer", queue.administer or standard),
        ):
            if access is not None:
                made += _role(path, verb, access)
    if config.kind is SchedulerKind.CAPACITY:
        # The Fair Scheduler does not ask who administers the cluster.
        made += _role("", "administer", config.administrators)
    return made


def asks_for_rights(config: SchedulerConfig) -> bool:
    """Whether queues are not open to everybody.

    The Capacity Scheduler asks where `yarn.acl.enable` says so. The Fair Scheduler always does
    (Hadoop: FairScheduler.addApplication), which is nothing where no queue has an ACL.
    """
    if config.kind is SchedulerKind.CAPACITY:
        return config.check_access
    return any(queue.submit or queue.administer for queue in config.queues)


def _role(path: str, verb: str, access: Access) -> Iterator[Object]:
    subjects = list(_subjects(access))
    if not subjects:
        return
    name = f"kubeyarn-queue-{verb}-{path or 'all'}"
    rule: dict[str, Any] = {
        "apiGroups": ["kubeyarn.io"],
        "resources": ["yarnqueues"],
        "verbs": ["submit", "administer"] if verb == "administer" else ["submit"],
    }
    if path:
        rule["resourceNames"] = [path]
    metadata = {"name": name}
    yield {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": metadata,
        "rules": [rule],
    }
    yield {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name},
        "subjects": subjects,
    }


def _subjects(access: Access) -> Iterator[dict[str, str]]:
    if access.everyone:
        yield {"apiGroup": _GROUP, "kind": "Group", "name": _EVERYONE}
        return
    for user in sorted(access.users):
        yield {"apiGroup": _GROUP, "kind": "User", "name": user}
    for group in sorted(access.groups):
        yield {"apiGroup": _GROUP, "kind": "Group", "name": group}
