"""Reads XML of unknown origin: no document types, no entities, names without their namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from cardwatch.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NESTED = 100
"""Elements of a statement nest a dozen deep."""


class _Refused(Exception):
    """Something that no statement has."""


class _Builder(TreeBuilder):
    """Builds the tree, names without their namespaces, and no deeper than statements are."""

    def __init__(self) -> None:
        """Start at the root."""
        super().__init__()
        self.depth = 0

    def open(self, tag: str, attributes: dict[str, str]) -> None:
        """Start an element."""
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise _Refused
        self.start(tag.rpartition(":")[2], attributes)

    def close_one(self, tag: str) -> None:
        """End an element."""
        self.depth -= 1
        self.end(tag.rpartition(":")[2])


def _refuse(*_: object) -> None:
    """Refuse a document type or an entity."""
    raise _Refused


def parse_xml(data: bytes, file: str) -> Element:
    """Return the root of an XML document.

    Raises:
        FileRefused: it is cut off or damaged, or declares a document type or entities.
    """
    builder, parser = _Builder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.open, builder.close_one
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003  expat takes no names
    except expat.ExpatError as error:
        reason = f"it is cut off or damaged at line {error.lineno}. Ask for it again"
        raise FileRefused(file, "damaged", reason) from None
    except _Refused:
        reason = "it declares a document type or nests too deep, as no statement does"
        raise FileRefused(file, "xml", reason) from None
    return builder.close()


def text_at(element: Element | None, path: str) -> str:
    """Return the trimmed text of an element below another; empty where there is none."""
    below = element.find(path) if element is not None else None
    return " ".join((below.text or "").split()) if below is not None else ""


def texts_at(element: Element, path: str) -> Iterator[str]:
    """Give the trimmed texts of every element at a path that has one."""
    for below in element.iterfind(path):
        if text := " ".join((below.text or "").split()):
            yield text
