"""Recognises bank feeds and has each read by the module that knows its form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.tabular.feeds import amex, camt, cdf, mt940, ofx, vcf
from cardwatch.tabular.feeds.layout import load_layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.tabular.limits import Limits
    from cardwatch.tabular.table import Found

HEAD_BYTES = 4096
"""A feed shows what it is in its first bytes."""
_XML = rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
_PATTERNS = (
    ("vcf", rb"6\t[^\t\n]*\t[^\t\n]*\t *\d{8} *\t *0* *\t[^\t\n]*\t[^\t\n]*\t *4\."),
    ("gl1025", rb"0[^\n]{26}GL1025"),
    ("kr1025", rb"0[^\n]{21}KR[^\n]1025"),
    ("cdf", _XML + rb"<CDFTransmissionFile[\s>]"),
    ("camt053", _XML + rb"<(?:\w+:)?Document[\s>].*?<(?:\w+:)?BkToCstmrStmt[\s>]"),
    ("ofx", rb"\s*OFXHEADER:|" + _XML + rb"(?:<\?OFX[^>]*>\s*)?<OFX>"),
    ("mt940", rb"\s*(?:\{1:F01|:20:[^\n]*\n(?::2[158]|:\d\d))"),
)
_READERS: dict[str, Callable[[bytes, str, Limits], Found]] = {
    "vcf": vcf.read_vcf,
    "gl1025": amex.read_gl1025,
    "kr1025": amex.read_kr1025,
    "cdf": cdf.read_cdf,
    "camt053": camt.read_camt,
    "mt940": mt940.read_mt940,
    "ofx": ofx.read_ofx,
}
FEEDS = frozenset(_READERS)
"""The forms of bank feeds that are read."""


def recognise_feed(data: bytes) -> str:
    """Return the form of a bank feed, by its first bytes; empty where it is none that is read."""
    head = data[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf")
    for form, pattern in _PATTERNS:
        if re.match(pattern, head, re.DOTALL):
            return form
    return ""


def read_feed(data: bytes, file: str, form: str, limits: Limits) -> Found:
    """Return the payments of a bank feed as a table, its counts and totals checked.

    Raises:
        FileRefused: it is cut off, doubled, out of sequence or damaged, or its totals disagree.
    """
    try:
        return _READERS[form](data, file, limits)
    except FileRefused as refusal:
        if refusal.code == "bank_feed":  # which says what it is
            raise
        reason = f"read as {load_layout(form).name}, {refusal.what}"
        raise FileRefused(file, refusal.code, reason) from None
