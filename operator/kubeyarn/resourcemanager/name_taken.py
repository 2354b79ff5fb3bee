"""Objects of others that have the name of one that is to be made.

The names of pods and ContainerRequests follow from what they are for, so that making one twice
finds it there. Whoever may make objects in the namespace can take such a name first; what is found
there is looked at before it is believed to be ours.
"""

from __future__ import annotations

from enum import Enum

from kubeyarn.cluster import names
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.container_request import Role
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError

NAME_TAKEN = "NameTaken"


class NameTaken(SpecError):
    """An object of somebody else has the name that ours has to have."""


class Whose(Enum):
    """Whose an object is that has the name of one of ours."""

    OURS = "ours"
    FORMER = "of a former application of the same name, and about to go"
    ANOTHERS = "another's"


def whose_request(existing: Object, wanted: Object) -> Whose:
    """Whose the ContainerRequest *existing* is, where *wanted* could not be made."""
    role = wanted["metadata"]["labels"][names.ROLE]
    if role == names.ROLE_AM:
        made_by_us = (existing.get("spec") or {}).get("role") == Role.APPLICATION_MASTER
    else:
        made_by_us = (existing["metadata"].get("labels") or {}).get(names.ROLE) == role
    return _of_the_owner(existing, wanted) if made_by_us else Whose.ANOTHERS


def whose_pod(existing: Object, wanted: Object) -> Whose:
    """Whose the pod *existing* is, where *wanted* could not be made."""
    has = existing["metadata"].get("annotations") or {}
    needs = wanted["metadata"]["annotations"]
    if has.get(names.CONTAINER_ID) == needs[names.CONTAINER_ID]:
        return Whose.OURS if _owner(existing) == _owner(wanted) else Whose.ANOTHERS
    same_name = has.get(names.APPLICATION) == needs[names.APPLICATION]
    other = has.get(names.APPLICATION_ID) != needs[names.APPLICATION_ID]
    return Whose.FORMER if has.get(names.CONTAINER_ID) and same_name and other else Whose.ANOTHERS


def refusal(existing: Object) -> NameTaken:
    """That *existing* is in the way, and what to do."""
    meta = existing["metadata"]
    return NameTaken(
        f"{NAME_TAKEN}: {existing.get('kind') or 'object'} {meta.get('namespace')}/{meta['name']} "
        f"(uid {meta.get('uid')}) exists and is not KubeYARN's, which needs that name; delete it, "
        "or give the application another name"
    )


def _of_the_owner(existing: Object, wanted: Object) -> Whose:
    return Whose.OURS if _owner(existing) == _owner(wanted) else Whose.FORMER


def _owner(item: Object) -> str:
    """The uid of the YarnApplication that an object belongs to; "" without one."""
    for owner in item["metadata"].get("ownerReferences") or ():
        if owner.get("kind") == APPLICATIONS.kind and owner.get("controller"):
            return str(owner.get("uid") or "")
    return ""
