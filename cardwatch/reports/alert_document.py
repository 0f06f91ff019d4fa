"""Alerts as a document: a list, a case, and questions for a line manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardwatch.alerts import (
    card_label,
    cost_centres_label,
    entry_evidence,
    holders_label,
    joined_facts,
    merchants_label,
    people_label,
    scope_note,
)
from cardwatch.line_items import line_item_label
from cardwatch.quantities import money, quantity
from cardwatch.reports.about import NOT_A_FINDING, list_summary
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import day as day_of
from cardwatch.reports.formatting import days, moment, sentence, short_days, title
from cardwatch.reports.handover import PURPOSES, ExportCover
from cardwatch.rules import rule_title
from cardwatch.vocabulary import ROLE_TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cardwatch.records import Alert, AlertList, Payment

GRADING = (
    "Source evaluation, 1 to 3", "Information, A to E", "Handling, P or C, and its conditions",
    "Evaluated by, and when",
)  # fmt: skip
"""Fields of an intelligence report, 3x5x2 (College of Policing, Intelligence management), which a
person fills in."""


def list_document(lists: Mapping[str, AlertList], handed: ExportCover) -> Document:
    """Return the alerts of some lists that are within the budget, or a case with all that is kept.

    Args:
        lists: by what each is called.
        handed: why and to whom; its cases are shown with their alerts.
    """
    cases = {case["alert_id"]: case for case in handed.cases}
    alerts = [
        reported
        for alert_list in lists.values()
        for reported in (alert_list.alerts if handed.is_part else alert_list.shown)
    ]
    sections = [
        Section("Before you read on", text=(NOT_A_FINDING, *_notes(lists, is_part=handed.is_part)))
    ]
    for number, alert in enumerate(alerts, start=1):
        sections += _alert_sections(number, alert, begins_page=bool(cases))
        sections += _case_sections(cases[alert.alert_id]) if cases else []
    if handed.purpose == "corruption-crime":
        sections.append(Section("For the person who grades this", blanks=GRADING, begins_page=True))
    sections.append(Section("Versions used", facts=tuple(_made_by(lists)), begins_page=True))
    name = "Case" if cases else "Alerts"
    return Document(name, handed.marking, tuple(_handed(handed)), tuple(sections))


def questions_document(
    asked: Sequence[tuple[Alert, str]],
    *,
    marking: str,
    parties: tuple[str, str],
    people: str,
    day: str,
) -> Document:
    """The open questions about the payments of some people, with room for the answers.

    Args:
        asked: the alerts, all of the finance lane and about the same people, each with its clause
            of the card policy; empty where none is given.
        marking: protective marking.
        parties: the organisation that asks, and the line manager who is asked.
        people: whose payments they are, as pages show them: a line manager knows names.
        day: on which it is made.
    """
    alerts = [alert for alert, _ in asked]
    facts = (
        ("From", parties[0]), ("To", parties[1]), ("Payments of", people),
        ("Date", day_of(day)), ("Alerts", str(len(alerts))),
    )  # fmt: skip
    ask = (
        "Please ask about these payments, write down the answers and return this to finance.",
        (
            "Most have a good answer. Nobody has decided anything. "
            "Please share this only with people who are needed for the answer."
        ),
    )
    sections = [Section("What we ask you to do", text=ask)]
    for number, (alert, clause) in enumerate(asked, start=1):
        lead = alert.reasons[0]
        sections += [
            Section(
                f"Alert {number}: {alert.title}",
                text=(*filter(None, (sentence(lead.fact), scope_note(alert))), lead.why,
                      _clause(clause)),
                points=tuple(map(card_label, alert.cards)),
                tables=(_payments(alert.payments),) if alert.payments else (),
                begins_page=number > 1,
            ),
            Section("What to ask", level=3, points=lead.ask),
            Section("Possible explanations", level=3, points=lead.innocent),
            Section(
                "Your answer", level=3,
                blanks=("What you were told", "Evidence you have seen (receipt, order, diary)",
                        "Name, date"),
            ),
        ]  # fmt: skip
    return Document("Query about card payments", marking, facts, tuple(sections))


def _clause(clause: str) -> str:
    """The clause of the card policy behind an alert in a sentence."""
    if clause:
        return sentence(f"Card policy: {clause}")
    return "The card policy gives no clause for this kind of alert."


def _alert_sections(number: int, alert: Alert, *, begins_page: bool) -> list[Section]:
    """Return one alert as it was raised."""
    lead = alert.reasons[0]
    labelled_facts = (
        ("Alert id", alert.alert_id), ("List", ROLE_TITLES[alert.lane]), ("Tier", alert.tier),
        ("At stake", money(alert.at_stake_pence) if alert.at_stake_pence else ""),
        ("Days", days(alert.first_on, alert.last_on)),
        ("Cardholder" if len(alert.holders) == 1 else "About", holders_label(alert)),
        ("Merchant", merchants_label(alert)),
        ("Cost centre", cost_centres_label(alert)),
    )  # fmt: skip
    facts = tuple(labelled for labelled in labelled_facts if labelled[1])
    why = [sentence(fact) for fact in joined_facts(alert.reasons)]
    why += filter(None, [scope_note(alert)])
    why += [sentence(comparison) for comparison in alert.unusual]
    why += [f"Weakened: {weakening.fact}" for weakening in alert.weakened_by]
    why += alert.later
    why += [f"In the register of {entry_evidence(entry)}" for entry in alert.entries]
    paragraphs = (lead.why, alert.merchant_history) if alert.merchant_history else (lead.why,)
    return [
        Section(f"{number}. {alert.title}", facts=facts, begins_page=begins_page),
        Section("Why the alert was raised", level=3, points=tuple(why), text=paragraphs),
        Section("What to ask", level=3, points=lead.ask),
        Section("Possible explanations", level=3, points=lead.innocent),
        _subjects(alert),
    ]


def _subjects(alert: Alert) -> Section:
    """Return the payments that an alert is about, or the cards of one about the register."""
    if not alert.payments:
        return Section("Cards", level=3, points=tuple(map(card_label, alert.cards)))
    return _payments_section(alert)


def _payments_section(alert: Alert) -> Section:
    """Return the payments of an alert, and the line items of those that have any."""
    items = tuple(
        f"{_short_day(paid.date)}, {paid.merchant}: {line_item_label(item)}"
        for paid in alert.payments
        for item in paid.line_items
    )
    return Section("Payments", level=3, points=items, tables=(_payments(alert.payments),))


def _payments(payments: Sequence[Payment]) -> Table:
    """Return payments with where each stands."""
    total = money(sum(paid.amount_pence for paid in payments))
    together = " together" if len(payments) > 1 else ""
    rows = tuple(
        (_short_day(paid.date), paid.holder_id, paid.merchant, money(paid.amount_pence),
         f"{paid.reference or 'no reference'}; {paid.file}, row {paid.row}")
        for paid in payments
    )  # fmt: skip
    headings = ("Day", "Cardholder", "Merchant", "Amount", "Reference, file and row")
    caption = f"{quantity(len(rows), 'payment')}, {total}{together}"
    return Table(caption, headings, rows, numeric=(3,))


def _short_day(text: str) -> str:
    """Return a day for a table, which no line breaks."""
    return short_days(text, text).replace(" ", "\N{NO-BREAK SPACE}")


def _case_sections(case: Mapping[str, Any]) -> list[Section]:
    """Return what is kept of an alert besides: decisions, comparators, who has seen it."""
    decided = tuple(
        (
            moment(decision["decided_at"]),
            title(decision["state"]),
            decision["reason"],
            decision["decided_by"],
        )
        for decision in case["decisions"]
    )
    beside = tuple(
        (_short_day(neighbour["date"]), neighbour["holder_id"] or "", neighbour["merchant"],
         money(neighbour["amount_pence"]), f"{neighbour['statement_id']}, row {neighbour['row']}")
        for neighbour in case["neighbours"]
    )  # fmt: skip
    related_rows = tuple(
        (other["alert_id"], rule_title(other["rule"]),
         people_label(other["holders"], other["approvers"]),
         money(other["at_stake_pence"]) if other["at_stake_pence"] else "",
         _short_day(other["last_on"]), title(other["state"]))
        for other in case["related"]
    )  # fmt: skip
    access_rows = tuple(
        (
            moment(access["at"]),
            access["actor"],
            ROLE_TITLES[access["role"]],
            title(access["action"]),
        )
        for access in case["seen"]
    )
    tables = [
        Table("Decisions", ("When", "State", "Reason", "By"), decided,
              empty="Nobody has decided yet."),
        Table("Other payments of these days, without an alert of their own",
              ("Day", "Cardholder", "Merchant", "Amount", "Statement and row"), beside,
              numeric=(3,)),
        Table("Other alerts about these cardholders or merchants, including closed ones",
              ("Alert id", "Rule", "Cardholder", "At stake", "Last day", "State"), related_rows,
              numeric=(3,)),
    ]  # fmt: skip
    if access_rows:
        tables.append(Table("Who has seen it", ("When", "Who", "Role", "What"), access_rows))
    return [Section("Decisions, and what is near it", level=3, tables=tuple(tables))]


def _handed(handed: ExportCover) -> Iterable[tuple[str, str]]:
    """Return why, to whom, by whom and when."""
    yield "Organisation", handed.organisation
    yield "For", handed.recipient
    yield "Purpose", PURPOSES[handed.purpose]
    yield "Shared by", handed.made_by
    yield "On", moment(handed.made_at)


def _notes(lists: Mapping[str, AlertList], *, is_part: bool) -> Iterable[str]:
    """Return what a reader of each list has to know."""
    for name, alert_list in lists.items():
        yield f"{name}: {list_summary(alert_list, is_part=is_part)}"
        yield from map(sentence, () if is_part else alert_list.notes)


def _made_by(lists: Mapping[str, AlertList]) -> Iterable[tuple[str, str]]:
    """Return the hash or version of everything that made the lists."""
    for name, alert_list in lists.items():
        for component, value in alert_list.made_by.items():
            yield f"{name}: {component}", value
