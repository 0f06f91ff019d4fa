"""Documents are kept by their hash, and what is in force is told by the day."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from cardwatch import services
from cardwatch.casebook import AuditEvent, documents

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]


def test_of_several_that_hold_the_last_put_counts_and_before_the_first_the_first(
    at: Context,
) -> None:
    finance = at()
    put = [
        (b"# a", "2026-04-01"),
        (b"# b", "2026-06-01"),
        (b"# c", "2026-06-01"),
        (b"# d", "2026-05-01"),
    ]
    names = {services.activate_document(finance, "policy", text, day): text for text, day in put}
    with finance.work(AuditEvent("access", "test"), ()) as uow:
        told = {
            day: names[documents.active_sha256(uow, "policy", day) or ""]
            for day in ("2026-01-01", "2026-04-01", "2026-05-31", "2026-06-01", "2030-01-01")
        }
        assert documents.active_sha256(uow, "cards", "2026-06-01") is None
        assert [row["seq"] for row in documents.list_active(uow)] == [1, 2, 3, 4]
    assert list(told.values()) == [b"# a", b"# a", b"# d", b"# c", b"# c"]


def test_the_same_document_is_kept_once(at: Context) -> None:
    finance = at()
    first = services.activate_document(finance, "policy", b"# text", "2026-01-01")
    assert services.activate_document(finance, "policy", b"# text", "2026-02-01") == first
    with finance.work(AuditEvent("access", "test"), ()) as uow:
        assert documents.read_document(uow, first) == b"# text"


@given(
    st.dictionaries(st.text(string.ascii_letters, min_size=1), st.binary(max_size=200), max_size=4)
)
def test_packing_gives_back_what_was_packed_and_the_same_bytes(files: dict[str, bytes]) -> None:
    packed = documents.pack(files)
    assert documents.unpack(packed) == files
    assert documents.pack(dict(reversed(files.items()))) == packed
