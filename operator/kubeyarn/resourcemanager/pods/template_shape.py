"""Whether a template is shaped as a PodTemplateSpec, as far as `pod_builder` looks into it. Pure.

The definitions keep templates as they are written, so that a field which Kubernetes gets tomorrow
need not be known here. The API server checks one when its pod is made; but until then our own code
reads parts of it, and a string where it expects a list would raise what no user understands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubeyarn.model.errors import SpecError

_Shape = Mapping[str, Any] | list[Any] | type[str]

_MANY: list[Any] = [{}]
_SECURITY: dict[str, _Shape] = {
    "capabilities": {},
    "appArmorProfile": {},
    "windowsOptions": {},
}
_CONTAINER: dict[str, _Shape] = {
    "env": [{"name": str}],
    "resources": {"requests": {}, "limits": {}},
    "volumeMounts": _MANY,
    "ports": _MANY,
    "securityContext": _SECURITY,
}
_TERMS = {"nodeSelectorTerms": [{"matchFields": _MANY}]}
_SHAPE: _Shape = {
    "metadata": {"labels": {}, "annotations": {}},
    "spec": {
        "containers": [_CONTAINER],
        "initContainers": [_CONTAINER],
        "volumes": _MANY,
        "securityContext": _SECURITY,
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _TERMS}},
    },
}


def check(template: Mapping[str, Any]) -> None:
    """Refuse a template that is no PodTemplateSpec.

    Raises:
        SpecError: names the first field that is of another type.
    """
    for mistake in _mistakes(template, _SHAPE, "template"):
        raise SpecError(mistake)


def _mistakes(value: Any, shape: _Shape, path: str) -> Iterator[str]:
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            yield f"{path}: found {_short(value)}, allowed: an object"
            return
        for name, inner in shape.items():
            # What is null is as good as absent, but for what must be there.
            if value.get(name) is not None or inner is str:
                yield from _mistakes(value.get(name), inner, f"{path}.{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list | tuple):
            yield f"{path}: found {_short(value)}, allowed: a list"
            return
        for place, entry in enumerate(value):
            yield from _mistakes(entry, shape[0], f"{path}[{place}]")
    elif not isinstance(value, str):
        yield f"{path}: found {_short(value)}, needed: a string"


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 64 else f"{text[:60]} ..."
