"""What the ResourceManager remembers of what the API server said."""

from __future__ import annotations

import copy

import pytest

from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.resourcemanager.cache import Cache
from unit.resourcemanager.objects import a_pod, a_request, an_application, container, exited

KEY = ("team-a", "wordcount")


@pytest.fixture
def cache():
    return Cache()


def version(item, number, uid=None):
    item = copy.deepcopy(item)
    item["metadata"]["resourceVersion"] = str(number)
    if uid:
        item["metadata"]["uid"] = uid
    return item


def stub(item):
    """What a deletion that nobody watched tells."""
    return {"metadata": item["metadata"]}


PUTS = [
    pytest.param(Cache.put_application, an_application(), id="application"),
    pytest.param(Cache.put_queue, {"metadata": {"name": "root", "uid": "u"}}, id="queue"),
    pytest.param(Cache.put_request, a_request(), id="request"),
    pytest.param(Cache.put_pod, a_pod(container(2)), id="pod"),
]


def known(cache, item):
    """The version of an object that the cache has."""
    name = item["metadata"]["name"]
    pod = cache.pod(("team-a", name))
    if pod is not None:
        return pod.version
    key = ("team-a", name)
    request = cache.raw_request(key)
    found = cache.applications.get(key) or cache.queues.get(name)
    version_of = found.metadata.resource_version if found is not None else ""
    if request is not None:
        version_of = request["metadata"]["resourceVersion"]
    return int(version_of) if version_of else None


@pytest.mark.parametrize(("put", "item"), PUTS)
def test_an_older_version_never_wins(cache, put, item):
    put(cache, version(item, 10))
    put(cache, version(item, 9))
    assert known(cache, item) == 10

    put(cache, version(item, 100))
    assert known(cache, item) == 100


@pytest.mark.parametrize(("put", "item"), PUTS)
def test_an_object_made_anew_wins_whatever_its_version(cache, put, item):
    put(cache, version(item, 10))
    put(cache, version(item, 9, uid="another"))

    assert known(cache, item) == 9


@pytest.mark.parametrize(("put", "item"), PUTS)
def test_an_answer_that_comes_after_the_deletion_brings_nothing_back(cache, put, item):
    put(cache, version(item, 10))
    put(cache, version(item, 12), deleted=True)
    put(cache, version(item, 11))

    assert known(cache, item) is None


@pytest.mark.parametrize(("put", "item"), PUTS)
def test_a_deletion_that_nobody_watched_is_one(cache, put, item):
    put(cache, version(item, 10))
    put(cache, stub(item), deleted=True)

    assert known(cache, item) is None


def test_requests_and_pods_are_found_by_their_application(cache):
    assert cache.put_request(a_request("maps")) == KEY
    assert cache.put_request(a_request("am")) == KEY
    assert cache.put_pod(a_pod(container(2))) == KEY

    assert [r.decoded.metadata.name for r in cache.requests(KEY)] == ["am", "maps"]
    assert list(cache.pods(KEY)) == [container(2)]
    assert cache.pods(("team-a", "other")) == {}


def test_a_foreign_pod_is_not_remembered(cache):
    pod = a_pod(container(2))
    pod["metadata"]["annotations"] = {}

    assert cache.put_pod(pod) is None


def test_an_old_requests_deletion_tells_whose_it_was(cache):
    cache.put_request(a_request("maps"))

    assert cache.put_request(stub(a_request("maps")), deleted=True) == KEY
    assert cache.put_request(stub(a_request("never-seen")), deleted=True) is None


def owned(name, uid):
    request = a_request(name)
    owner = {"kind": "YarnApplication", "name": "wordcount", "uid": uid}
    request["metadata"]["ownerReferences"] = [owner]
    return request


def test_requests_of_an_earlier_application_of_the_name_are_not_its_own(cache):
    cache.put_application(an_application())
    cache.put_request(owned("mine", "app-uid"))
    cache.put_request(owned("of-old", "old-uid"))
    cache.put_request(a_request("by-hand"))

    assert [r.decoded.metadata.name for r in cache.requests(KEY)] == ["by-hand", "mine"]
    assert cache.raw_request(("team-a", "of-old")) is None
    assert cache.raw_request(("team-a", "mine")) is not None


