"""Page rendering: templates, their filters and functions, and static files."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cardwatch.alerts import merchants_label, people_label, scope_note
from cardwatch.alerts.wording import TIER_OF_LEVEL
from cardwatch.merchants import category_name
from cardwatch.quantities import money, plural, quantity
from cardwatch.reports.formatting import (
    british_day,
    day,
    interval,
    moment,
    month,
    out_of,
    sentence,
    short_days,
    short_moment,
    title,
)
from cardwatch.rules import rule_title
from cardwatch.statements import FIELDS
from cardwatch.vocabulary import KIND_TITLES, ROLE_TITLES, TIER_TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HERE = Path(__file__).parent
STATIC = HERE / "static"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
"""The content security policy of a page: what it loads is ours, and nothing stands in line."""
MOST_NAMED = 6
"""Cardholders of one alert who are named one by one; of more their number is said."""
BREAKS_AFTER = "@._/*-"
"""After which a long name may be broken."""
SURELY_FITS, WHOLE_LETTERS = 6, 16
"""Letters that every column has room for, and of the longest word that is kept in one piece."""
LASTING = "public, max-age=31536000, immutable"
"""`Cache-Control` of a file that is asked for by its hash."""


@cache
def environment() -> Environment:
    """Return what renders `api/templates`; whatever is put into a page is escaped."""
    renderer = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    renderer.globals.update(asset=asset, integrity=integrity)
    renderer.filters.update(
        money=money,
        whole_pounds=whole_pounds,
        brief=brief,
        day=day,
        days=days,
        month=month,
        out_of=out_of,
        interval=interval,
        moment=moment,
        short_moment=short_moment,
        words=title,
        scope=scope_note,
        sentence=sentence,
        role_title=role_title,
        rule_title=rule_title,
        field_title=field_title,
        kind_title=kind_title,
        category_name=category_name,
        setting_title=setting_title,
        tier_title=tier_title,
        month_name=month_name,
        table_days=table_days,
        qr=qr,
        people=people,
        everybody=everybody,
        merchants=merchants_label,
        options=options,
        stake=stake,
        first_sentence=first_sentence,
        unbroken=unbroken,
        without_first=without_first,
        quantity=quantity,
        plural=plural,
    )
    return renderer


@cache
def asset(name: str) -> str:
    """Return the address of a file of `api/static`; another content is another address."""
    return f"/static/{name}?{hashlib.sha256(_content(name)).hexdigest()[:16]}"


@cache
def integrity(name: str) -> str:
    """Return the hash by which a browser checks a file of `api/static`."""
    return f"sha384-{base64.b64encode(hashlib.sha384(_content(name)).digest()).decode()}"


def whole_pounds(pence: int) -> str:
    """Return pence as a chart shows them, in whole pounds: `£6,120`."""
    return f"{'-' if pence < 0 else ''}£{abs(pence) / 100:,.0f}"


def brief(text: str) -> Markup:
    """Return a day, or that of a moment, as a table shows it, in one piece: `11 Oct 2026`."""
    when = british_day(text)
    return Markup('<span class="cw-whole">{}</span>').format(f"{when.day} {when:%b %Y}")


def days(first: str, last: str) -> str:
    """Return the days from one to another, as few words as they need: `6 to 9 October 2026`."""
    start, ends = day(first), day(last)
    if start == ends:
        return ends
    number, *same = start.split()
    return f"{number if same == ends.split()[1:] else start} to {ends}"


def people(alert: Mapping[str, object], names: Mapping[str, str]) -> str:
    """Whom an alert is about, under the names shown to the reader: one, or how many they are."""

    def named(ids: object) -> list[str]:
        return [names[person_id] for person_id in cast("Sequence[str]", ids)]

    return people_label(named(alert["holders"]), named(alert["approvers"]))


def everybody(alert: Mapping[str, object], names: Mapping[str, str]) -> str:
    """Whom an alert is about, each by name; how many they are where they are more than a few."""
    holders = cast("Sequence[str]", alert["holders"])
    if alert["approvers"] or not 1 < len(holders) <= MOST_NAMED:
        return people(alert, names)
    *first_names, last = (names[holder_id] for holder_id in holders)
    return f"{', '.join(first_names)} and {last}"


def options(
    choices: Mapping[str, str] | Iterable[str], first: str = "", words: str = ""
) -> list[dict[str, str]]:
    """The options of a control.

    Args:
        choices: values with their labels, or values alone.
        first: label of an option for no value, before all others; none without it.
        words: name of the filter that makes a label of a value; without it the value is its label.
    """
    if not isinstance(choices, Mapping):
        label = environment().filters[words] if words else str
        choices = {value: label(value) for value in choices}
    labelled = [{"value": value, "label": label} for value, label in choices.items()]
    return [{"value": "", "label": first}, *labelled] if first else labelled


def stake(pence: int) -> str:
    """Return the pence at stake as a table shows them; nothing of an alert about a card."""
    return money(pence) if pence else ""


def role_title(role: str) -> str:
    """Title of a role on pages; an unknown one as it is."""
    return ROLE_TITLES.get(role, role)


def kind_title(kind: str) -> str:
    """Return what pages call a kind of alerts."""
    return KIND_TITLES.get(kind, title(kind))


def field_title(field: str) -> str:
    """Return what pages call a field of a statement, such as `employee_id`."""
    return sentence(FIELDS[field].partition(" (")[0].partition(";")[0]).removesuffix(".")


def setting_title(kind: str) -> str:
    """Return what pages call a kind of setting: `cards` is the card register."""
    return {"cards": "Card register"}.get(kind, title(kind))


def tier_title(tier: str) -> Markup:
    """Return what pages call a tier, in one piece; a rule's level is the tier it raises."""
    letter = TIER_OF_LEVEL.get(tier, tier)
    return Markup('<span class="cw-whole">{}</span>').format(TIER_TITLES[letter])


def month_name(text: str) -> str:
    """Return a month such as `2026-10` as a sentence has it: `October 2026`."""
    return f"{dt.date.fromisoformat(text + '-01'):%B %Y}"


def table_days(first: str, last: str) -> Markup:
    """Return one day, or two, as a table shows them: `7 to 9 Oct 2026`."""
    return Markup('<span class="cw-whole">{}</span>').format(short_days(first, last))


def first_sentence(text: str) -> str:
    """Return the first sentence of a fact, without its full stop."""
    return re.split(r"\.(?=\s+[A-Z0-9£]|\s*$)", text, maxsplit=1)[0]


def unbroken(text: str) -> Markup:
    """Return a name of which a narrow column breaks no word, only between words and after signs.

    Words of more than `WHOLE_LETTERS` letters are broken where it has to be.
    """
    markup = Markup()
    for part in re.findall(r"\s+|[^\s@._/*-]*[@._/*-]|[^\s@._/*-]+", text):
        if SURELY_FITS < len(part) <= WHOLE_LETTERS:
            markup += Markup('<span class="cw-whole">{}</span>').format(part)
        else:
            markup += part
        markup += Markup("<wbr>") if part[-1] in BREAKS_AFTER else ""
    return markup


def without_first(rows: Sequence[Sequence[object]]) -> list[Sequence[object]]:
    """Return the rows of a table without their first cell."""
    return [row[1:] for row in rows]


def qr(text: str) -> Markup:
    """Return a text as a QR code, to be scanned by a phone: SVG that stands in a page."""
    svg = segno.make(text, error="m").svg_inline(scale=4, border=4, light="white", svgclass="cw-qr")
    return Markup(svg)  # noqa: S704  of shapes alone


def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()
