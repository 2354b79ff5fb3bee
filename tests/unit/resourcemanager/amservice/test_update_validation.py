"""Which updates of containers are taken, and with which of Hadoop's words others are not."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle import am_session
from kubeyarn.lifecycle.am_session import UpdateContainerRequest
from kubeyarn.resourcemanager.amservice import update_validation, wire
from kubeyarn.resourcemanager.requests import request_view
from unit.resourcemanager.objects import APP, a_request, container, request_of

FIRM, SPARE = container(2), container(3)
MAXIMUM = {"cpu": 8000, "memory": 8 * 2**30}
PROMOTE, DEMOTE = "PROMOTE_EXECUTION_TYPE", "DEMOTE_EXECUTION_TYPE"


def view_of(name):
    """Container 2 is guaranteed, 3 is not any more and has version 4; nobody knows others."""
    grants = [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "2-3"}]
    changed = {
        "id": str(SPARE),
        "version": 4,
        "executionType": "Opportunistic",
        "resources": {"cpu": "1", "memory": "1Gi"},
    }
    status = {
        "granted": 2,
        "grants": grants,
        "updated": [changed],
        "resources": {"cpu": "1", "memory": "1Gi"},
    }
    view = request_view.view(request_of(a_request(status=status)), APP)
    return view if name in view.grants else None


def update(name, **said):
    version = 4 if name == SPARE else 0
    return wire.Update(container_id=str(name), **{"version": version, **said})


def checked(*said, before=()):
    known = {wanted.id: wanted for wanted in before}
    return update_validation.check(said, view_of, known, MAXIMUM)


@pytest.mark.parametrize(
    ("said", "to_be"),
    [
        (update(FIRM, type=DEMOTE), True),
        (update(FIRM, type=DEMOTE, execution_type="OPPORTUNISTIC"), True),
        (update(FIRM, execution_type="OPPORTUNISTIC"), True),
        (update(FIRM, type=DEMOTE, resources={"memory": "1Gi"}), True),
        (update(SPARE, type=PROMOTE), False),
        (update(SPARE, execution_type="GUARANTEED"), False),
    ],
)
def test_a_change_of_type_is_said_by_type_or_by_word(said, to_be):
    [wanted], errors = checked(said)

    assert errors == ()
    assert (str(wanted.id), wanted.opportunistic, wanted.size) == (said.container_id, to_be, {})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (update(SPARE, type=PROMOTE, version=3),
         am_session.INCORRECT_CONTAINER_VERSION_ERROR),
        (update(container(9), type=PROMOTE), am_session.INVALID_CONTAINER_ID),
        (update(FIRM, type=PROMOTE), am_session.UPDATE_REFUSED),
        (update(SPARE, type=DEMOTE), am_session.UPDATE_REFUSED),
        (update(SPARE, type=PROMOTE, execution_type="OPPORTUNISTIC"),
         am_session.UPDATE_REFUSED),
        (update(FIRM, type="INCREASE_RESOURCE", execution_type="OPPORTUNISTIC"),
         am_session.UPDATE_REFUSED),
        (update(FIRM, type=DEMOTE, resources={"memory": "2Gi"}), am_session.UPDATE_REFUSED),
        (update(FIRM, type=DEMOTE, resources={"memory": "lots"}), am_session.UPDATE_REFUSED),
        (update(SPARE, resources={"memory": "2Gi"}), am_session.UPDATE_REFUSED),
    ],
)  # fmt: skip
def test_what_cannot_be_is_answered_with_a_word_and_the_version(said, reason):
    taken, [error] = checked(said)

    assert (taken, error.reason, error.id) == ((), reason, said.container_id)
    assert error.version == {str(FIRM): 0, str(SPARE): 4}.get(said.container_id, -1)
    assert error.message


@pytest.mark.parametrize(
    "said", [update(SPARE, type=PROMOTE), update(SPARE, resources={"memory": "2Gi"})]
)
def test_while_a_change_of_type_is_outstanding_no_other_update_is_taken(said):
    taken, [error] = checked(said, before=[UpdateContainerRequest(SPARE, {}, opportunistic=False)])

    assert (taken, error.reason) == ((), am_session.UPDATE_OUTSTANDING_ERROR)


def test_a_change_of_type_that_was_made_is_not_outstanding_any_more():
    before = [UpdateContainerRequest(SPARE, {}, opportunistic=True)]
    [wanted], errors = checked(update(SPARE, type=PROMOTE), before=before)

    assert (wanted.opportunistic, errors) == (False, ())


def test_a_demotion_takes_the_place_of_a_size_that_is_waited_for():
    before = [UpdateContainerRequest(FIRM, {"memory": 2**33, "cpu": 1000})]
    [wanted], errors = checked(update(FIRM, type=DEMOTE), before=before)

    assert (wanted.opportunistic, errors) == (True, ())


def test_of_two_updates_in_one_heartbeat_the_first_counts():
    [wanted], [error] = checked(
        update(FIRM, type=DEMOTE), update(FIRM, resources={"memory": "2Gi"})
    )

    assert wanted.opportunistic
    assert error.reason == am_session.UPDATE_OUTSTANDING_ERROR
