"""The quarterly report on registers for professional standards: no person or firm is named.

It stands apart from the report on card spending, which goes to others: what professional standards
hold, and whether they hold it, shows in no other report. Counts of 1 to 4 are not shown, and units
of fewer than five cardholders are counted together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.quantities import quantity
from cardwatch.registers import field_words, register_kind
from cardwatch.reports.aggregate import FEWEST_HOLDERS, split_small
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import day, days, quarter_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cardwatch.registers import RegisterQuality
    from cardwatch.reports.quarter import Span

FEWEST_COUNTED = 5
UNIT_REGISTERS = ("gifts", "interests")
"""Registers in which each unit is expected to record something, or to send a nil return."""
DECISION_WORDS = {"same": "Same", "not-the-same": "Not the same", "cannot-tell": "Cannot tell"}


@dataclass(frozen=True)
class RegisterState:
    """One register as it is held on the day of the report.

    Attributes:
        quality: figures about it; nothing where it has not been uploaded.
        received_on: day of its newest version.
        missing: fields that each entry should have and none of its files has a column for.
        named: entries that name an organisation.
        paid: those whose organisation matches a merchant that was paid, strongly or as stated.
        by_holder, by_approver: those of them that were paid by the person of the entry, or by
            somebody whose payments that person approves.
        decisions: entries by what was decided, the most first.
    """

    kind: str
    title: str
    owner: str
    quality: RegisterQuality | None = None
    received_on: str = ""
    missing: tuple[str, ...] = ()
    named: int = 0
    paid: int = 0
    by_holder: int = 0
    by_approver: int = 0
    decisions: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class UnitState:
    """Entries that one unit has recorded.

    Attributes:
        holders: cardholders who paid something in the last thirteen months.
        entries, incomplete, nil: by register: entries, those without a value that each should
            have, and whether a nil return was sent.
    """

    unit: str
    holders: int
    entries: Mapping[str, int]
    incomplete: Mapping[str, int]
    nil: Mapping[str, bool]


@dataclass(frozen=True)
class Reviews:
    """Reviews of names in registers.

    Attributes:
        decided: decisions of the quarter that still count, by decision.
        decided_days: days for which each of them had waited.
        waiting_days: days for which each name without a decision has waited.
    """

    decided: Mapping[str, int]
    decided_days: tuple[int, ...]
    waiting_days: tuple[int, ...]


@dataclass(frozen=True)
class RegisterFigures:
    """The inputs of the report.

    Attributes:
        registers: every register, by its kind, held or not.
        units: units that spend.
        alerts: alerts whose last payment is in the quarter, by the registers that the rule reads
            by which they were raised.
        concentrated: alerts of the quarter about one cardholder's or one unit's main merchant.
        suppliers: merchants paid that registers name, by how many registers name each.
    """

    span: Span
    registers: Mapping[str, RegisterState]
    units: Sequence[UnitState]
    reviews: Reviews
    alerts: Mapping[frozenset[str], int]
    concentrated: int
    suppliers: Mapping[int, int]


def few(count: int) -> str:
    """Return a count as it may be shown: 1 to 4 could point at one person."""
    return f"fewer than {FEWEST_COUNTED}" if 0 < count < FEWEST_COUNTED else f"{count:,}"


def registers_document(
    figures: RegisterFigures, *, marking: str, organisation: str, made_on: str
) -> Document:
    """Return the report of professional standards on a quarter's registers."""
    span = figures.span
    facts = (
        ("Organisation", organisation),
        ("Quarter", f"{quarter_title(span.name)}, {days(span.first_on, span.last_on)}"),
        ("Registers", f"as they stand on {day(made_on)}"),
        ("For", "Professional standards; the deputy chief constable, in confidence"),
    )
    sections = (
        Section(
            "Coverage and quality of the registers",
            text=("Figures are for the owner of each register. No entry is shown.",),
            tables=(_quality_table(figures), _gaps_table(figures)),
        ),
        Section(
            "By unit",
            text=(
                (f"Units with fewer than {FEWEST_HOLDERS} cardholders are counted together. A unit "
                "without entries and without a nil return has recorded nothing."),
            ),
            tables=(_units_table(figures.units),),
        ),
        Section("Names reviewed", points=tuple(_reviews(figures.reviews)),
                tables=(_reviews_table(figures.reviews),)),
        *_questions(figures),
        Section("What this report cannot show", points=(
            "Gifts, interests and links that nobody has declared.",
            "Payments other than by card.",
            "That nothing is wrong: a name without a match is not a clearance.",
            "Alerts about the person who makes this report are left out of it.",
        )),
    )  # fmt: skip
    return Document("Quarterly report on registers", marking, facts, sections)


