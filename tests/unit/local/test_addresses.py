from __future__ import annotations

import ipaddress
import itertools
import socket

import pytest

from kubeyarn.local import locking, slots
from kubeyarn.local.addresses import SLOTS, Addresses
from kubeyarn.local.errors import LocalClusterError

ALL = [Addresses(slot, kubelet=True) for slot in range(SLOTS)]


def test_no_two_slots_share_an_address() -> None:
    networks = [network for each in ALL for network in (each.pods, each.services)]
    networks += [ipaddress.ip_network(f"{each.node}/32") for each in ALL]

    overlapping = [
        pair for pair in itertools.combinations(networks, 2) if pair[0].overlaps(pair[1])
    ]

    assert overlapping == []
    assert len({each.loopback for each in ALL}) == SLOTS
    assert len({each.bridge for each in ALL}) == SLOTS


@pytest.mark.parametrize("each", ALL, ids=lambda each: str(each.slot))
def test_every_address_is_in_the_range_reserved_for_benchmarks(each: Addresses) -> None:
    reserved = ipaddress.IPv4Network("198.18.0.0/15")

    assert each.pods.subnet_of(reserved)
    assert each.services.subnet_of(reserved)
    assert each.node in reserved
    assert each.loopback.is_loopback
    assert each.gateway in each.pods
    assert each.kubernetes_service in each.services


def test_a_cluster_with_a_kubelet_has_its_api_server_on_the_services_own_address() -> None:
    assert Addresses(0, kubelet=True).api_server_url == "https://198.18.8.1:443"


def test_a_control_plane_alone_listens_on_loopback_above_the_ports_of_root() -> None:
    assert Addresses(2, kubelet=False).api_server_url == "https://127.83.2.1:6443"


@pytest.fixture
def free_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots of the test's own, so that clusters of this machine do not matter."""
    bind = socket.socket.bind

    def apart(self: socket.socket, address: object) -> None:
        bind(self, f"{address}-of-a-test")

    monkeypatch.setattr(locking.socket, "socket", type("S", (socket.socket,), {"bind": apart}))


@pytest.mark.usefixtures("free_slots")
def test_a_slot_is_free_again_when_its_claim_is_gone() -> None:
    first, claim = slots.claim("a-cluster")
    other, another_claim = slots.claim("a-cluster")
    claim.close()

    again, third_claim = slots.claim("a-cluster")

    assert other == (first + 1) % SLOTS
    assert again == first
    for each in (another_claim, third_claim):
        each.close()


@pytest.mark.usefixtures("free_slots")
def test_a_cluster_gets_its_former_slot_back_if_it_is_free() -> None:
    slot, claim = slots.claim("whatever", preferred=7)
    claim.close()

    assert slot == 7


@pytest.mark.usefixtures("free_slots")
def test_when_all_slots_are_taken_the_error_says_how_to_free_one() -> None:
    claims = [slots.claim("many")[1] for _ in range(SLOTS)]

    with pytest.raises(LocalClusterError, match="kubeyarn cluster down"):
        slots.claim("one-more")

    for claim in claims:
        claim.close()


@pytest.mark.usefixtures("free_slots")
def test_the_default_cluster_has_the_first_slot() -> None:
    slot, claim = slots.claim("kubeyarn")
    claim.close()

    assert slot == 0
