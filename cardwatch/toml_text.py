"""Writes settings as TOML; comments are not kept."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def policy_toml(settings: Mapping[str, Any]) -> str:
    """Some settings of a policy as TOML."""
    plain = [f"{k} = {_toml(v)}" for k, v in settings.items() if k not in _tables(settings)]
    tables = []
    for key in _tables(settings):
        entries = settings[key]
        blocks = entries if isinstance(entries, list) else [entries]
        heading = f"[[{key}]]" if isinstance(entries, list) else f"[{key}]"
        tables += [
            "\n".join([heading, *(f"{_key(k)} = {_toml(v)}" for k, v in block.items())])
            for block in blocks
        ]
    return "\n\n".join(filter(None, ["\n".join(plain), *tables])) + "\n"


def _tables(settings: Mapping[str, object]) -> list[str]:
    """The settings that are tables, or lists of them."""
    return [
        key
        for key, value in settings.items()
        if isinstance(value, dict)
        or (isinstance(value, list) and value and isinstance(value[0], dict))
    ]


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else _toml(name)


def toml_string(text: str) -> str:
    """A text as TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml(value: Any) -> str:  # noqa: ANN401  whatever TOML holds
    """A value as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return toml_string(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
