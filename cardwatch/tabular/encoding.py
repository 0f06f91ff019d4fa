"""Decodes text: by its mark, as UTF-8, else by the code page whose letters look like words."""

import codecs
import re
from itertools import islice

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity

BOMS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
CODE_PAGES = ("cp1252", "cp850", "mac_roman")
"""Windows, DOS and old Macintosh: what British systems write that do not write UTF-8."""
LETTERS = frozenset("éèêëáàâäíìîïóòôöúùûüçñåøæœßÉÈÊËÁÀÂÄÍÌÎÏÓÒÔÖÚÙÛÜÇÑÅØÆ")
TYPOGRAPHIC_SIGNS = frozenset("£€\u2013\u2014\u2018\u2019“”…•·®©™°½¼¾²³§«»\xa0")
TWICE_ENCODED = re.compile("Â£|Ã©|Ã¨|Ã¼|Ã¶|â€™|â€“")
SAMPLE_BYTES = 20_000
"""Number of non-ASCII bytes read to choose a code page."""
OTHER_LETTERS = re.compile("[^\x00-\x7f]")
OTHER_BYTES = re.compile(rb"[^\x00-\x7f]")


def decode(data: bytes, file: str) -> tuple[str, str]:
    """Return the whole file as text and the encoding used.

    A byte order mark decides; else UTF-8 if every byte fits; else the code page under which most of
    the other bytes are letters within words or pound signs before figures.

    Raises:
        FileRefused: no encoding fits.
    """
    marked = next((name for bom, name in BOMS.items() if data.startswith(bom)), None)
    try:
        encoding = marked or "utf-8"
        return _undo_twice(data.decode(encoding), encoding)
    except UnicodeDecodeError:
        if marked:
            raise FileRefused(
                file, "encoding", "its text encoding is not known. Export it as UTF-8"
            ) from None
    if (mixed := _mixed(data)) is not None:
        return mixed
    best = max(CODE_PAGES, key=lambda page: (_likelihood(data, page), -CODE_PAGES.index(page)))
    if _likelihood(data, best) > 0:
        return data.decode(best), best
    return _guess(data, file)


def _mixed(data: bytes) -> tuple[str, str] | None:
    """Return a text of UTF-8 with some bytes of Windows among it, as joined exports have; or none.

    It is such a text if no more bytes are invalid in UTF-8 than are other letters.
    """
    strange = 0

    def as_windows(error: UnicodeError) -> tuple[str, int]:
        nonlocal strange
        assert isinstance(error, UnicodeDecodeError)
        strange += error.end - error.start
        return error.object[error.start : error.end].decode("cp1252", "replace"), error.end

    codecs.register_error("as_windows", as_windows)
    text = data.decode("utf-8", "as_windows")
    others = sum(1 for _ in islice(OTHER_LETTERS.finditer(text), 2 * strange + 1))
    if others < 2 * strange or "\ufffd" in text:
        return None
    return text, f"utf-8, and cp1252 in {quantity(strange, 'byte')}"


def _undo_twice(text: str, encoding: str) -> tuple[str, str]:
    """Return a text that was encoded twice as it was before, where that can be undone."""
    if not text.isascii() and TWICE_ENCODED.search(text):
        try:
            return text.encode("cp1252").decode("utf-8"), f"{encoding}, encoded twice"
        except UnicodeError:
            pass  # only a part of it was encoded twice: it is left as it is
    return text, encoding


def _likelihood(data: bytes, page: str) -> float:
    """Return the share of the bytes beyond ASCII that make sense under a code page."""
    decoded = bytes(range(256)).decode(page, errors="replace")
    if any(decoded[byte] == "\ufffd" for byte in set(data)):
        return 0
    places = [match.start() for match in islice(OTHER_BYTES.finditer(data), SAMPLE_BYTES)]
    sound = 0
    for i in places:  # an accent is sound within a word, of the case of the letters beside it
        letter = decoded[data[i]]
        neighbours = data[max(i - 1, 0) : i] + data[i + 1 : i + 2]
        in_word = any(chr(byte).isalpha() or byte > 0x7F for byte in neighbours)
        in_word &= not (letter.isupper() and any(chr(byte).islower() for byte in neighbours))
        money = letter == "£" and re.match(rb"\s*-?\(?[\d)]|$", data[i + 1 : i + 4]) is not None
        sound += money * 2 or (letter in LETTERS and in_word) or (letter in TYPOGRAPHIC_SIGNS)
    return sound / max(len(places), 1)


def _guess(data: bytes, file: str) -> tuple[str, str]:
    """Return a text by the library's guess.

    Raises:
        FileRefused: it has none.
    """
    try:
        return data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes  # noqa: PLC0415  slow to import, seldom needed

        best = from_bytes(data).best()
    if best is None:
        raise FileRefused(file, "encoding", "its text encoding is not known. Export it as UTF-8")
    return str(best), best.encoding
