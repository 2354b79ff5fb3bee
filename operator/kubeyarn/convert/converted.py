"""What a conversion comes to: objects, and notes about what they cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeyarn.crd.object import Object

API_VERSION = "kubeyarn.io/v1alpha1"


@dataclass(frozen=True, slots=True)
class Note:
    """A setting that the objects do not say as Hadoop's files did, and why."""

    queue: str
    setting: str
    message: str

    def __str__(self) -> str:
        """The note as a line."""
        return f"{self.queue}: {self.setting}: {self.message}"


@dataclass(slots=True)
class Converted:
    """Objects in the order in which they are applied, parents first.

    *sources* are the properties that a queue's fields came from, by the queue's path and the
    field's, such as `("root.a", "ordering.applications")`. *paths* are the queues' paths in
    Hadoop by the names of their YarnQueues.
    """

    objects: list[Object] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    sources: dict[tuple[str, str], str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def queue(self, path: str, name: str, spec: Mapping[str, Any]) -> None:
        """Add the YarnQueue *name* of the queue that Hadoop knows as *path*."""
        self.objects.append(yarn_queue(name, spec))
        self.paths[name] = path

    def with_paths(self) -> Iterator[tuple[Object, str]]:
        """Every object with Hadoop's path of its queue; "" where it is no queue."""
        for found in self.objects:
            is_queue = found["kind"] == "YarnQueue"
            yield found, self.paths[found["metadata"]["name"]] if is_queue else ""


class SpecWriter:
    """Collects the fields of one spec, where each came from, and what could not be said."""

    def __init__(self, queue: str, converted: Converted) -> None:
        self.queue = queue
        self.spec: dict[str, Any] = {}
        self._converted = converted

    def say(self, at: str, value: object, source: str) -> None:
        """Set the field at the dotted path *at*; None, an empty map and "" are not said."""
        if value is None or value in ({}, ""):
            return
        *above, name = at.split(".")
        place = self.spec
        for part in above:
            place = place.setdefault(part, {})
        place[name] = value
        self._converted.sources[self.queue, at] = source

    def note(self, setting: str, message: str) -> None:
        """Report what could not be said."""
        self._converted.notes.append(Note(self.queue, setting, message))


def yarn_queue(name: str, spec: Mapping[str, Any]) -> Object:
    """A YarnQueue as it is applied."""
    made: Object = {"apiVersion": API_VERSION, "kind": "YarnQueue", "metadata": {"name": name}}
    if spec:
        made["spec"] = dict(spec)
    return made