def _quality_table(figures: RegisterFigures) -> Table:
    """Each register with its coverage and the state of its entries."""
    rows: list[tuple[str, ...]] = []
    for register in figures.registers.values():
        quality = register.quality
        if quality is None:
            rows.append((register.title, register.owner, "Not uploaded", *("",) * 5))
            continue
        counts = (
            quality.entries, quality.nil_returns, quality.rows_unreadable, quality.late_entries,
            quality.reviews_overdue,
        )  # fmt: skip
        received = day(register.received_on)
        rows.append((register.title, register.owner, received, *map(few, counts)))
    headings = ("Register", "Owner", "Last uploaded", "Entries", "Nil returns", "Rows not read",
                "Recorded late", "Past review")  # fmt: skip
    return Table("Registers", headings, tuple(rows), numeric=(3, 4, 5, 6, 7))


def _gaps_table(figures: RegisterFigures) -> Table:
    """Entries that lack a value that each should have, by register and field."""
    rows = tuple(
        (register.title, field.headings[0], few(register.quality.gaps[field.name]))
        for kind, register in figures.registers.items()
        for field in register_kind(kind).fields
        if register.quality and field.name in register.quality.gaps
    )
    return Table("Entries that lack a value", ("Register", "Missing", "Entries"), rows,
                 numeric=(2,), empty="No entry lacks a value that it should have.")  # fmt: skip


def _units_table(units: Sequence[UnitState]) -> Table:
    """Each unit that spends, and what it has recorded."""
    ordered = sorted(units, key=lambda unit: (-unit.holders, unit.unit))
    shown, others = split_small(
        ordered, lambda some: sum(unit.holders for unit in some) >= FEWEST_HOLDERS
    )
    rows = [_unit_row(unit.unit, [unit]) for unit in sorted(shown, key=lambda unit: unit.unit)]
    if others:
        rows.append(_unit_row(f"All others ({quantity(len(others), 'unit')})", others))
    headings = ("Unit", "Gifts and hospitality", "Incomplete", "Nil return", "Interests",
                "Incomplete", "Nil return")  # fmt: skip
    return Table("What units have recorded", headings, tuple(rows), numeric=(1, 2, 4, 5),
                 empty="No payment names a unit.")  # fmt: skip


def _unit_row(label: str, units: Sequence[UnitState]) -> tuple[str, ...]:
    """Row of the entries that one unit, or several together, have recorded."""
    cells = [label]
    for kind in UNIT_REGISTERS:
        nil = sum(unit.nil.get(kind, False) for unit in units)
        cells += [few(sum(unit.entries.get(kind, 0) for unit in units)),
                  few(sum(unit.incomplete.get(kind, 0) for unit in units)),
                  ("Yes" if nil else "No") if len(units) == 1 else few(nil)]  # fmt: skip
    return tuple(cells)


def _reviews(reviews: Reviews) -> Iterable[str]:
    """How long names waited for a decision."""
    if reviews.decided_days:
        yield f"Half of the names decided in the quarter had waited {_half(reviews.decided_days)}."
    if reviews.waiting_days:
        yield f"Half of the names without a decision have waited {_half(reviews.waiting_days)}."
    yield (
        "A name waits from the upload of the file that holds it. Rules that look at the whole "
        "organisation use it once a person has confirmed it."
    )


