"""XML elements by the names that are written."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.elements import read_xml
from kubeyarn.model.errors import SpecError


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        pytest.param("<a/>", "a", id="plain"),
        pytest.param('<a xmlns="urn:x"/>', "a", id="a namespace"),
        pytest.param('<f:a xmlns:f="urn:x"/>', "f:a", id="a prefix"),
        pytest.param("<f:a/>", "f:a", id="a prefix that is not declared"),
        pytest.param("\ufeff<a/>", "a", id="a mark of the byte order"),
        pytest.param('<?xml version="1.0" encoding="UTF-16"?><a/>', "a", id="another encoding"),
    ],
)
def test_an_element_has_the_name_that_is_written(text: str, tag: str) -> None:
    assert read_xml(text).tag == tag


def test_text_is_whole_across_comments() -> None:
    assert read_xml("<a>2<!-- x -->5<![CDATA[6]]></a>").text == "256"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "<a>",
        "<a/><b/>",
        "<a/>text",
        "<a b=c/>",
        "<a>&b;</a>",
        "<a>\x00</a>",
        "<a>\ud800</a>",
        "<!DOCTYPE a><a/>",
        '<!DOCTYPE a [<!ENTITY b "2">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
    ],
)
def test_what_is_no_xml_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"it is not XML|DOCTYPE"):
        read_xml(text)
