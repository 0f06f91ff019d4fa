"""An archive is judged by its list of entries, before anything is unpacked."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest

from cardwatch.errors import FileRefused
from cardwatch.tabular import LIMITS
from cardwatch.tabular.detect_format import recognise


def test_many_comments_before_a_page_cost_no_more_than_their_length() -> None:
    """Each comment doubled the time: 500 bytes held a reader for its minute."""
    with pytest.raises(FileRefused, match="XML"):
        recognise(b"<!---->" * 70, "a.html", LIMITS)


def test_many_comments_before_a_table_cost_no_more_than_their_length() -> None:
    assert recognise(b"/**/" * 100 + b"Date,Amount\n", "a.csv", LIMITS) == "csv"


def test_an_archive_that_holds_a_link_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        link = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(FileRefused, match="link") as refused:
        recognise(out.getvalue(), "a.xlsx", LIMITS)
    assert refused.value.code == "not_a_table"
