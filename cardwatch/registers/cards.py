"""Reads a card register: which card belongs to which holder, from which day, with which limits."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cardwatch.errors import CardsUnknown, FileRefused
from cardwatch.quantities import plural
from cardwatch.records import CARD_COLUMNS, CardRegister, Problem, ReadingReport
from cardwatch.statements import (
    Profile,
    known_headings,
    nearest_headings,
    order_by_dates,
    order_unknown,
    redact_cards,
    shipped_profiles,
)
from cardwatch.statements.cells import (
    FILLED,
    SCIENTIFIC_NUMBER,
    TextColumn,
    card_name,
    card_token,
    decimal_mark,
    read_card,
    read_pence,
)
from cardwatch.statements.dates import read_date
from cardwatch.tabular import LIMITS as FILE_LIMITS
from cardwatch.tabular import Table, normalise_heading, read_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardwatch.statements import ReadingChoices
    from cardwatch.tabular import Limits, ReaderPool

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

LOOK_ALIKES = str.maketrans(
    "\u0430\u0432\u0433\u0435\u0437\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"
    "\u0456\u0458\u0455\u04bb\u051b\u051d\u0501\u0261"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131"
    "\u00f8\u0142\u0111\u2018\u2019\u02bc\u02b9\u2032`",
    "abre3kmhopctyxijshqwdgabezhikmnoptyxiold''''''",
)
"""Small Cyrillic and Greek letters of which one case looks like a Latin letter or a digit, and that
one (Unicode Technical Standard 39, confusables); letters with a stroke, and what stands for an
apostrophe."""
UNPRINTED = frozenset({"Cc", "Cf", "Mn", "Me"})
"""Categories of characters that print nothing of their own."""
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"
"""Characters that are letters or symbols by category, and blank."""
WHO = ("employee_id", "cardholder", "account", "card_number")
"""Fields that say whose row it is, the best first."""
LIMITS, DATES = ("single_limit", "month_limit"), ("opened_on", "closed_on", "effective_from")
CARD_FACTS = ("unit", "approver_id", "approver", *LIMITS, *DATES, "status")
CARD_MESSAGES = {
    "no_card": "the card and its holder are missing",
    "bad_limit": "a limit is not an amount in whole pence, or is negative",
    "bad_day": "the opening, closing or start date is not a date",
    "closed_before_opened": "the closing date is before the opening date",
    "card_twice": "an earlier row is for the same card and day",
}
"""Problem codes of a register's rows, each with its sentence."""
NO_LIMIT = r"(?i)^[\s\p{Z}]*(?:n/?a|none|nil|not set|unlimited|-+)?[\s\p{Z}]*$"
TOTAL_ROW = r"(?i)^[\s\p{Z}]*(?:sub-?|grand )?total\b"
LOST = re.compile(r"\b(?:lost|stolen|compromised|fraud\w*|counterfeit)\b", re.IGNORECASE)
CLOSED = re.compile(
    r"\b(?:closed?|cancel\w*|inactive|expired|terminated|withdrawn|deactivated|destroyed|leaver)\b",
    re.IGNORECASE,
)


@cache
def _profile() -> Profile:
    """Return the headings of a register; sums may have the pound sign after them."""
    text = (resources.files("cardwatch.registers") / "cards.toml").read_text(encoding="utf-8")
    columns = {field: tuple(headings) for field, headings in tomllib.loads(text).items()}
    for field in LIMITS:
        columns[field] += tuple(f"{heading} £" for heading in columns[field])
    return Profile("card register", columns)


def headings_of(field: str) -> tuple[str, ...]:
    """Return the headings by which a field of a register is recognised, the preferred first."""
    return _profile().columns[field]


def read_cards(
    path: Path,
    choices: ReadingChoices,
    *,
    limits: Limits = FILE_LIMITS,
    readers: ReaderPool | None = None,
) -> CardRegister:
    """Return the card register in a file, with what happened to every row of it.

    Args:
        path: CSV of any separator, XLSX, XLS or ODS.
        choices: card key and order of dates; its layouts are those of statements and not used.
        limits: what the file may cost.
        readers: a pool that is running; without it, one is started for this file alone.

    Raises:
        FileRefused: it is missing, is no table, or its dates do not say their order.
        CardsUnknown: its headings are not those of a register.
    """
    name = redact_cards(path.name, choices.card_key)
    if not path.is_file():
        raise FileRefused(name, "missing", "there is no such file")
    table = read_tables([path], known_headings([_profile()]), limits, readers)[0]
    if isinstance(table, FileRefused):
        raise FileRefused(name, table.code, table.what)
    return _Reading(replace(table, file=name), choices).register()


