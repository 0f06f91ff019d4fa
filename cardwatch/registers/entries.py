"""Reads one file of a register into entries: every row in its place, each with its two days.

An entry is true from one day (an offer, a start) and known from another (when it was recorded).
Features look at both, so that what was written down later never changes an earlier alert.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.errors import FileRefused, RegisterUnknown
from cardwatch.quantities import plural
from cardwatch.records import Problem, Register, RegisterReport
from cardwatch.registers.cards import compared, refuse_statement
from cardwatch.registers.descriptions import (
    has_needed,
    recognise_kind,
    register_kind,
    register_kinds,
)
from cardwatch.statements import (
    known_headings,
    nearest_headings,
    order_by_dates,
    redact_cards,
    unused_profile,
)
from cardwatch.statements.cells import FILLED, TextColumn, decimal_mark, read_pence
from cardwatch.statements.dates import is_serial, read_date
from cardwatch.tabular import LIMITS, Table, normalise_heading, read_tables

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from cardwatch.registers.descriptions import RegisterField, RegisterKind
    from cardwatch.statements import Profile, ReadingChoices
    from cardwatch.tabular import Limits, ReaderPool

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

LAST_DAYS = ("ends_on", "closes_on")
"""Last days of entries that rules still read after them, such as contracts that have ended."""
REGISTER_MESSAGES = {
    "missing": "a value that the register needs is missing",
    "bad_day": "a day that the register needs cannot be read",
    "turned": "the last day is before the first",
}
"""Problem codes of a register's rows, each with its sentence."""
PEOPLE_ALONE = {"people", "absence"}
"""Registers that name people and nothing they were offered, bought or own."""
BLANK_WORDS = (
    r"(?i)^[\s\p{Z}]*(?:n/?a|not? (?:known|stated|given)|unknown|tbc|ongoing|none|-+)?[\s\p{Z}]*$"
)
NIL_VERBS = (
    r"(?: (?:(?:and|or) )?(?:hospitality|to (?:declare|report|register|record)|received|declared"
    r"|offered|recorded|accepted|given|made|registered|reported))"
)
NIL_RETURN = (
    r"(?i)^[\s\p{Z}]*(?:"
    r"nil(?: returns?)?(?:[\s\p{Z}]*[-:\x{2013}\x{2014}][\s\p{Z}]*nothing\b[^,;]*)?"
    rf"|nothing{NIL_VERBS}"
    r"|(?:no|nil) (?:gifts?|hospitality|gifts? (?:and|or|/|&) hospitality|interests?|entries"
    rf"|offers?|declarations?|returns?)(?: of (?:gifts?|hospitality|interests?))?{NIL_VERBS}*"
    rf"|none{NIL_VERBS}?"
    r")(?:[\s\p{Z}]+(?:in|for|during|this|to date)\b[^,;]*)?[\s\p{Z}.]*$"
)
"""A row that says a unit or person has nothing to declare."""
CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*([ap])?", re.IGNORECASE)
STATED_SUM = re.compile(r"\d[\d,]*(?:\.\d{1,2})?")
DAY_SECONDS = 86_400
ANY_REGISTER = "what any register needs (say which it is, to be told which columns are missing)"
"""The missing column of a file that could be no register."""
DAY_TYPES = ("day", "moment")


def read_register(  # noqa: PLR0913  as `read_registers`
    path: Path,
    choices: ReadingChoices,
    *,
    kind: str = "",
    known_from: dt.date | None = None,
    readers: ReaderPool | None = None,
    profiles: Sequence[Profile] = (),
    given_count: int = 0,
) -> Register:
    """Return the register in a file.

    Args:
        path: CSV of any separator, XLSX, XLS or ODS.
        choices: card key and order of dates.
        kind: which register it is; by its name and headings if not given.
        known_from: day from which entries count as known that do not say when they were recorded.
        readers: a pool that is running; without it, one is started for this file alone.
        profiles: of registers whose headings are others, see `chosen_profile`; the first whose
            headings are exactly the file's counts.
        given_count: how many of the profiles, the first, were given for this very file.

    Raises:
        FileRefused: it is not there, is no table, its dates contradict each other, or a profile
            that was given for it is for other headings.
        RegisterUnknown: its headings are not those of the register.
    """
    return read_registers(
        [path],
        choices,
        kind=kind,
        known_from=known_from,
        readers=readers,
        profiles=profiles,
        given_count=given_count,
    )[0]


