"""A document as PDF, tagged for screen readers (PDF/UA-1); the same document, the same bytes."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stdout
from importlib import resources
from typing import TYPE_CHECKING

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.reports.document import Document, Table

MISSING = (
    "PDF files cannot be made here because a library is not installed. Choose another "
    "format, or have libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0 installed "
    "(on macOS 'brew install pango'; in Python 'pip install cardwatch[pdf]')."
)

PAGE_SIZE = 86
"""Small letters of a table's type that stand beside each other between the margins."""
BREAKS = re.compile("[ \n]+")
"""Where a line may end; a no-break space is none."""
CAPITAL = 1.35
"""Width of a capital, in small letters."""
BOLD = 1.2
"""Width of a heading's letter, in small letters."""
PADDING = 2.5
"""Space beside a column, in small letters."""
LONGEST_WORD = 26
"""Size of a word that a column keeps whole; a longer one may be broken."""
WIDEST_TEXT = 60
"""Size of a cell beyond which a column is made no wider."""


def check_drawing() -> None:
    """Check that all that draws a PDF is installed.

    WeasyPrint works without HarfBuzz-Subset, with a warning, but then writes the time of day into
    fonts: the same document would not give the same bytes.

    Raises:
        CardwatchError: something is missing; it names what to install.
    """
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # it prints advice
            warnings.simplefilter("ignore", DeprecationWarning)
            # The package itself first: after a try that failed, Python answers `KeyError`
            # when only its part is imported.
            import weasyprint  # noqa: F401, PLC0415  takes half a second
            from weasyprint.text.ffi import harfbuzz_subset  # noqa: PLC0415  see above
    except (ImportError, OSError) as error:
        raise CardwatchError(MISSING) from error
    if harfbuzz_subset is None:
        raise CardwatchError(MISSING)


def pdf_of(document: Document) -> bytes:
    """Return a document as PDF.

    Raises:
        CardwatchError: what draws it is not installed.
    """
    check_drawing()
    import weasyprint  # noqa: PLC0415  see `check_drawing`
    from jinja2 import Environment  # noqa: PLC0415  the same
    from weasyprint.urls import URLFetcher  # noqa: PLC0415  the same

    source = (resources.files("cardwatch.reports") / "document.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True)
    environment.filters["column_widths"] = column_widths
    text = environment.from_string(source).render(document=document)
    nothing = URLFetcher(allowed_protocols=())  # a document is whole in itself
    content: bytes = weasyprint.HTML(string=text, url_fetcher=nothing).write_pdf(
        pdf_variant="pdf/ua-1"
    )
    return content


def column_widths(table: Table) -> tuple[float, ...]:
    """Return the width of each column of a table in per cent, so that words stay whole.

    Each column has room for its longest word, or for the whole figure where it is numeric; what is
    left goes to columns with long texts.
    """
    columns = list(zip(table.headings, *table.rows, strict=True))
    least = [
        PADDING + _least_size(heading, cells, is_numeric=index in table.numeric)
        for index, (heading, *cells) in enumerate(columns)
    ]
    extra = [
        max(PADDING + min(max(map(_size, cells)), WIDEST_TEXT) - floor, 0.0)
        for cells, floor in zip(columns, least, strict=True)
    ]
    spare = max(PAGE_SIZE - sum(least), 0.0)
    widths = [
        floor + spare * (more / sum(extra) if any(extra) else 1 / len(least))
        for floor, more in zip(least, extra, strict=True)
    ]
    return tuple(round(100 * width / sum(widths), 2) for width in widths)


def _least_size(heading: str, cells: Sequence[str], *, is_numeric: bool) -> float:
    """Return the size of what may not be broken: figures whole, of texts the longest word."""
    longest = max(
        map(_size, cells if is_numeric else re.split(BREAKS, " ".join(cells))), default=0.0
    )
    in_heading = BOLD * max(map(_size, re.split(BREAKS, heading)), default=0.0)
    return max(in_heading, longest if is_numeric else min(longest, LONGEST_WORD))


def _size(text: str) -> float:
    """Return about how wide a text is, in small letters."""
    return sum(CAPITAL if char.isupper() else 1.0 for char in text)
