"""The AM service's OpenAPI document, made from the message types."""

from __future__ import annotations

from typing import Any

import msgspec

import kubeyarn
from kubeyarn.resourcemanager.amservice import wire

_CALLS: dict[str, tuple[str, type[wire.Message], type[wire.Message]]] = {
    "register": ("Register the ApplicationMaster.", wire.Register, wire.Registered),
    "allocate": ("Heartbeat: say asks, receive containers.", wire.Allocate, wire.Allocated),
    "finish": ("Unregister; call until isUnregistered.", wire.Finish, wire.Finished),
    "containers": ("Launch and stop containers.", wire.Containers, wire.ContainersAnswer),
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1 of `/am/v1`."""
    types = [t for _, asked, told in _CALLS.values() for t in (asked, told)] + [wire.Error]
    references, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    schema_of = dict(zip(types, references, strict=True))
    paths = {
        f"/am/v1/{name}": {
            "post": _operation(
                name, about, schema_of[asked], schema_of[told], schema_of[wire.Error]
            )
        }
        for name, (about, asked, told) in _CALLS.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KubeYARN ApplicationMaster service",
            "version": kubeyarn.__version__,
            "description": "What an ApplicationMaster says to the ResourceManager. Authenticated "
            "by the pod's projected service-account token (audience kubeyarn-am).",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"podToken": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"podToken": []}],
    }


def _operation(name: str, about: str, asked: Any, told: Any, error: Any) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": about,
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": told}}},
            "default": {
                "description": "Refused: what, where, what was found and what is allowed.",
                "content": {"application/json": {"schema": error}},
            },
        },
    }