def read_registers(  # noqa: PLR0913  as `read_register`, and what a file may cost
    paths: Sequence[Path],
    choices: ReadingChoices,
    *,
    kind: str = "",
    known_from: dt.date | None = None,
    limits: Limits = LIMITS,
    readers: ReaderPool | None = None,
    profiles: Sequence[Profile] = (),
    given_count: int = 0,
) -> list[Register]:
    """Return the registers in some files, one a kind; several files of a kind become one.

    An entry that several files hold is known from the earliest of them. A profile that was given
    has to fit one of the files; a file says which remembered one nearly fits it.

    Raises:
        FileRefused, RegisterUnknown: as `read_register`, for the first file that is refused.
    """
    kinds = [register_kind(kind)] if kind else list(register_kinds().values())
    for path in paths:
        if not path.is_file():
            name = redact_cards(path.name, choices.card_key)
            raise FileRefused(name, "missing", "there is no such file")
    fitting = [profile for profile in profiles if not kind or profile.name == kind]
    headings = known_headings([k.profile for k in kinds]).union(*(p.recognise for p in fitting))
    tables = read_tables(paths, headings, limits, readers)
    for given in profiles[:given_count]:
        _check_used(given, kind, paths, tables, choices.card_key)
    by_kind: dict[str, list[Register]] = {}
    for path, table in zip(paths, tables, strict=True):
        name = redact_cards(path.name, choices.card_key)
        if isinstance(table, FileRefused):
            raise FileRefused(name, table.code, table.what)
        plain = _plain(table, choices.card_key)  # as who stated the columns was shown them
        profile = next((one for one in fitting if one.fits(plain)), None)
        chosen = kinds[0] if kind else recognise_kind(path.name, table.headings)
        if profile is not None:
            chosen = register_kind(profile.name)
        reading = _RegisterReading(replace(table, file=name), chosen, choices, profile)
        if profile is None:
            unused = (unused_profile(one, plain, is_given=False) for one in fitting)
            reading.decisions += [why for why in unused if why]
        register = reading.register(known_from)
        by_kind.setdefault(register.kind, []).append(register)
    return [join_registers(by_kind[name]) for name in sorted(by_kind)]


def _check_used(
    profile: Profile,
    kind: str,
    paths: Sequence[Path],
    tables: Sequence[Table | FileRefused],
    card_key: bytes,
) -> None:
    """Check that a profile that was given fits one of the files.

    Raises:
        FileRefused: it fits none, and the first that could be read says why.
    """
    read = [(path, _plain(table, card_key)) for path, table in zip(paths, tables, strict=True)
            if not isinstance(table, FileRefused)]  # fmt: skip
    fits = kind in {"", profile.name} and any(profile.fits(headings) for _, headings in read)
    if fits or not read:
        return
    path, headings = read[0]
    why = unused_profile(profile, headings, is_given=True)
    is_other = f"the column profile is for the register of {profile.name}, not of {kind}"
    raise FileRefused(redact_cards(path.name, card_key), "profile_unused", why or is_other)