def refuse_statement(file: str, headings: Sequence[str]) -> None:
    """Refuse a card statement that was given as a register of people or cards.

    A statement names cardholders and their cost centres, so that its headings suffice for either.

    Raises:
        FileRefused: the headings are of a date, a merchant and an amount.
    """
    if {"date", "merchant", "amount"} <= shipped_profiles()[-1].map(headings).keys():
        reason = (
            "its headings are those of a card statement: a date, a merchant and an amount. Upload "
            "it as a statement"
        )
        raise FileRefused(file, "statement", reason)


class _Reading:
    """One register on its way: the table, where its columns are, and what has been found out."""

    def __init__(self, table: Table, choices: ReadingChoices) -> None:
        """Find the columns.

        Raises:
            FileRefused: there are no headings; what stands in their place is not shown.
            CardsUnknown: no heading names the card or its holder, or none names a fact.
        """
        self.table, self.key = table, choices.card_key
        self.headings = tuple(" ".join(redact_cards(h, self.key).split()) for h in table.headings)
        self.at = _profile().map(self.headings)
        self._check_headings()
        self.notes = [*table.notes, *self._unused()]
        self.decisions = list(table.decisions)
        texts = [text for name in DATES for text in self.column(name).values]
        self.order, decision = choices.date_order, f"dates {choices.date_order}, as told"
        if self.order == "decide":
            self.order, decision = order_by_dates(texts, table.file)
        if not self.order:
            raise order_unknown(table.file)
        if set(DATES) & self.at.keys():
            self.decisions.append(decision)

    def _check_headings(self) -> None:
        """Refuse a table that is no register."""
        file = self.table.file
        refuse_statement(file, self.headings)
        if not self.at and any(re.search(r"\d", heading) for heading in self.headings):
            reason = (
                "its first row looks like a card, not headings. Export it again with a heading row"
            )
            raise FileRefused(file, "no_headings", reason)
        needs = {"card or holder": WHO, "limit, approver, unit, status or day": CARD_FACTS}
        missing = {
            need: fields for need, fields in needs.items() if not self.at.keys() & set(fields)
        }
        if missing:
            near = nearest_headings(self.headings, missing, _profile())
            raise CardsUnknown(file, self.headings, list(missing), near)

    def _unused(self) -> list[str]:
        """Return a note on the headings that no field of a register has, if there are any."""
        used = set(self.at.values())
        names = [
            f"'{heading}'"
            for position, heading in enumerate(self.headings)
            if heading and position not in used
        ]
        return [f"not used: {', '.join(names)}"] if names else []

    def column(self, name: str) -> TextColumn:
        """Return one field as printed; empty text where the file has no such column."""
        if name not in self.at:
            return TextColumn.absent(len(self.table.rows))
        return TextColumn.of(self.table.cells[str(self.at[name])])

    def text(self, name: str) -> pd.Series[str]:
        """Return one field with spaces collapsed and card numbers cut."""
        return self.column(name).tidied(self.key).texts()

    def filled(self, *names: str) -> Flags:
        """Return for each row whether any of some fields is filled."""
        return np.logical_or.reduce([self.column(name).matches(FILLED) for name in names])

    def days(self, name: str) -> Days:
        """Return one field as days; NaT where it is not a date."""
        serial = self.table.is_workbook
        return self.column(name).each(
            lambda text: read_date(text, self.order, serial=serial), "datetime64[D]"
        )

    def limit(self, name: str) -> tuple[Pence, Flags]:
        """Return one column of limits in pence, 0 where not said, and where it is no limit."""
        column = self.column(name)
        mark = decimal_mark(t for field in LIMITS for t in self.column(field).values)
        pence = column.each(lambda text: read_pence(text, mark) or 0, "int64")
        unread = column.each(lambda text: read_pence(text, mark) is None, "bool")
        return pence, (unread & ~column.matches(NO_LIMIT)) | (pence < 0)

    def register(self) -> CardRegister:
        """Return the rows that are good, with the report of all."""
        table = self.table
        cells = [TextColumn.of(column) for column in table.cells.columns]
        blank = ~np.logical_or.reduce([c.matches(FILLED) for c in cells])
        heading = np.logical_and.reduce([self._repeats(name) for name in self.at])
        frame = self._frame()
        problems = self._problems(frame, ~blank & ~heading)
        good = ~blank & ~heading
        good[[problem.row - table.rows.start for problem in problems]] = False
        cards = frame[good].reset_index(drop=True)
        if cards.empty:
            reason = "it has no cards" + (f": {problems[0].message}" if problems else "")
            raise FileRefused(table.file, "no_cards", reason)
        self._note(cards)
        report = ReadingReport(
            file=table.file,
            sha256=table.sha256,
            form=table.form,
            layout=_profile().name,
            columns={name: self.headings[position] for name, position in self.at.items()},
            decisions=tuple(self.decisions),
            notes=tuple(self.notes),
            rows=len(table.rows),
            cards=len(cards),
            blank=int(blank.sum()),
            headings=int(heading.sum()),
            problems=tuple(problems),
        )
        return CardRegister(cards, report)

    def _repeats(self, name: str) -> Flags:
        """Return for each row whether a field holds its own heading again."""
        heading = normalise_heading(self.headings[self.at[name]])
        return self.column(name).each(lambda text: normalise_heading(text) == heading, "bool")

    def _frame(self) -> pd.DataFrame:
        """Return every row of the table as a row of a register, good or not."""
        card, key = self.column("card_number"), self.key
        first = self.text("cardholder_first")
        holder_names = {name: self.text(name) for name in WHO[:-1]}
        holder_names["cardholder"] = (first + " " + holder_names["cardholder"]).str.strip()
        holder = holder_names["employee_id"].where(
            holder_names["employee_id"] != "", holder_names["cardholder"]
        )
        holder = holder.where(holder != "", holder_names["account"])
        holder = holder.where(holder != "", card.mapped(lambda text: card_name(text, key)).texts())
        keys = {f"key_{name}": compared(text) for name, text in holder_names.items()}
        number, name = self.text("approver_id"), self.text("approver")
        status = self.column("status").each(status_of, "object")
        closed, since = self.days("closed_on"), self.days("effective_from")
        ended = np.isnat(closed) & (status != "open")
        closed = np.where(ended, since - np.timedelta64(1, "D"), closed)  # closed from that day on
        values = {
            "card_id": self._card_ids(holder),
            "card_token": card.mapped(lambda text: read_card(text, key)[1]).texts(),
            "card_last4": card.mapped(lambda text: read_card(text, key)[0]).texts(),
            "holder_id": holder,
            **keys,
            "unit": self.text("unit"),
            "approver_id": number.where(number != "", name),
            "is_own_approver": is_own(keys, compared(number), compared(name)),
            "single_limit_pence": self.limit("single_limit")[0],
            "month_limit_pence": self.limit("month_limit")[0],
            "opened_on": self.days("opened_on").astype("datetime64[s]"),
            "closed_on": closed.astype("datetime64[s]"),
            "status": pd.Series(status, dtype="str"),
            "effective_from": since.astype("datetime64[s]"),
            "file": self.table.file,
            "row": np.arange(self.table.rows.start, self.table.rows.stop),
        }
        return pd.DataFrame(values)[list(CARD_COLUMNS)]

    def _card_ids(self, holder: pd.Series[str]) -> pd.Series[str]:
        """Return the key of each row's card.

        A whole number is a card wherever it stands; a part of one only together with its holder.
        """
        card, key = self.column("card_number"), self.key
        token = card.mapped(lambda text: read_card(text, key)[1]).texts()
        last = card.mapped(lambda text: read_card(text, key)[0]).texts()
        whole = card.each(lambda text: read_card(text, key)[2], "bool")
        card_names = compared(holder) + "/" + last.where(last != "", token)
        hashed = card_names.map({text: card_token(text, key) for text in card_names.unique()})
        return token.where(pd.Series(whole), hashed)

    def _problems(self, frame: pd.DataFrame, rows: Flags) -> list[Problem]:
        """Return the first fault of each row that cannot be kept."""
        total = np.logical_or.reduce([self.column(name).matches(TOTAL_ROW) for name in WHO])
        has_holder = (frame["holder_id"] != "").to_numpy() & ~(
            total & ~self.filled(*CARD_FACTS[:3])
        )
        checks: list[tuple[Sequence[str], str, Flags]] = [(WHO, "no_card", ~has_holder)]
        checks += [((name,), "bad_limit", self.limit(name)[1]) for name in LIMITS]
        for name in DATES:
            unread = np.isnat(self.days(name)) & ~self.column(name).matches(NO_LIMIT)
            checks.append(((name,), "bad_day", unread))
        turned = self.days("closed_on") < self.days("opened_on")
        checks.append((("closed_on",), "closed_before_opened", turned))
        problems: dict[int, Problem] = {}
        for fields, code, where in checks:
            for i in map(int, np.flatnonzero(rows & where)):
                problems.setdefault(i, self._problem(i, fields, code))
        is_good = rows.copy()
        is_good[list(problems)] = False
        twice = frame[is_good].duplicated(["card_id", "effective_from"])
        for i in twice.index[twice]:
            problems[i] = self._problem(i, ("card_number", *WHO), "card_twice")
        return [problems[i] for i in sorted(problems)]

    def _problem(self, index: int, fields: Sequence[str], code: str) -> Problem:
        """Return one fault by file, row and heading; nothing of what the row says."""
        heading = next((self.headings[self.at[name]] for name in fields if name in self.at), "")
        row = self.table.rows[index]
        return Problem(self.table.file, row, heading, code, CARD_MESSAGES[code])

    def _note(self, cards: pd.DataFrame) -> None:
        """Note what a person should know of the rows kept, by counts."""
        unsaid = cards["closed_on"].isna() & (cards["status"] != "open")
        damaged = self.column("card_number").each(
            lambda text: bool(SCIENTIFIC_NUMBER.fullmatch(text.strip())), "bool"
        )
        lines = {
            "closed, without a closing date": int(unsaid.sum()),
            "without a card number, because a spreadsheet has cut its digits": int(damaged.sum()),
        }
        if {"approver_id", "approver"} & self.at.keys():
            lines["without an approver"] = int((cards["approver_id"] == "").sum())
        self.notes += [
            f"{n} {plural(n, 'row is', 'rows are')} {description}"
            for description, n in lines.items()
            if n
        ]


