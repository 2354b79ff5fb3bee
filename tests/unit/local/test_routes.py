from __future__ import annotations

from typing import Any

from kubeyarn.local.routes import Routes


def service(name: str = "web", ip: str = "10.0.0.1", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8000}]
    return {
        "metadata": {"namespace": "default", "name": name},
        "spec": {"clusterIP": ip, "ports": ports, **spec},
    }


def endpoints(
    *addresses: str, name: str = "web-x", of: str = "web", ready: bool | None = True
) -> dict[str, Any]:
    conditions = {} if ready is None else {"ready": ready}
    return {
        "metadata": {
            "namespace": "default",
            "name": name,
            "labels": {"kubernetes.io/service-name": of},
        },
        "ports": [{"name": "http", "port": 8000, "protocol": "TCP"}],
        "endpoints": [{"addresses": [each], "conditions": conditions} for each in addresses],
    }


def test_a_services_port_leads_to_its_ready_endpoints() -> None:
    routes = Routes()
    routes.see_service(service())
    routes.see_slice(endpoints("1.1.1.2", "1.1.1.1"))
    routes.see_slice(endpoints("1.1.1.3", name="web-y"))
    routes.see_slice(endpoints("9.9.9.9", name="other", of="another"))

    assert routes.listening() == {("10.0.0.1", 80)}
    assert routes.behind(("10.0.0.1", 80)) == [
        ("1.1.1.1", 8000),
        ("1.1.1.2", 8000),
        ("1.1.1.3", 8000),
    ]


def test_an_endpoint_that_is_not_ready_gets_nothing() -> None:
    routes = Routes()
    routes.see_service(service())
    routes.see_slice(endpoints("1.1.1.1", ready=False))
    routes.see_slice(endpoints("1.1.1.2", name="no-condition", ready=None))

    assert routes.behind(("10.0.0.1", 80)) == [("1.1.1.2", 8000)]


def test_a_service_without_endpoints_is_listened_for_all_the_same() -> None:
    routes = Routes()
    routes.see_service(service())

    assert routes.listening() == {("10.0.0.1", 80)}
    assert routes.behind(("10.0.0.1", 80)) == []


def test_a_slice_that_shrinks_takes_its_endpoints_back() -> None:
    routes = Routes()
    routes.see_service(service())
    routes.see_slice(endpoints("1.1.1.1", "1.1.1.2"))

    routes.see_slice(endpoints("1.1.1.2"))

    assert routes.behind(("10.0.0.1", 80)) == [("1.1.1.2", 8000)]


def test_a_deleted_slice_is_forgotten_even_when_the_deletion_has_no_labels() -> None:
    routes = Routes()
    routes.see_service(service())
    routes.see_slice(endpoints("1.1.1.1"))

    routes.forget_slice({"metadata": {"namespace": "default", "name": "web-x"}})

    assert routes.behind(("10.0.0.1", 80)) == []


def test_a_service_that_changes_its_port_leaves_the_old_one() -> None:
    routes = Routes()
    routes.see_service(service())

    routes.see_service(service(ports=[{"name": "http", "port": 81}]))

    assert routes.listening() == {("10.0.0.1", 81)}


def test_a_deleted_service_is_not_listened_for() -> None:
    routes = Routes()
    routes.see_service(service())

    routes.forget_service(service())

    assert routes.listening() == set()


def test_services_without_a_cluster_ip_and_other_protocols_do_not_count() -> None:
    routes = Routes()
    routes.see_service(service("headless", "None"))
    routes.see_service(service("external", "", type="ExternalName"))
    routes.see_service(service("udp", ports=[{"port": 53, "protocol": "UDP"}]))

    assert routes.listening() == set()


def test_equal_names_in_two_namespaces_are_two_services() -> None:
    routes = Routes()
    routes.see_service(service())
    foreign = endpoints("9.9.9.9")
    foreign["metadata"]["namespace"] = "elsewhere"
    routes.see_slice(foreign)

    assert routes.behind(("10.0.0.1", 80)) == []
