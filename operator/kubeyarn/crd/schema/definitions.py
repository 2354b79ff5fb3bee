"""The three CustomResourceDefinitions, generated from the typed fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from kubeyarn.crd.container_request import ContainerRequest
from kubeyarn.crd.decoding import Resource
from kubeyarn.crd.schema.structural import structural
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.crd.yarn_queue import YarnQueue

GROUP = "kubeyarn.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

Manifest = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; *wide* ones are shown with `-o wide` only."""

    name: str
    type: str
    path: str
    description: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """What a CRD has beside its schema."""

    model: type[Resource]
    plural: str
    short: str
    scope: str
    columns: tuple[Column, ...]
    selectable: tuple[str, ...]
    longest_name: int = 253

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.model.__name__

    @property
    def name(self) -> str:
        """The CRD's name."""
        return f"{self.plural}.{GROUP}"


_AGE = Column("Age", "date", ".metadata.creationTimestamp", "When it was made.")

QUEUES = Definition(
    YarnQueue,
    plural="yarnqueues",
    short="yq",
    scope="Cluster",
    columns=(
        Column("State", "string", ".status.state", "Running, Draining or Stopped."),
        Column("Capacity", "string", ".spec.capacity", "What it is guaranteed."),
        Column("Max", "string", ".spec.maximumCapacity", "The most it may use."),
        Column("Used", "string", ".status.usedCapacity", "Use, in percent of its guarantee."),
        Column("Apps", "integer", ".status.applications.total", "Applications not ended."),
        Column("Containers", "integer", ".status.containers", "Containers it holds."),
        Column("Pending", "string", ".status.pending.memory", "Memory asked for, not granted."),
        Column(
            "Accepted",
            "string",
            '.status.conditions[?(@.type=="Accepted")].reason',
            "Whether the tree it stands in is in force.",
            wide=True,
        ),
        _AGE,
    ),
    selectable=(".spec.state", ".status.state"),
)

APPLICATIONS = Definition(
    YarnApplication,
    plural="yarnapplications",
    short="yapp",
    scope="Namespaced",
    columns=(
        Column("Type", "string", ".spec.applicationType", "What kind of application it is."),
        Column("User", "string", ".status.user", "Whose application it is."),
        Column("Queue", "string", ".status.queue", "The leaf queue that took it."),
        Column("State", "string", ".status.state", "Its state, in YARN's words."),
        Column("Final-State", "string", ".status.finalStatus", "How it ended."),
        Column("Progress", "integer", ".status.progress", "How far it is, in percent."),
        Column(
            "Tracking-URL",
            "string",
            ".status.trackingUrl",
            "Where its ApplicationMaster shows its work.",
            wide=True,
        ),
        Column(
            "Application-Id", "string", ".status.applicationId", "Its id in YARN's form.", wide=True
        ),
        _AGE,
    ),
    selectable=(
        ".spec.queue",
        ".spec.user",
        ".spec.applicationType",
        ".status.state",
        ".status.queue",
        ".status.applicationId",
    ),
    # The names of its pods are made from it, and those are labels of at most 63 characters.
    longest_name=40,
)

REQUESTS = Definition(
    ContainerRequest,
    plural="containerrequests",
    short="creq",
    scope="Namespaced",
    columns=(
        Column("Application", "string", ".spec.application", "The application that asks."),
        Column("Priority", "integer", ".spec.priority", "Lower is served first."),
        Column("Count", "integer", ".spec.count", "Containers wanted."),
        Column("Granted", "integer", ".status.granted", "Containers granted so far."),
        Column("Pending", "integer", ".status.pending", "Containers still wanted."),
        Column("Running", "integer", ".status.running", "Containers that run."),
        Column("Succeeded", "integer", ".status.succeeded", "Containers that ended well."),
        Column("Failed", "integer", ".status.failed", "Containers that failed."),
        Column(
            "Satisfied",
            "string",
            '.status.conditions[?(@.type=="Satisfied")].reason',
            "What stops the pending ones.",
        ),
        _AGE,
    ),
    selectable=(".spec.application", ".spec.role", ".status.queue"),
)

DEFINITIONS: tuple[Definition, ...] = (QUEUES, APPLICATIONS, REQUESTS)


def crd(definition: Definition) -> Manifest:
    """The CustomResourceDefinition of *definition*."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": definition.name,
            "labels": {
                "app.kubernetes.io/name": "kubeyarn",
                "app.kubernetes.io/part-of": "kubeyarn",
            },
        },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": definition.kind,
                "listKind": f"{definition.kind}List",
                "plural": definition.plural,
                "singular": definition.kind.lower(),
                "shortNames": [definition.short],
                "categories": ["yarn"],
            },
            "scope": definition.scope,
            "versions": [_version(definition)],
        },
    }


def _version(definition: Definition) -> Manifest:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        # Status has rights and writes of its own: a user who may change a spec may not write what
        # came of it, and a write of the status is no new generation.
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in definition.columns],
        # Whoever lists or watches may have the API server select by these, and not fetch all.
        "selectableFields": [{"jsonPath": path} for path in definition.selectable],
        "schema": {"openAPIV3Schema": object_schema(definition)},
    }


def _column(column: Column) -> Manifest:
    entry = {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
    }
    # `kubectl get` shows what has priority 0, `-o wide` all.
    return {**entry, "priority": 1} if column.wide else entry


def object_schema(definition: Definition) -> Manifest:
    """The structural schema of the whole object, apiVersion, kind and metadata included."""
    schema = structural(definition.model, without=("metadata",))
    schema["properties"] = {
        "apiVersion": {"type": "string", "description": f"Always {API_VERSION}."},
        "kind": {"type": "string", "description": f"Always {definition.kind}."},
        "metadata": {
            "type": "object",
            "properties": {"name": {"type": "string", "maxLength": definition.longest_name}},
        },
        **schema["properties"],
    }
    return schema


_HEADER = (
    "# Generated by `kubeyarn crds --write`. Edit the models in kubeyarn/crd, not this file.\n"
)


def as_yaml(manifest: Manifest) -> str:
    """*manifest* as the text of its file, the same on every machine."""
    body: str = yaml.dump(
        manifest, Dumper=_PlainDumper, sort_keys=False, width=100, allow_unicode=True
    )
    return _HEADER + body


class _PlainDumper(yaml.SafeDumper):
    """YAML without anchors, which other tools stumble over."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


KUSTOMIZATION = "kustomization.yaml"


def files() -> dict[str, str]:
    """The files of `crds/` by name: one for each CRD, and a kustomization that lists them."""
    manifests = {
        f"{definition.plural}.yaml": as_yaml(crd(definition)) for definition in DEFINITIONS
    }
    return {**manifests, KUSTOMIZATION: as_yaml(_kustomization(sorted(manifests)))}


def _kustomization(names: Sequence[str]) -> Manifest:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(names),
    }
