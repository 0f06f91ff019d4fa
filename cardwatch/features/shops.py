"""Shops known by name: the category that a merchant has where its statement states none."""

from __future__ import annotations

from functools import cache
from importlib import resources

SHOP_NAMES_FILE = "shop_names.txt"


@cache
def shop_codes() -> dict[str, str]:
    """Return the category codes (ISO 18245) of shops by name; the file says where they are from."""
    text = (resources.files("cardwatch.features") / SHOP_NAMES_FILE).read_text(encoding="utf-8")
    lines = (line.partition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: code for code, _, name in lines}


@cache
def _most_words() -> int:
    return max(len(name.split()) for name in shop_codes())


def shop_code(name: str) -> str:
    """Return the category code of the shop with whose name a merchant's begins; empty if none.

    Args:
        name: in canonical form, with or without the payment service before it.
    """
    words = name.rpartition(": ")[2].replace("'", "").replace(".", "").split()
    for count in range(min(len(words), _most_words()), 0, -1):
        if code := shop_codes().get(" ".join(words[:count])):
            return code
    return ""