def register_headings(
    path: Path, choices: ReadingChoices, kind: str = ""
) -> tuple[RegisterKind, tuple[str, ...]]:
    """Return which register a file is, and its headings, whether or not these are known.

    Args:
        path: CSV of any separator, XLSX, XLS or ODS.
        choices: card key.
        kind: which register it is; by its name and headings if not given.

    Raises:
        FileRefused: it is not there, or is no table.
        RegisterUnknown: neither its name nor its headings say which register it is.
    """
    name = redact_cards(path.name, choices.card_key)
    if not path.is_file():
        raise FileRefused(name, "missing", "there is no such file")
    kinds = [register_kind(kind)] if kind else list(register_kinds().values())
    [table] = read_tables([path], known_headings([k.profile for k in kinds]))
    if isinstance(table, FileRefused):
        raise FileRefused(name, table.code, table.what)
    headings = _plain(table, choices.card_key)
    chosen = kinds[0] if kind else recognise_kind(path.name, headings)
    if chosen is None:
        raise RegisterUnknown(name, headings, [ANY_REGISTER], [])
    return chosen, headings


def _plain(table: Table, card_key: bytes) -> tuple[str, ...]:
    """Return the headings of a table, each in one line and without card numbers."""
    return tuple(" ".join(redact_cards(heading, card_key).split()) for heading in table.headings)


def join_registers(registers: Sequence[Register], replaced: int = 0) -> Register:
    """Return several files of one register as one, each entry once.

    Args:
        registers: its files, in the order received.
        replaced: so many of the first were replaced: their entries count only where a later file
            has them too, from the day on which they were known then.
    """
    if len(registers) == 1:
        return registers[0]
    numbered = [
        register.entries.assign(nth=nth, sha256=register.reports[0].sha256)
        for nth, register in enumerate(registers)
    ]
    entries = pd.concat(numbered, ignore_index=True)
    places = {"known_on", "file", "row", "sha256", "nth"}
    facts = [name for name in entries if name not in places]
    is_current = entries.groupby(facts, dropna=False)["nth"].transform("max") >= replaced
    entries = entries[is_current].drop(columns="nth")
    entries = entries.sort_values(["known_on", "file", "row"], kind="stable", na_position="first")
    return Register(
        registers[0].kind,
        entries.drop_duplicates(facts, ignore_index=True),
        tuple(report for register in registers for report in register.reports),
        tuple(sorted({unit for register in registers for unit in register.nil_units})),
    )


def known_no_earlier(register: Register, day: dt.date) -> Register:
    """Return a register whose entries that say no day of their own are known from a day on."""
    column = register_kind(register.kind).known_on
    entries = register.entries
    is_stated = entries[column].notna() if column else pd.Series(data=False, index=entries.index)
    known_on = entries["known_on"].where(is_stated, pd.Timestamp(day).as_unit("s"))
    return replace(register, entries=entries.assign(known_on=known_on))


