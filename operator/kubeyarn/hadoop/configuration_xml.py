"""Hadoop's configuration files, such as yarn-site.xml (Hadoop: Configuration.loadResource)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.hadoop.elements import read_xml
from kubeyarn.hadoop.properties import trim
from kubeyarn.model.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element


def read_configuration(files: Iterable[str | bytes]) -> dict[str, str]:
    """The properties of several files; a later one wins unless the property is final.

    Raises:
        SpecError: one is no XML, is no configuration, or includes another file.
    """
    properties: dict[str, str] = {}
    final: set[str] = set()
    for file in files:
        of_file: set[str] = set()
        for name, value, is_final in _properties(read_xml(file)):
            if name not in final:
                properties[name] = value
            if is_final:
                of_file.add(name)
        # Only after the whole file: within one a later entry wins, final or not.
        final |= of_file
    return properties


def is_allocations(file: str | bytes) -> bool:
    """Whether the file is one of the Fair Scheduler's allocations.

    Raises:
        SpecError: it is no XML.
    """
    return read_xml(file).tag == "allocations"


def _properties(root: Element) -> Iterator[tuple[str, str, bool]]:
    if root.tag != "configuration":
        raise SpecError(
            f"the outermost element is <{root.tag}>, it must be <configuration>, or <allocations> "
            "in a file for the Fair Scheduler"
        )
    for element in root:
        # The prefix is the namespace's, as in xi:include.
        tag = element.tag.rpartition(":")[2]
        if tag == "include":
            href = element.get("href", "")
            raise SpecError(f"found an include of {href!r}, which is not followed; name it itself")
        if tag == "configuration":
            yield from _properties(element)
        if tag == "property":
            yield from _property(element)


def _property(element: Element) -> Iterator[tuple[str, str, bool]]:
    """A property by its elements or its attributes; one without a name or a value is none."""
    fields = dict(element.attrib)
    fields |= {field.tag: "".join(field.itertext()) for field in element}
    name = trim(fields.get("name", ""))
    if name and "value" in fields:
        yield name, fields["value"], trim(fields.get("final", "")) == "true"