def is_own(keys: dict[str, pd.Series[str]], number: pd.Series[str], name: pd.Series[str]) -> Flags:
    """Return whether the approver is the holder.

    Two numbers decide, since people share names; else any key of the holder that is the approver's.

    Args:
        keys: the holder's number, name and account as they are compared.
        number: the approver's number as it is compared.
        name: the approver's name as it is compared.
    """
    employee = keys["key_employee_id"]
    same = [
        (approver != "") & (approver == holder_key)
        for approver in (number, name)
        for holder_key in keys.values()
    ]
    numbered = (number != "") & (employee != "")
    return np.where(numbered, number == employee, np.logical_or.reduce(same))


PERSON_KEYS = f"2, Unicode {unicodedata.unidata_version}"
"""Version of the keys that `person_key` makes. The casebook stores keys: another version has them
made anew."""


NOT_PLAIN = r"[^\x20-\x7e]"
"""Characters for which a text needs more than small letters to be compared."""


def person_key(name: str) -> str:
    """Return a person's name or number as it is compared; `compared` does so for a column.

    What looks the same is the same: letters of another alphabet, wide letters, other digits, marks
    and what is not printed would otherwise make another person of somebody, who then sees what is
    about them.
    """
    return "".join(
        (name if name.isascii() and name.isprintable() else plain_letters(name)).casefold().split()
    )


