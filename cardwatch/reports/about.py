"""Facts about a list: statements, policy, and with whom and by whom it was shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.quantities import quantity
from cardwatch.reports.formatting import days, moment, sentence
from cardwatch.reports.handover import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardwatch.records import AlertList, ReadingReport, Statements
    from cardwatch.reports.handover import ExportCover

NOT_A_FINDING = "An alert is a question, not a finding. Most have a good answer."
MOST_STATEMENTS = 6
"""Files that are named one by one; of more, the sheet about reading has them all."""
NO_CHECKPOINT = "None, as whoever shared it holds a card"
TIERS_NOTE = "A: against a stated limit or list. B: unusual. C: for information."
SHEETS = (
    "Alerts: one row an alert, in the order to ask. Payments: every payment of them. Evidence: "
    "reasons, figures, comparisons and what to ask. How it was read: what became of every row. "
    "Versions: the policy, rules, model and code. 'Alert id' joins the sheets."
)


def about_rows(
    lists: Mapping[str, AlertList], statements: Statements, handed: ExportCover | None
) -> Iterable[tuple[str, str]]:
    """Return what a list is, for its first sheet.

    Args:
        lists: by what each is called.
        statements: how they were read.
        handed: why and to whom, if it is shared.
    """
    is_case = bool(handed and handed.cases)
    is_part = bool(handed and handed.is_part)
    introduction = "A case: alerts with their decisions and what was compared" if is_case else (
        "A list of alerts about procurement-card payments, the strongest evidence first"
    )  # fmt: skip
    yield "What this is", f"{introduction}."
    yield "How to read it", NOT_A_FINDING
    yield from _shared(handed) if handed else ()
    for name, alert_list in lists.items():
        if alert_list.organisation or not handed:
            yield "Organisation", alert_list.organisation or "Not named in the policy"
        yield "List", f"{name}: {list_summary(alert_list, is_part=is_part)}"
        yield "Policy", policy_name(alert_list)
        yield from (("Note", sentence(note)) for note in (() if is_part else alert_list.notes))
    yield from (("Statement", line) for line in _statement_lines(statements.reports))
    yield from (("Note", sentence(note)) for note in statements.notes)
    yield "Tiers", TIERS_NOTE
    yield "Sheets", SHEETS


def list_summary(alert_list: AlertList, *, is_part: bool = False) -> str:
    """Return how many payments and alerts a list has, and of which days.

    Args:
        alert_list: the list.
        is_part: whether it has only the alerts of a case or of a selection, so that its whole
            count is not known.
    """
    if is_part:
        return f"{quantity(len(alert_list.alerts), 'alert')} in this file."
    if not alert_list.first_on:
        payments = quantity(alert_list.payments_count, "payment")
        return f"{payments}; {quantity(len(alert_list.alerts), 'alert')}."
    count = quantity(len(alert_list.alerts), "alert")
    if len(alert_list.shown) < len(alert_list.alerts):
        count += f", {len(alert_list.shown):,} of them within the policy's budget"
    payments = quantity(alert_list.payments_count, "payment")
    return f"{payments}, {days(alert_list.first_on, alert_list.last_on)}; {count}."


def policy_name(alert_list: AlertList) -> str:
    """Return the policy by which a list was made: its hash, by which Settings lists it.

    The pack that it was taken from stands before.
    """
    digest = alert_list.made_by.get("policy", "")
    pack = alert_list.made_by.get("pack", "")
    of_pack = f"{pack}; " if pack else ""
    return f"{of_pack}SHA-256 {digest}" if digest else "Not known"


def version_rows(lists: Mapping[str, AlertList]) -> Iterable[tuple[str, str, str]]:
    """Return the hash or version of everything that made the lists."""
    for name, alert_list in lists.items():
        yield from ((name, component, value) for component, value in alert_list.made_by.items())


def _shared(handed: ExportCover) -> Iterable[tuple[str, str]]:
    """Return who shared it, with whom, why and when."""
    yield "Shared by", f"{handed.made_by}, {handed.organisation}"
    yield "Shared with", handed.recipient
    yield "Purpose", PURPOSES[handed.purpose]
    yield "Date", moment(handed.made_at)
    yield "Marking", handed.marking
    yield "Audit checkpoint", handed.checkpoint or NO_CHECKPOINT


def _statement_lines(reports: tuple[ReadingReport, ...]) -> Iterable[str]:
    """Return a line for each file that was read, or one for many."""
    if len(reports) > MOST_STATEMENTS:
        yield f"{quantity(len(reports), 'file')}: see the sheet 'How it was read'."
        return
    for report in reports:
        if report.refused or not report.first_on:
            yield f"{report.file}: {report.refused or quantity(report.rows, 'row')}"
        else:
            period = days(report.first_on, report.last_on)
            yield f"{report.file}: {quantity(report.transactions, 'payment')}, {period}"