def test_how_a_deleted_pod_ended_is_remembered_by_its_last_words(cache):
    pod = a_pod(container(2), phase="Running", main={"running": {}})
    cache.put_pod(pod)
    ended = version(a_pod(container(2), phase="Succeeded", main=exited(0)), 20)
    cache.put_pod(ended, deleted=True)

    assert cache.gone(KEY, container(2)).ending == ContainerExit(0)
    assert cache.pods(KEY) == {}


def test_how_a_pod_ended_before_an_unwatched_deletion_is_remembered(cache):
    pod = a_pod(container(2), phase="Failed", main=exited(3, reason="Error"))
    cache.put_pod(pod)
    cache.put_pod(stub(pod), deleted=True)

    assert cache.gone(KEY, container(2)).ending == ContainerExit(3, "Error")


def test_a_running_pod_that_is_deleted_was_taken_away(cache):
    pod = a_pod(container(2), phase="Running")
    cache.put_pod(pod)
    cache.put_pod(stub(pod), deleted=True)

    assert cache.gone(KEY, container(2)).ending.exit_status == -100


def test_an_older_pods_deletion_says_nothing_of_its_successor(cache):
    old = a_pod(container(2), uid="old")
    cache.put_pod(old)
    cache.put_pod(a_pod(container(2), uid="new", version=11))
    cache.put_pod(old, deleted=True)

    assert cache.pods(KEY)[container(2)].uid == "new"
    assert cache.gone(KEY, container(2)) is None


def test_endings_are_forgotten_when_they_are_recorded(cache):
    for number in (2, 3):
        cache.put_pod(a_pod(container(number)), deleted=True)
    cache.keep_gone(KEY, {container(3)})
    assert cache.gone(KEY, container(2)) is None
    assert cache.gone(KEY, container(3)) is not None

    cache.forget_gone(KEY, container(3))
    assert cache.gone(KEY, container(3)) is None


def test_an_application_that_is_gone_leaves_nothing_behind(cache):
    cache.put_request(a_request())
    cache.put_pod(a_pod(container(2)))
    cache.put_pod(a_pod(container(3)), deleted=True)
    cache.forget(KEY)
    # Both are there still, and are deleted each by itself.
    assert len(cache.requests(KEY)) == len(cache.pods(KEY)) == 1
    assert cache.gone(KEY, container(3)) is None

    cache.put_request(a_request(), deleted=True)
    cache.put_pod(a_pod(container(2)), deleted=True)
    cache.forget(KEY)
    assert cache.requests(KEY) == []
    assert cache.pods(KEY) == {}
    assert cache.gone(KEY, container(2)) is None
    assert [dict(d) for d in (cache._requests_of, cache._pods_of, cache._gone)] == [{}, {}, {}]


@pytest.mark.parametrize(("put", "item"), PUTS)
def test_the_late_deletion_of_a_namesake_takes_nothing_away(cache, put, item):
    put(cache, version(item, 12, uid="new"))
    put(cache, version(item, 11, uid="old"), deleted=True)

    assert known(cache, item) == 12


def test_an_object_that_cannot_be_decoded_is_reported_and_its_last_readable_version_stays():
    reported = []
    cache = Cache(lambda item, error: reported.append((item["metadata"]["name"], error.field)))
    cache.put_application(an_application(maxAttempts=3))
    newer = version(an_application(maxAttempts="many"), 11)

    cache.put_application(newer)
    cache.put_request(a_request(executionType="Sometimes"))

    assert cache.applications[KEY].spec.max_attempts == 3
    assert cache.raw_application(KEY)["spec"]["maxAttempts"] == 3
    assert cache.requests(KEY) == []
    assert reported == [("wordcount", "spec.maxAttempts"), ("maps", "spec.executionType")]


def test_a_queue_that_cannot_be_decoded_is_still_there_to_be_let_go(cache):
    queue = {"metadata": {"name": "root.a", "uid": "u"}, "spec": {"maximumApplications": "many"}}
    cache.put_queue(queue)

    assert cache.queues == {}
    assert cache.raw_queues == {"root.a": queue}

    cache.put_queue(stub(queue), deleted=True)
    assert cache.raw_queues == {}