class _RegisterReading:
    """The reading of one table as a register of one kind."""

    def __init__(
        self,
        table: Table,
        kind: RegisterKind | None,
        choices: ReadingChoices,
        profile: Profile | None = None,
    ) -> None:
        """Find the columns, by a profile if somebody has stated them, and the order of the dates.

        Raises:
            FileRefused: the dates contradict each other, or it is a card statement.
            RegisterUnknown: a column that the register needs is missing.
        """
        self.table, self.key = table, choices.card_key
        self.headings = _plain(table, self.key)
        if kind is None:
            raise RegisterUnknown(table.file, self.headings, [ANY_REGISTER], [])
        self.kind = kind
        if kind.kind in PEOPLE_ALONE:
            refuse_statement(table.file, self.headings)
        self.reasons = {h: why for h in self.headings if h and (why := kind.dropped_because(h))}
        offered = ["" if h in self.reasons else h for h in self.headings]
        self.positions = (profile or kind.profile).map(offered)
        if not profile and not has_needed(kind, offered):
            missing = {
                " or ".join(kind.field(n).headings[0] for n in group): group
                for group in kind.needs
                if not any(n in self.positions for n in group)
            }
            near = nearest_headings(offered, missing, kind.profile)
            raise RegisterUnknown(table.file, self.headings, list(missing), near, kind.kind)
        self.decisions = list(table.decisions)
        self.order = self._date_order(choices.date_order)

    def _date_order(self, stated: str) -> str:
        """Return the order of day and month, decided once for the file."""
        if stated != "decide":
            self.decisions.append(f"dates {stated}, as stated")
            return stated
        days = [field.name for field in self.kind.fields if field.kind in DAY_TYPES]
        texts = [text for name in days for text in self.column(name).values]
        order, decision = order_by_dates(texts, self.table.file)
        if not order:  # registers are short: few dates may show their order
            order, decision = "day-first", "dates day-first, as in the United Kingdom"
        self.decisions.append(decision)
        return order

    def column(self, name: str) -> TextColumn:
        """Return one field as printed; empty text where the file has no such column."""
        if name not in self.positions:
            return TextColumn.absent(len(self.table.rows))
        return TextColumn.of(self.table.cells[str(self.positions[name])])

    def register(self, known_from: dt.date | None) -> Register:
        """Return the entries, with the report of all rows."""
        table, kind = self.table, self.kind
        cells = [TextColumn.of(column) for column in table.cells.columns]
        blank = ~np.logical_or.reduce([c.matches(FILLED) for c in cells])
        repeated = ~blank & np.logical_and.reduce([self._repeats(name) for name in self.positions])
        nil = ~blank & ~repeated & self._nil_returns()
        frame = self._frame()
        good = ~blank & ~repeated & ~nil
        problems = self._problems(frame, good)
        good[[problem.row - table.rows.start for problem in problems]] = False
        entries = self._with_days(frame[good].reset_index(drop=True), known_from)
        units = frame["unit"][nil] if "unit" in frame else pd.Series([], dtype="str")
        report = RegisterReport(
            kind=kind.kind,
            file=table.file,
            sha256=table.sha256,
            form=table.form,
            columns={name: self.headings[position] for name, position in self.positions.items()},
            dropped=self.reasons,
            unused=self._unused(),
            decisions=tuple(self.decisions),
            notes=(*table.notes, *self._notes(frame[good], entries)),
            rows=len(table.rows),
            entries=len(entries),
            nil_returns=int(nil.sum()),
            blank=int(blank.sum()),
            headings=int(repeated.sum()),
            problems=tuple(problems),
        )
        return Register(kind.kind, entries, (report,), tuple(sorted(set(units) - {""})))

    def _unused(self) -> tuple[str, ...]:
        """Return the headings that no field has."""
        positions = set(self.positions.values())
        return tuple(
            heading
            for index, heading in enumerate(self.headings)
            if heading and index not in positions and heading not in self.reasons
        )

    def _repeats(self, name: str) -> Flags:
        """Return for each row whether a field holds its own heading again."""
        heading = normalise_heading(self.headings[self.positions[name]])
        return self.column(name).each(lambda text: normalise_heading(text) == heading, "bool")

    def _nil_returns(self) -> Flags:
        """Return which rows say that there is nothing to declare."""
        names = [
            f.name
            for f in self.kind.fields
            if f.kind == "organisation" or f.name in {"kind", "decision"}
        ]
        matches = [
            self.column(name).matches(NIL_RETURN) for name in names if name in self.positions
        ]
        texts = [self.column(name) for name in names[:2] if name in self.positions]
        declared = [column.matches(FILLED) & ~column.matches(NIL_RETURN) for column in texts]
        if not matches or self.kind.kind in {"people", "companies"}:
            return np.zeros(len(self.table.rows), dtype=bool)
        return np.logical_or.reduce(matches) & ~np.logical_or.reduce(declared)

    def _frame(self) -> pd.DataFrame:
        """Return every row of the table with the fields of the register, read by their types."""
        columns: dict[str, Any] = {field.name: self._values(field) for field in self.kind.fields}
        if "surname" in columns:
            joined = (columns["forenames"] + " " + columns["surname"]).str.strip()
            columns["person"] = columns["person"].where(columns["person"] != "", joined)
            del columns["surname"], columns["forenames"]
        columns["file"] = self.table.file
        columns["row"] = np.arange(self.table.rows.start, self.table.rows.stop)
        return pd.DataFrame(columns)

    def _values(self, field: RegisterField) -> Any:  # noqa: ANN401  a column of one of several types
        """Return one field of every row as its type has it."""
        column = self.column(field.name)
        if field.kind in DAY_TYPES:
            return self._days(column, with_time=field.kind == "moment")
        if field.kind == "money":
            mark = decimal_mark(column.values)
            return column.each(lambda text: pence_in(text, mark), "int64")
        tidied = column.tidied(self.key)
        if field.kind == "choice":
            return tidied.mapped(lambda text: choice_in(text, field.choices)).texts()
        if field.kind == "company":
            return tidied.mapped(company_number).texts()
        if field.kind in {"code", "people"}:
            return compared(tidied.texts())
        return tidied.texts()

    def _days(
        self, column: TextColumn, *, with_time: bool
    ) -> np.ndarray[Any, np.dtype[np.datetime64]]:
        """Return a column as days, with their time of day where it is asked for."""
        serial = self.table.is_workbook

        def seconds(text: str) -> np.datetime64:
            day = read_date(text, self.order, serial=serial)
            if day is None:
                return np.datetime64("NaT", "s")
            moment = np.datetime64(day, "s")
            return moment + np.timedelta64(clock_seconds(text), "s") if with_time else moment

        return column.each(seconds, "datetime64[s]")

    def _problems(self, frame: pd.DataFrame, rows: Flags) -> list[Problem]:
        """Return the first fault of each row that cannot be kept."""
        problems: dict[int, Problem] = {}
        for group in self.kind.needs:
            present = [name for name in group if name in self.positions]
            filled = np.logical_or.reduce([self.column(name).matches(FILLED) for name in present])
            days = [name for name in present if self.kind.field(name).kind in DAY_TYPES]
            unread = np.logical_and.reduce(
                [np.isnat(frame[name].to_numpy()) for name in days] or [np.zeros(len(frame), bool)]
            ) & (len(days) == len(present))
            for code, where in (("missing", ~filled), ("bad_day", filled & unread)):
                for i in map(int, np.flatnonzero(rows & where)):
                    problems.setdefault(i, self._problem(i, present[0], code))
        for last in ({self.kind.true_until, *LAST_DAYS} - {""}) & set(frame.columns):
            turned = rows & (frame[last].to_numpy() < frame[self.kind.true_from[0]].to_numpy())
            for i in map(int, np.flatnonzero(turned)):
                problems.setdefault(i, self._problem(i, last, "turned"))
        return [problems[i] for i in sorted(problems)]

    def _problem(self, index: int, field: str, code: str) -> Problem:
        """Return one fault by file, row and heading; nothing of what the row says."""
        position = self.positions.get(field)
        heading = self.headings[position] if position is not None else ""
        row = self.table.rows[index]
        return Problem(self.table.file, row, heading, code, REGISTER_MESSAGES[code])

    def _with_days(self, entries: pd.DataFrame, known_from: dt.date | None) -> pd.DataFrame:
        """Return entries with the days between which they are true and from which they are known.

        An entry that does not say when it was recorded is known from the day its version came in,
        or, where that is not given either, from the day on which it became true.
        """
        true_from = pd.Series(np.datetime64("NaT", "s"), entries.index)
        for name in self.kind.true_from:
            true_from = true_from.where(true_from.notna(), entries[name])
        until = self.kind.true_until
        true_until = (
            entries[until] if until else pd.Series(np.datetime64("NaT", "s"), entries.index)
        )
        known_on = pd.Series(np.datetime64("NaT", "s"), entries.index)
        if self.kind.known_on:
            known_on = entries[self.kind.known_on]
        fallback = true_from if known_from is None else pd.Series(known_from, entries.index)
        days = {
            "true_from": true_from,
            "true_until": true_until,
            "known_on": known_on.where(known_on.notna(), pd.to_datetime(fallback)),
        }
        return entries.assign(**{n: v.to_numpy().astype("datetime64[s]") for n, v in days.items()})

    def _notes(self, good: pd.DataFrame, entries: pd.DataFrame) -> list[str]:
        """Return what a person should know of the rows kept, by counts."""
        lines = {}
        for field in self.kind.fields:
            if field.kind in DAY_TYPES and field.name in self.positions:
                column = self.column(field.name)
                unread = np.isnat(good[field.name].to_numpy())
                unread &= ~column.matches(BLANK_WORDS)[good.index.to_numpy()]
                heading = self.headings[self.positions[field.name]]
                lines[f"with a day in '{heading}' that cannot be read"] = int(unread.sum())
                if field.kind == "moment":
                    moments = good[field.name].to_numpy()
                    is_day = ~np.isnat(moments) & (moments == moments.astype("datetime64[D]"))
                    lines[f"with a day in '{heading}' and no time"] = int(is_day.sum())
            elif field.kind == "choice" and field.name in self.positions:
                unclear = int((good[field.name] == "unknown").sum())
                lines[f"with a {field.name} that cannot be told"] = unclear
        future = entries["known_on"] < entries["true_from"]
        lines["recorded before they were true"] = int(future.sum())
        if self.kind.known_on:
            undated = entries["true_from"].isna()
            lines["not used by any rule: no day says since when"] = int(undated.sum())
        return [f"{n:,} {plural(n, 'row is', 'rows are')} {note}" for note, n in lines.items() if n]


