"""The policy: the organisation's figures and lists with their dates, from one file."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tomllib
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.bounded import read_toml
from cardwatch.errors import FileFaulty

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

COUNTRIES = ("ENG", "SCT", "WLS", "NIR")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
AT_LEAST_ONE = {"unusual_one_in", "round_pounds", "limit_times_use"}
VAT_WORDS = ("included", "excluded", "unknown")
LIMIT_KINDS = ("single_purchase", "holder_month", "step")
ALWAYS = dt.date(2000, 1, 1)
"""The day from which the limits of `policy_defaults.toml` apply: before any payment."""
VAT_RATE = 0.20
"""United Kingdom standard rate (VAT Act 1994, s. 2)."""
LARGEST_POUNDS = 10_000_000
CLAUSE_KEY = re.compile(r"[a-z][a-z0-9-]{0,59}")
"""The kind or id of a rule."""
MAX_CLAUSE = 500
"""Characters of a clause."""
PACK_KEYS = ("name", "owner", "version", "sha256")
"""Keys of a policy about the pack that it was taken from."""
MAX_PACK_TEXT = 100
"""Characters of a pack's name, owner or version."""
CHIEF_OFFICERS = "chief_officers"
KIND_WORDS: dict[type, str] = {str: "text in quotation marks", list: "a list", dict: "a table"}


@dataclass(frozen=True)
class Limit:
    """One limit: so many pence from a day on, for everybody or for some holders."""

    since: dt.date
    pence: int
    vat: str = "unknown"
    holders: tuple[str, ...] = ()
    stated: bool = True


