"""Hadoop's configuration files, property by property."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.configuration_xml import is_allocations, read_configuration
from kubeyarn.model.errors import SpecError


def file(*properties: str) -> str:
    return f"<configuration>{''.join(properties)}</configuration>"


def prop(name: str, value: str, more: str = "") -> str:
    return f"<property><name>{name}</name><value>{value}</value>{more}</property>"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param([file()], {}, id="nothing"),
        pytest.param([file(prop(" a ", " 1 "))], {"a": " 1 "}, id="a name is trimmed, a value not"),
        pytest.param([file('<property name="a" value="1"/>')], {"a": "1"}, id="attributes"),
        pytest.param([file(prop("a", ""))], {"a": ""}, id="an empty value"),
        pytest.param([file("<property><name>a</name></property>")], {}, id="no value"),
        pytest.param([file("<property><value>1</value></property>")], {}, id="no name"),
        pytest.param([file(prop("a", "1"), prop("a", "2"))], {"a": "2"}, id="twice in one"),
        pytest.param([file(prop("a", "1")), file(prop("a", "2"))], {"a": "2"}, id="in two"),
        pytest.param(
            [file(prop("a", "1", "<final>true</final>")), file(prop("a", "2"))],
            {"a": "1"},
            id="a final one",
        ),
        pytest.param([file(file(prop("a", "1")))], {"a": "1"}, id="one in another"),
        pytest.param([file(prop("a", "1<!-- x -->2"))], {"a": "12"}, id="a comment"),
        pytest.param([file("<unheard/>", prop("a", "1"))], {"a": "1"}, id="unknown elements"),
        pytest.param(
            [
                f'<?xml version="1.0" encoding="ISO-8859-1"?>{file(prop("a", "é"))}'.encode(
                    "latin-1"
                )
            ],
            {"a": "é"},
            id="another encoding",
        ),
    ],
)
def test_properties_are_read_as_hadoop_does(files: list[str], found: dict[str, str]) -> None:
    assert read_configuration(files) == found


@pytest.mark.parametrize("text", ["", "<a/>", file('<include href="x"/>'), b"\xff<configuration/>"])
def test_what_is_no_configuration_is_refused(text: str | bytes) -> None:
    with pytest.raises(SpecError):
        read_configuration([text])


def test_a_file_of_allocations_is_known_by_its_outermost_element() -> None:
    assert is_allocations("<allocations/>")
    assert not is_allocations(file())
