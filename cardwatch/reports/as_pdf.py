"""A document as PDF, tagged for screen readers (PDF/UA-1); the same document, the same bytes."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from cardwatch.reports.document import Document

MISSING = (
    "A PDF needs the library Pango ('apt install libpango-1.0-0 libpangoft2-1.0-0 "
    "libharfbuzz-subset0', 'brew install pango') and 'pip install cardwatch[pdf]'. "
    "The other forms work without."
)


def check_drawing() -> None:
    """Refuse to begin a PDF where what draws it is not installed.

    Raises:
        CardwatchError: it is not.
    """
    try:
        import weasyprint  # noqa: F401, PLC0415  half a second, and only a PDF needs it
    except (ImportError, OSError) as error:
        raise CardwatchError(MISSING) from error


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
