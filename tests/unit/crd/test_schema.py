"""The CRDs are what the models say, and are structural."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from kubeyarn.crd.fields import Fields
from kubeyarn.crd.schema import definitions, reference
from kubeyarn.crd.schema.command import crds
from kubeyarn.crd.schema.structural import structural

ROOT = Path(__file__).parents[3]
RESOURCES = pytest.mark.parametrize("resource", definitions.DEFINITIONS, ids=lambda one: one.kind)


class Either(Fields, frozen=True):
    """A part that is no structural schema."""

    value: int | str


def parts(found, path=""):
    """Every schema within a schema, with its path."""
    yield path, found
    for name, inner in found.get("properties", {}).items():
        yield from parts(inner, f"{path}.{name}")
    if "items" in found:
        yield from parts(found["items"], f"{path}[]")
    if isinstance(found.get("additionalProperties"), dict):
        yield from parts(found["additionalProperties"], f"{path}.*")


def schema_of(resource):
    return definitions.object_schema(resource)


@pytest.mark.parametrize("folder", ["crds", "charts/kubeyarn/files/crds"])
def test_the_files_are_what_the_models_say(folder):
    """Otherwise run: kubeyarn crds --write crds --write charts/kubeyarn/files/crds."""
    for name, text in definitions.files().items():
        assert (ROOT / folder / name).read_text() == text, name


def test_the_field_reference_is_what_the_models_say():
    """Otherwise run: kubeyarn crds --reference docs/reference."""
    for name, text in reference.pages().items():
        assert (ROOT / "docs" / "reference" / name).read_text() == text, name


@RESOURCES
def test_the_field_reference_names_every_field(resource):
    text = reference.page(resource)

    for path, _ in parts(schema_of(resource)):
        name = path.rpartition(".")[2].removesuffix("[]")
        if path.startswith((".spec.", ".status.")) and name != "*":
            assert f"`{name}`" in text, path


def test_the_kustomization_lists_every_definition():
    kustomization = yaml.safe_load((ROOT / "crds" / "kustomization.yaml").read_text())
    there = {path.name for path in (ROOT / "crds").glob("*.yaml")} - {"kustomization.yaml"}

    assert set(kustomization["resources"]) == there


@RESOURCES
def test_a_schema_has_nothing_that_is_not_structural(resource):
    for path, part in parts(schema_of(resource)):
        forbidden = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "not", "title", "const"}
        assert not forbidden & set(part), path
        assert "type" in part or part.get("x-kubernetes-int-or-string"), path
        assert part.get("additionalProperties") is not False, path


@RESOURCES
def test_every_field_says_what_it_is_for(resource):
    for path, part in parts(schema_of(resource)):
        leaf = path.rpartition(".")[2]
        if path in ("", ".metadata", ".metadata.name") or leaf == "*" or leaf.endswith("[]"):
            continue
        assert len(part.get("description", "")) > 10, path
        assert part["description"].rstrip().endswith("."), path


@RESOURCES
def test_every_field_of_a_spec_is_required_or_says_what_holds_without_it(resource):
    for path, part in parts(schema_of(resource)["properties"]["spec"], ".spec"):
        for name, field in part.get("properties", {}).items():
            said = (
                name in part.get("required", ())
                or "default" in field
                or "Unset:" in field["description"]
                or field.get("type") in ("array", "object")
            )
            assert said, f"{path}.{name}"


@RESOURCES
def test_every_field_has_bounds(resource):
    """Without them CEL's cost budget is gone, and a status may grow without end."""
    for path, part in parts(schema_of(resource)):
        if "enum" in part or path.startswith((".apiVersion", ".kind", ".metadata")):
            continue
        kind = part.get("type")
        bounded = {
            "string": "maxLength" in part,
            "array": "maxItems" in part,
            "integer": "minimum" in part or "exitStatus" in path,
            "object": "properties" in part
            or "maxProperties" in part
            or "x-kubernetes-preserve-unknown-fields" in part,
        }
        assert bounded.get(kind, True), path


@RESOURCES
def test_lists_say_how_they_merge(resource):
    for path, part in parts(schema_of(resource)):
        if part.get("type") == "array":
            assert part.get("x-kubernetes-list-type") in ("map", "set", "atomic"), path
        for key in part.get("x-kubernetes-list-map-keys", ()):
            entry = part["items"]
            assert key in entry.get("required", ()) or "default" in entry["properties"][key], path


@RESOURCES
def test_enumerations_are_camel_case_or_hadoops_own_words(resource):
    hadoops = (".state", ".finalStatus", ".placementRules[]")
    for path, part in parts(schema_of(resource)):
        if "enum" in part and not (".status" in path or any(word in path for word in hadoops)):
            assert all(word[0].isupper() and "_" not in word for word in part["enum"]), path


@RESOURCES
def test_conditions_are_a_map_by_type(resource):
    conditions = schema_of(resource)["properties"]["status"]["properties"]["conditions"]

    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert set(conditions["items"]["required"]) == {
        "type",
        "status",
        "lastTransitionTime",
        "reason",
    }


@RESOURCES
def test_a_definition_has_what_kubectl_and_gitops_look_for(resource):
    spec = definitions.crd(resource)["spec"]
    (version,) = spec["versions"]

    assert spec["names"]["shortNames"] == [resource.short]
    assert spec["names"]["categories"] == ["yarn"]
    assert version["name"] == "v1alpha1"
    assert version["subresources"] == {"status": {}}
    assert version["additionalPrinterColumns"][-1]["name"] == "Age"
    assert len(version["selectableFields"]) <= 8


@RESOURCES
def test_selectable_fields_and_columns_name_fields_that_there_are(resource):
    (version,) = definitions.crd(resource)["spec"]["versions"]
    known = dict(parts(schema_of(resource)))

    for field in version["selectableFields"]:
        assert known[field["jsonPath"]]["type"] in ("string", "integer", "boolean")
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].partition("[?")[0]
        parent = path.rpartition(".")[0]
        assert path in known or f"{parent}.*" in known or path.startswith(".metadata."), path


def test_an_alternative_that_kubernetes_has_no_word_for_is_an_error():
    with pytest.raises(ValueError, match=r"Either\.value: .* 2 alternatives"):
        structural(Either)


def test_the_command_prints_all_definitions():
    result = CliRunner().invoke(crds, [])

    assert result.exit_code == 0
    names = [found["metadata"]["name"] for found in yaml.safe_load_all(result.output)]
    assert names == [resource.name for resource in definitions.DEFINITIONS]


def test_the_command_writes_files_and_checks_them(tmp_path):
    run = CliRunner().invoke

    assert run(crds, ["--write", str(tmp_path / "new")]).exit_code == 0
    assert run(crds, ["--write", str(tmp_path / "new"), "--check"]).exit_code == 0
    (tmp_path / "new" / "yarnqueues.yaml").write_text("changed")
    stale = run(crds, ["--write", str(tmp_path / "new"), "--check"])
    assert stale.exit_code == 1
    assert "yarnqueues.yaml differ" in stale.output
    assert (tmp_path / "new" / "yarnqueues.yaml").read_text() == "changed"


def test_a_check_without_a_folder_is_a_wrong_usage():
    assert CliRunner().invoke(crds, ["--check"]).exit_code == 2