def _half(waited: Sequence[int]) -> str:
    """The days within which half of some names were decided."""
    days = sorted(waited)[(len(waited) - 1) // 2]
    return f"{quantity(days, 'day')} or less" if days else "less than a day"


def _reviews_table(reviews: Reviews) -> Table:
    """Names by decision."""
    rows = [(word, few(reviews.decided.get(name, 0))) for name, word in DECISION_WORDS.items()]
    rows.append(("Waiting for a decision", few(len(reviews.waiting_days))))
    return Table("Names in registers beside merchants", ("Decision in the quarter", "Names"),
                 tuple(rows), numeric=(1,))  # fmt: skip


def _questions(figures: RegisterFigures) -> Iterable[Section]:
    """The inspectorate's questions, each with what this force's registers and payments show."""
    yield Section(
        "HMIC self-assessment", begins_page=True,
        text=(("The inspectorate asked forces to examine themselves (Without fear or favour, 2011, "
              "appendix B). People answer; these figures are evidence."),),
    )  # fmt: skip
    gifts, interests = figures.registers["gifts"], figures.registers["interests"]
    answers: dict[str, tuple[tuple[str, ...], Iterable[str]]] = {
        "3.5 Are gifts and hospitality compared with other areas?":
            (("gifts",), (*_compared(gifts, "Gifts and offers"), _alerts(figures, "gifts"))),
        "3.7 Is the register in the best form?": (("gifts",), _form(gifts)),
        "3.8 Is the reason for each decision recorded?": (("gifts",), _recorded(gifts)),
        "4.6 How are conflicts of interest in procurement managed?":
            (("interests", "tenders"), (*_compared(interests, "Interests"),
             _alerts(figures, "interests", "tenders", "associations"))),
        "5.6 Is the force proactive about second jobs?": (("interests",), _second_jobs(interests)),
        "5.8 Is the register of interests compared with other records?":
            (("interests", "absence"), (_alerts(figures, "interests", "absence", "people"),
             "Attendance and discipline files are not read.")),
        "5.11 Are people at risk of influence by suppliers identified?":
            ((), ((f"Alerts of the quarter about a merchant that one cardholder alone uses, or "
                  f"that takes half of a unit's spending: {few(figures.concentrated)}."),
                  "They show where to look, and nothing about why.")),
        "6.8 Do professional standards contribute to registers and contracts?":
            (("gifts", "interests", "contracts", "tenders"), _one_view(figures)),
    }  # fmt: skip
    for question, (needs, points) in answers.items():
        missing = [figures.registers[kind].title for kind in needs
                   if figures.registers[kind].quality is None]  # fmt: skip
        unanswered = [f"This register has not been uploaded: {name}." for name in missing]
        is_known = not needs or len(missing) < len(needs)
        known = [*points] if is_known else ["It cannot be answered."]
        yield Section(question, level=3, points=(*known, *unanswered))


def _compared(register: RegisterState, words: str) -> Iterable[str]:
    """How many entries were compared with payments, and how many met one."""
    yield (
        f"{words} that name an organisation: {few(register.named)}. Every one is compared with "
        "each card payment, by name, day and person."
    )
    yield (
        f"Of these, the organisation was paid by card: {few(register.paid)}; by the person of the "
        f"entry: {few(register.by_holder)}; with that person's approval: "
        f"{few(register.by_approver)}."
    )


def _alerts(figures: RegisterFigures, *kinds: str) -> str:
    """How many alerts of the quarter rest on some registers."""
    names = ", ".join(figures.registers[kind].title.lower() for kind in kinds)
    count = sum(number for read, number in figures.alerts.items() if read & set(kinds))
    return f"Alerts of the quarter raised by rules that read {names}: {few(count)}."


def _form(register: RegisterState) -> Iterable[str]:
    """Whether the files have a column for what each entry should have."""
    if register.missing:
        names = ", ".join(field_words(register.kind, name) for name in register.missing)
        yield f"The files have no column for: {names}."
    else:
        yield "The files have a column for donor, date, value and decision."
    if register.quality:
        yield f"Rows that could not be read: {few(register.quality.rows_unreadable)}."


def _recorded(register: RegisterState) -> Iterable[str]:
    """How many entries lack donor, date, value or decision."""
    for name, count in (register.quality.gaps if register.quality else {}).items():
        yield f"Entries without {field_words(register.kind, name)}: {few(count)}."
    if register.quality and not register.quality.gaps:
        yield "Every entry has donor, date, value and decision."
    yield "Whether a reason is good has to be judged by people."


def _second_jobs(register: RegisterState) -> Iterable[str]:
    """Interests by decision, those past their review, and payments to them."""
    shown, hidden = split_small(
        register.decisions, lambda some: sum(count for _, count in some) >= FEWEST_COUNTED
    )
    cells = [*shown, *([("others", sum(count for _, count in hidden))] if hidden else [])]
    decided = "; ".join(f"{name} {few(count)}" for name, count in cells)
    yield f"Interests by decision: {decided}."
    if register.quality:
        yield f"Past their review: {few(register.quality.reviews_overdue)}."
    yield (
        "Interests of any decision whose business was paid by the person's own card: "
        f"{few(register.by_holder)}."
    )


def _one_view(figures: RegisterFigures) -> Iterable[str]:
    """How many merchants several registers name."""
    several = sum(count for number, count in figures.suppliers.items() if number > 1)
    total = sum(figures.suppliers.values())
    yield (
        f"Merchants paid by card that a register names: {few(total)}; that several registers "
        f"name: {few(several)}."
    )