@dataclass(frozen=True)
class ChiefOfficers:
    """Whose alerts go to a named authority, since everybody else is in their chain.

    Attributes:
        authority: who it is, such as the office of the commissioner; empty where none is named.
        people: email addresses of those who may decide such alerts and be assigned them.
        holders: numbers of chief officers, as statements or registers print them.
        units: their offices, by the code of the cost centre.
        posts: posts and grades in the people register that are a chief officer's.
    """

    authority: str = ""
    people: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """An organisation's figures; each is explained in `policy_defaults.toml`."""

    organisation: str
    country: str
    working_days: tuple[str, ...]
    split_windows_days: tuple[int, ...]
    habit_windows: int
    unusual_one_in: int
    materiality_pounds: float
    large_payment_pounds: float
    holder_year_pounds: float
    non_working_day_pounds: float
    hospitality_cap_pounds: float
    near_limit_share: float
    near_limit_payments: int
    round_pounds: int
    dormant_days: int
    closed_card_days: int
    limit_times_use: float
    approver_cards: int
    alerts_per_1000: float
    alerts_at_least: int
    alerts_per_holder_month: int
    answered_times: float
    answered_days: int
    blocked_categories: tuple[str, ...]
    cash_categories: tuple[str, ...]
    watched_categories: tuple[str, ...]
    bulk_categories: tuple[str, ...]
    statutory_fee_categories: tuple[str, ...]
    personal_categories: tuple[str, ...]
    hospitality_categories: tuple[str, ...]
    fuel_categories: tuple[str, ...]
    blocked_words: tuple[str, ...]
    cash_words: tuple[str, ...]
    gift_card_words: tuple[str, ...]
    bulk_words: tuple[str, ...]
    statutory_fee_words: tuple[str, ...]
    personal_words: tuple[str, ...]
    restricted_words: tuple[str, ...]
    hospitality_words: tuple[str, ...]
    fuel_words: tuple[str, ...]
    watched_merchants: tuple[str, ...]
    payment_processors: tuple[str, ...]
    merchant_aliases: dict[str, str]
    clauses: dict[str, str]
    pack: dict[str, str]
    chief_officers: ChiefOfficers
    single_purchase: tuple[Limit, ...]
    holder_month: tuple[Limit, ...]
    step: tuple[Limit, ...]

    @property
    def unusual_share(self) -> float:
        """Share of comparable payments below which one is unusual."""
        return 1 / self.unusual_one_in

    @property
    def materiality_pence(self) -> int:
        """Pence below which a payment is never asked about alone."""
        return round(self.materiality_pounds * 100)

    @property
    def limit_use_share(self) -> float:
        """Share of a card's monthly limit below which its highest month is far below the limit."""
        return 1 / self.limit_times_use

    @cached_property
    def sha256(self) -> str:
        """Hash of all figures and lists, by which a result names the policy that made it."""
        content = asdict(self)
        for name in ("clauses", "pack"):
            if not content[name]:  # one without is the policy it was before there were any
                del content[name]
        if not self.chief_officers.authority:
            del content["chief_officers"]
        text = json.dumps(content, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def pack_name(self) -> str:
        """The policy pack it was taken from, with its version; empty where it is of none."""
        return f"{self.pack['name']}, version {self.pack['version']}" if self.pack else ""

    def clause_of(self, rule: str, kind: str) -> str:
        """The clause of the card policy behind a rule: its own, else its kind's; empty for none."""
        return self.clauses.get(rule) or self.clauses.get(kind, "")

    def limits_in_force(
        self, name: str, holders: pd.Series[str], dates: pd.Series[pd.Timestamp]
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Return for each payment the active limit for its holder on its day.

        Args:
            name: single_purchase, holder_month or step.
            holders: holder of each payment.
            dates: day of each payment, same index.

        Returns:
            `pence`, the limit as a sum with VAT (0 where none was active); `sure_pence`, the sum
            above which it is passed whichever way the limit is meant; and whether it is `stated`
            by the organisation and no default.
        """
        days = dates.to_numpy()
        stated = np.zeros(len(holders), dtype=bool)
        pence = np.zeros(len(holders), dtype="int64")
        sure = np.zeros(len(holders), dtype="int64")
        entries: tuple[Limit, ...] = getattr(self, name)
        for limit in sorted(entries, key=lambda e: (bool(e.holders), e.since)):
            where = days >= np.datetime64(limit.since)
            if limit.holders:
                where = where & holders.isin(limit.holders).to_numpy()
            with_vat = round(limit.pence * (1 + VAT_RATE))
            pence[where] = with_vat if limit.vat == "excluded" else limit.pence
            sure[where] = limit.pence if limit.vat == "included" else with_vat
            stated[where] = limit.stated
        return {"pence": pence, "sure_pence": sure, "stated": stated}

    def no_limit_before(self, name: str) -> dt.date | None:
        """Return the day before which payments are compared with no such limit, if there is one.

        Args:
            name: single_purchase, holder_month or step.
        """
        days = [limit.since for limit in getattr(self, name) if not limit.holders]
        return min(days) if days and min(days) > ALWAYS else None

    def entries_in_force(self, name: str, day: dt.date) -> tuple[Limit, ...]:
        """Return the entries of a limit that apply on a day: of the same holders the latest.

        Args:
            name: single_purchase, holder_month or step.
            day: the day.
        """
        entries: tuple[Limit, ...] = getattr(self, name)
        effective = sorted((e for e in entries if e.since <= day), key=lambda e: e.since)
        return tuple({frozenset(entry.holders): entry for entry in effective}.values())


def load_policy(path: Path | None = None) -> Policy:
    """Return the policy in a TOML file over the defaults, or the defaults alone.

    Raises:
        FileFaulty: the file cannot be read or has faults; all are listed at once.
    """
    if path is None:
        return _defaults()
    try:
        return parse_policy(path.read_text(encoding="utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise FileFaulty(path.name, [f"it cannot be read: {error}"]) from error


@cache
def _defaults() -> Policy:
    """Return the defaults alone."""
    return parse_policy("", "policy_defaults.toml")


def default_policy_text() -> str:
    """Return the documented defaults as the file that holds them."""
    return (resources.files("cardwatch") / "policy_defaults.toml").read_text(encoding="utf-8")


def parse_policy(text: str, file: str) -> Policy:
    """Return the policy that a TOML text describes; see `load_policy`."""
    defaults = tomllib.loads(default_policy_text())
    settings = read_toml(text, file)
    faults = [f"unknown setting '{key}'" for key in sorted(settings.keys() - defaults.keys())]
    values: dict[str, Any] = {}
    for key, default in defaults.items():
        value = settings.get(key, default)
        if key == CHIEF_OFFICERS:
            faults += _chief_officers_faults(value)
            continue
        fault = _fault(key, value, default)
        if fault:
            faults.append(fault)
        elif key in LIMIT_KINDS:
            faults += _limit_faults(key, value)
        else:
            values[key] = tuple(value) if isinstance(value, list) else value
    if faults:
        raise FileFaulty(file, faults)
    for key in LIMIT_KINDS:
        values[key] = _limits(settings.get(key, defaults[key]), stated=key in settings)
    chief_officers: dict[str, Any] = settings.get(CHIEF_OFFICERS, {})
    lists = {name: tuple(value) for name, value in chief_officers.items() if name != "authority"}
    values[CHIEF_OFFICERS] = ChiefOfficers(chief_officers.get("authority", ""), **lists)
    assert values.keys() == {f.name for f in fields(Policy)}
    return Policy(**values)


def setting_fault(key: str, value: float | list[str] | list[int] | dict[str, str]) -> str:
    """Say what is wrong with one setting of the policy, or nothing."""
    return _fault(key, value, tomllib.loads(default_policy_text())[key])


def _fault(key: str, value: Any, default: Any) -> str:  # noqa: ANN401  whatever TOML holds
    """Say what is wrong with one setting, or nothing."""
    number = isinstance(default, int | float)
    kinds: tuple[type, ...] = (int, float) if number else (type(default),)
    if not isinstance(value, kinds) or isinstance(value, bool):
        return f"{key} must be {KIND_WORDS.get(kinds[0], 'a number')}"
    faults: dict[str, bool] = {}
    if isinstance(value, list):
        faults = _list_faults(key, value, default)
    elif isinstance(value, dict):
        is_valid = all(isinstance(name, str) for name in value.values())
        is_valid = is_valid and all(map(_has_letter_or_digit, (*value, *value.values())))
        faults = {"must give a name for each name": not is_valid}
        if key == "clauses" and is_valid:
            wrong = [name for name in value if not CLAUSE_KEY.fullmatch(name)]
            long = [name for name, text in value.items() if len(text) > MAX_CLAUSE]
            faults = {
                f"must name kinds or rules such as split, not {', '.join(wrong)}": bool(wrong),
                f"must be at most {MAX_CLAUSE} characters each: {', '.join(long)}": bool(long),
            }
        elif key == "pack" and is_valid and value:
            is_valid = value.keys() == set(PACK_KEYS) and all(map(is_pack_text, value.values()))
            faults = {f"must state {', '.join(PACK_KEYS)}, each in a line": not is_valid}
    elif isinstance(value, int | float):
        faults = {
            f"must be between 0 and {LARGEST_POUNDS:,}": not 0 <= value <= LARGEST_POUNDS,
            "must be at least 1": key in AT_LEAST_ONE and value < 1,
            "must be a share of the limit, at most 1": key == "near_limit_share" and value > 1,
            "must be a whole number": isinstance(default, int) and not isinstance(value, int),
        }
    elif key == "country":
        faults = {f"must be one of {', '.join(COUNTRIES)}, not '{value}'": value not in COUNTRIES}
    return next((f"{key} {complaint}" for complaint, wrong in faults.items() if wrong), "")


def _list_faults(key: str, value: list[Any], default: list[Any]) -> dict[str, bool]:
    """Return what can be wrong with a list, and whether it is."""
    kind = type(default[0]) if default else str
    words = {int: "numbers", str: "texts"}.get(kind, "entries")
    if not all(isinstance(item, kind) and not isinstance(item, bool) for item in value):
        return {f"must be a list of {words}": True}
    if key == "working_days":
        return {f"are of {', '.join(WEEKDAYS)}": not set(value) <= set(WEEKDAYS)}
    if key == "split_windows_days":
        within = value and all(0 <= days <= 31 for days in value)
        return {"must be numbers of days from 0 to 31": not within}
    if key.endswith("_categories"):
        wrong = [item for item in value if not _is_range(item)]
        return {f"must be codes of four digits, not {', '.join(wrong)}": bool(wrong)}
    # A pattern is made of these: an empty text would be found in every payment.
    empty = kind is str and not all(map(_has_letter_or_digit, value))
    return {"has an entry without a letter or digit": empty}


def _chief_officers_faults(entry: Any) -> list[str]:  # noqa: ANN401  whatever TOML holds
    """Say everything that is wrong with the table of chief officers."""
    if not isinstance(entry, dict):
        return [f"{CHIEF_OFFICERS} must be a table"]
    if not entry:
        return []
    lists = [f.name for f in fields(ChiefOfficers) if f.name != "authority"]
    faults = [f"{CHIEF_OFFICERS}: unknown setting '{name}'"
              for name in sorted(entry.keys() - {"authority", *lists})]  # fmt: skip
    authority = entry.get("authority", "")
    if not isinstance(authority, str) or not is_pack_text(authority):
        faults.append(f"{CHIEF_OFFICERS}: 'authority' must name the authority, in a line")
    for name in lists:
        texts = entry.get(name, [])
        is_list = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        if not is_list or not all(map(_has_letter_or_digit, texts)):
            faults.append(f"{CHIEF_OFFICERS}: '{name}' must be a list of texts")
    if not faults and not entry.get("people"):
        faults.append(f"{CHIEF_OFFICERS}: 'people' must name at least one email address")
    if not faults and not any(entry.get(name) for name in ("holders", "units", "posts")):
        faults.append(f"{CHIEF_OFFICERS}: name chief officers by 'holders', 'units' or 'posts'")
    return faults


def _has_letter_or_digit(text: str) -> bool:
    return any(map(str.isalnum, text))


def is_pack_text(text: str) -> bool:
    """Return whether a text may be the name, owner or version of a pack."""
    return len(text) <= MAX_PACK_TEXT and text.isprintable() and _has_letter_or_digit(text)


def _is_range(text: str) -> bool:
    """Return whether a text is a code of four digits, or two of them in order with a dash."""
    codes = text.split("-")
    are_codes = all(len(code) == 4 and code.isdecimal() for code in codes)
    return are_codes and len(codes) <= 2 and codes == sorted(codes)


def _limit_faults(key: str, entries: list[dict[str, Any]]) -> list[str]:
    """Say everything that is wrong with the entries of one limit."""
    faults = [] if entries else [f"{key} needs at least one entry"]
    for number, entry in enumerate(entries, start=1):
        place = f"{key}, entry {number}"
        unknown = sorted(entry.keys() - {"from", "pounds", "vat", "holders"})
        faults += [f"{place}: unknown setting '{name}'" for name in unknown]
        since, pounds = entry.get("from"), entry.get("pounds")
        if not isinstance(since, dt.date) or isinstance(since, dt.datetime):
            faults.append(f"{place}: 'from' must be a date like 2026-04-01")
        if isinstance(pounds, bool) or not isinstance(pounds, int | float):
            faults.append(f"{place}: 'pounds' must be a number")
        elif not 0 < pounds <= LARGEST_POUNDS:
            faults.append(f"{place}: 'pounds' must be above 0 and at most {LARGEST_POUNDS:,}")
        if entry.get("vat", "unknown") not in VAT_WORDS:
            faults.append(f"{place}: 'vat' must be one of {', '.join(VAT_WORDS)}")
        holders = entry.get("holders", [])
        if not isinstance(holders, list) or not all(isinstance(h, str) for h in holders):
            faults.append(f"{place}: 'holders' must be a list of texts")
    return faults


def _limits(entries: list[dict[str, Any]], *, stated: bool) -> tuple[Limit, ...]:
    return tuple(
        Limit(
            since=entry["from"],
            pence=round(entry["pounds"] * 100),
            vat=entry.get("vat", "unknown"),
            holders=tuple(entry.get("holders", ())),
            stated=stated,
        )
        for entry in entries
    )


def in_categories(codes: Iterable[str], listed: tuple[str, ...]) -> Flags:
    """Return whether each four-digit code is in a list of codes and ranges such as 3000-3999."""
    ranges = [(first, last or first) for first, _, last in (item.partition("-") for item in listed)]
    inside = [any(first <= code <= last for first, last in ranges) for code in codes]
    return np.array(inside, dtype=bool)