def pence_in(text: str, mark: str) -> int:
    """Return the sum that a cell names in pence: of a range the higher one; 0 if it names none.

    Args:
        text: a cell such as `£50`, `est. £30`, `£10 - £20` or `unknown`.
        mark: what divides pounds from pence in its column.
    """
    pence = read_pence(text, mark)
    if pence is not None:
        return max(pence, 0)
    sums = [read_pence(part, ".") for part in STATED_SUM.findall(text)]
    return max((amount for amount in sums if amount is not None), default=0)


def choice_in(text: str, choices: Sequence[tuple[str, str]]) -> str:
    """Return the word that a cell means; empty for an empty cell, unknown if it means none."""
    plain = " ".join(text.split())
    if not plain:
        return ""
    meanings = (word for word, pattern in choices if re.search(pattern, plain, re.IGNORECASE))
    return next(meanings, "unknown")


def company_number(text: str) -> str:
    """Return a Companies House number in its eight characters, or empty if it is not one.

    Spreadsheets cut the leading zeros of numbers; `SC`, `NI` and the like stand before six digits.
    """
    plain = re.sub(r"[\s.]", "", text.upper())
    if re.fullmatch(r"[0-9]{5,8}", plain):
        return plain.zfill(8)
    return plain if re.fullmatch(r"[A-Z]{2}[0-9]{6}", plain) else ""


def clock_seconds(text: str) -> int:
    """Return the time of day that a cell names in seconds after midnight, 0 if it names none."""
    plain = text.strip()
    if is_serial(plain):
        fraction = float("0." + plain.partition(".")[2]) if "." in plain else 0.0
        return round(fraction * DAY_SECONDS) % DAY_SECONDS
    match = re.search(rf"[T ,]\s*{CLOCK.pattern}", plain, re.IGNORECASE)
    if match is None:
        return 0
    hour, half = int(match[1]), (match[4] or "").lower()
    hour = hour % 12 + 12 * (half == "p") if half else hour
    seconds = hour * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    return seconds if seconds < DAY_SECONDS else 0
