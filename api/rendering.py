"""Makes pages: templates, what they may call, and the files that they load."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cardwatch.reports.words import day, moment

HERE = Path(__file__).parent
STATIC = HERE / "static"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
"""The content security policy of a page: what it loads is ours, and nothing stands in line."""
LASTING = "public, max-age=31536000, immutable"
"""`Cache-Control` of a file that is asked for by its hash."""


@cache
def environment() -> Environment:
    """Return what renders `api/templates`; whatever is put into a page is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset, integrity=integrity)
    made.filters.update(money=money, day=day, moment=moment)
    return made


@cache
def asset(name: str) -> str:
    """Return the address of a file of `api/static`; another content is another address."""
    return f"/static/{name}?{hashlib.sha256(_content(name)).hexdigest()[:16]}"


@cache
def integrity(name: str) -> str:
    """Return the hash by which a browser checks a file of `api/static`."""
    return f"sha384-{base64.b64encode(hashlib.sha384(_content(name)).digest()).decode()}"


def money(pence: int) -> str:
    """Return pence as a table shows them: `£6,120.00`, `-£12.50`."""
    return f"{'-' if pence < 0 else ''}£{abs(pence) / 100:,.2f}"


def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()