def approvers_by_holder(cards: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return everybody who approves a card of each cardholder, or has approved it before.

    Args:
        cards: `CardRegister.cards`, of which several rows of one card are its history.
    """
    pairs = cards.loc[cards["approver_id"] != "", ["holder_id", "approver_id"]].drop_duplicates()
    grouped = pairs.groupby("holder_id")["approver_id"]
    return {str(holder): tuple(sorted(names)) for holder, names in grouped}


def plain_letters(name: str) -> str:
    """Return a name in the Latin letters and digits that it looks like, without marks."""
    parts = unicodedata.normalize("NFKD", name).casefold().translate(LOOK_ALIKES)
    return "".join(
        str(unicodedata.digit(part))
        if part.isdigit()
        else "-"
        if unicodedata.category(part) == "Pd"
        else part
        for part in parts
        if unicodedata.category(part) not in UNPRINTED and part not in BLANK_LETTERS
    )


def has_look_alikes(text: str) -> bool:
    """Whether a text in small letters has letters of other alphabets that look like Latin ones."""
    return any(ord(letter) in LOOK_ALIKES for letter in text if not letter.isascii())


def compared(texts: pd.Series[str]) -> pd.Series[str]:
    """Return names and numbers of people as they are compared: small letters, no spaces."""
    codes, names = pd.factorize(texts)
    distinct = pa.array(names, pa.string())
    # Of a plain text only spaces and capitals differ: all at once, of a register's references too.
    keys = pc.replace_substring(pc.ascii_lower(distinct), " ", "").to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(pc.match_substring_regex(distinct, NOT_PLAIN)).tolist():
        keys[row] = person_key(names[row])
    return pd.Series(keys[codes] if len(keys) else [], texts.index, dtype="str", name=texts.name)


def status_of(text: str) -> str:
    """Return open, closed, or lost for a card that was lost, stolen or misused by others."""
    if LOST.search(text):
        return "lost"
    return "closed" if CLOSED.search(text) else "open"
