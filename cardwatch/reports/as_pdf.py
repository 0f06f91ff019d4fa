"""A document as PDF, tagged for screen readers (PDF/UA-1); the same document, the same bytes."""

from __future__ import annotations

import warnings
from importlib import resources
from typing import TYPE_CHECKING

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from cardwatch.reports.document import Document

MISSING = (
    "A PDF needs the libraries Pango and HarfBuzz-Subset ('apt install libpango-1.0-0 "
    "libpangoft2-1.0-0 libharfbuzz-subset0', 'brew install pango') and "
    "'pip install cardwatch[pdf]'. The other formats work without them."
)


def check_drawing() -> None:
    """Check that all that draws a PDF is installed.

    WeasyPrint works without HarfBuzz-Subset, with a warning, but then writes the time of day into
    fonts: the same document would not give the same bytes.

    Raises:
        CardwatchError: something is missing; it names what to install.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from weasyprint.text.ffi import harfbuzz_subset  # noqa: PLC0415  takes half a second
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
    text = Environment(autoescape=True).from_string(source).render(document=document)
    nothing = URLFetcher(allowed_protocols=())  # a document is whole in itself
    made: bytes = weasyprint.HTML(string=text, url_fetcher=nothing).write_pdf(
        pdf_variant="pdf/ua-1"
    )
    return made
