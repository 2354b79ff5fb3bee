"""The ladder of example manifests is what the custom resources are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

from kubeyarn.crd.schema import definitions
from unit.crd.builders import refusals

EXAMPLES = Path(__file__).parents[3] / "examples"
KINDS = {one.kind: one for one in definitions.DEFINITIONS}
MANIFESTS = sorted(EXAMPLES.glob("[0-9][0-9]-*.yaml"))
OBJECTS = [
    pytest.param(body, id=f"{path.name} {body['kind']} {body['metadata']['name']}")
    for path in MANIFESTS
    for body in yaml.safe_load_all(path.read_text())
]


def the_objects(kind: str) -> dict[str, dict]:
    bodies = [parameter.values[0] for parameter in OBJECTS]
    return {b["metadata"]["name"]: b for b in bodies if b["kind"] == kind}


@pytest.mark.parametrize("body", OBJECTS)
def test_each_object_is_of_its_kind(body):
    assert body["apiVersion"] == "kubeyarn.io/v1alpha1"
    kind = KINDS[body["kind"]]
    kind.model.read(body)
    spec = definitions.object_schema(kind)["properties"]["spec"]
    assert list(refusals(spec, body["spec"])) == []


def test_the_kustomization_names_every_manifest():
    listed = yaml.safe_load((EXAMPLES / "kustomization.yaml").read_text())["resources"]

    assert listed == [path.name for path in MANIFESTS]


def test_the_capacities_of_a_parents_children_add_up_to_the_whole():
    sums: dict[str, int] = {}
    for path, queue in the_objects("YarnQueue").items():
        if path != "root":
            parent = path.rpartition(".")[0]
            sums[parent] = sums.get(parent, 0) + int(queue["spec"]["capacity"].rstrip("%"))

    assert sums == {"root": 100, "root.engineering": 100}


def test_every_application_goes_to_a_leaf_that_there_is():
    queues = the_objects("YarnQueue")
    for application in the_objects("YarnApplication").values():
        queue = application["spec"]["queue"]
        assert queue in queues
        assert not [other for other in queues if other.startswith(f"{queue}.")]


def test_every_request_is_of_an_application_that_there_is():
    for request in the_objects("ContainerRequest").values():
        assert request["spec"]["application"] in the_objects("YarnApplication")


@pytest.mark.parametrize("name", sorted(the_objects("YarnApplication")))
def test_every_application_runs_a_module_that_there_is_with_options_it_knows(name):
    master = the_objects("YarnApplication")[name]["spec"]["applicationMaster"]
    _, _, module, *rest = master["command"]
    arguments = [*rest, *master.get("args", [])]

    assert importlib.util.find_spec(f"{module}.__main__")
    if importlib.util.find_spec(f"{module}.options"):
        options = importlib.import_module(f"{module}.options")
        options.parse(arguments)
