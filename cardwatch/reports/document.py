"""A document for people: sections of sentences, facts and tables, before it has a form.

One document becomes a page in a browser and a PDF; neither knows what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of text under headings.

    Attributes:
        numeric: columns of figures, from 0, which stand to the right.
        chart: column that a chart shows, from 0, beside the first; none below 0.
        values: its figures, one a row.
        empty: what is said in its place when there are no rows.
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    chart: int = -1
    values: tuple[int, ...] = ()
    empty: str = "There are none."


@dataclass(frozen=True)
class Section:
    """One section; what it has is shown in the order in which it stands here.

    Attributes:
        level: 2 for a section, 3 for a part of the one before.
        facts: names, each with what it is.
        text: paragraphs.
        points: a list.
        tables: figures.
        blanks: what somebody is to write by hand.
        begins_page: whether it begins on a new page in print.
    """

    title: str
    level: int = 2
    facts: tuple[tuple[str, str], ...] = ()
    text: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    blanks: tuple[str, ...] = ()
    begins_page: bool = False


@dataclass(frozen=True)
class Document:
    """A document: all of it text, nothing of it markup.

    Attributes:
        marking: protective marking at the head and foot of every page.
        facts: for whom, by whom, when, of what.
    """

    title: str
    marking: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
