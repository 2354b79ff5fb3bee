"""XML elements as Hadoop sees them: by the name that is written, whatever namespaces there are."""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import TYPE_CHECKING
from xml import sax
from xml.etree.ElementTree import TreeBuilder
from xml.sax.handler import ContentHandler, LexicalHandler, property_lexical_handler

from kubeyarn.model.errors import SpecError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element
    from xml.sax.xmlreader import AttributesImpl


def read_xml(text: str | bytes) -> Element:
    """The outermost element of a text, or of a file in the encoding that it declares.

    `<f:queue>` is an element of that name, its prefix declared or not. Document types are refused,
    and with them entities that grow or read files, as Hadoop does
    (XMLUtils.newSecureDocumentBuilderFactory).

    Raises:
        SpecError: it is no XML, or has a document type.
    """
    elements = _Elements()
    parser = sax.make_parser()
    parser.setContentHandler(elements)
    parser.setProperty(property_lexical_handler, elements)
    try:
        parser.parse(BytesIO(text) if isinstance(text, bytes) else StringIO(text))
    except (sax.SAXException, LookupError, ValueError) as error:
        raise SpecError(f"it is not XML: {error}") from error
    return elements.outermost()


class _Elements(ContentHandler, LexicalHandler):
    """Builds elements; attributes and text are as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self._builder = TreeBuilder()

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self._builder.start(name, dict(attrs.items()))

    def endElement(self, name: str) -> None:  # noqa: N802
        self._builder.end(name)

    def characters(self, content: str) -> None:
        self._builder.data(content)

    def startDTD(self, name: str, public_id: str | None, system_id: str | None) -> None:  # noqa: N802
        raise SpecError(
            f"found <!DOCTYPE {name}>, allowed: elements only; leave the document type out"
        )

    def outermost(self) -> Element:
        """The element that holds all others."""
        return self._builder.close()
