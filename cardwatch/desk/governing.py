"""Makes the documents that are about the work and not about anybody: governance, and the DPIA."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from cardwatch.casebook import FINANCE, Event, finding, governing, people, retention, suppressions
from cardwatch.casebook import statements as kept
from cardwatch.casebook.learning import precision_by_rule
from cardwatch.desk.recipe import read_model, read_recipe, recipe_of, shipped_sha256
from cardwatch.errors import CardwatchError
from cardwatch.merchants import canonical_name
from cardwatch.records import TRANSACTION_COLUMNS
from cardwatch.reports import (
    Document,
    Figures,
    Installation,
    governance_document,
    impact_document,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook import Work
    from cardwatch.casebook.work import Row
    from cardwatch.desk.desk import Desk
    from cardwatch.records import CardRegister

QUARTER = re.compile(r"(20\d\d)-Q([1-4])")
YEAR_DAYS = 365


def last_quarter(today: dt.date) -> str:
    """Return the calendar quarter that was over last, such as `2026-Q3`."""
    over = (today.month - 1) // 3
    return f"{today.year}-Q{over}" if over else f"{today.year - 1}-Q4"


def report_governance(desk: Desk, quarter: str, *, marking: str) -> Document:
    """Return the report on a quarter: figures and no names, from finance's lane alone.

    Args:
        desk: who makes it.
        quarter: such as `2026-Q3`.
        marking: protective marking.

    Raises:
        NotAllowed: the role sees no alerts.
        CardwatchError: that is no quarter.
    """
    first, last = _days_of(quarter)
    with desk.work(Event("combination", "report", quarter)):
        desk.sees_alerts()
    # Apart: a year takes seconds to read, and on SQLite whoever leaves an event lets others wait.
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        figures = _figures(work, first, last)
        organisation = people.organisation_name(work)
        made_on = work.today
    return governance_document(figures, marking=marking, organisation=organisation, made_on=made_on)


def assess_impact(desk: Desk, facts: Sequence[tuple[str, str]], *, marking: str) -> Document:
    """Return the template of a data protection impact assessment, with what is so here in it.

    Args:
        desk: who makes it; anybody may.
        facts: names, each with how the service is set.
        marking: protective marking.
    """
    with desk.work(Event("consultation", "impact assessment"), ()) as work:
        keeps, organisation = retention.keeps_days(work), people.organisation_name(work)
        made_on = work.today
    held = Installation(keeps, tuple(TRANSACTION_COLUMNS.values()), tuple(facts))
    return impact_document(held, marking=marking, organisation=organisation, made_on=made_on)


def _days_of(quarter: str) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a quarter."""
    found = QUARTER.fullmatch(quarter)
    if found is None:
        raise CardwatchError(
            f"'{quarter}' is not a quarter. Use the form 2026-Q3.", field="quarter"
        )
    year, month = int(found[1]), 3 * int(found[2]) - 2
    following = dt.date(year + month // 10, (month + 2) % 12 + 1, 1)
    return dt.date(year, month, 1), following - dt.timedelta(days=1)


def _figures(work: Work, first: dt.date, last: dt.date) -> Figures:
    """Gather what the report is made of."""
    days = str(first), str(last)
    spending = governing.read_spending(work, str(last - dt.timedelta(YEAR_DAYS)), days[1])
    names = {name: canonical_name(name).name for name in spending["merchant"].unique()}
    recipe = recipe_of(work, days[1])
    used = read_recipe(work, replace(recipe, model=""))
    model = "none, rules alone"
    if recipe.model:
        status = "refused" if read_model(work, recipe)[1] else "loaded"
        model = f"{recipe.model[:12]}, {status}"
    waited = governing.answer_days(work, *days)
    held = [row for row in kept.list_statements(work) if row["superseded_seq"] is None]
    return Figures(
        first_on=days[0],
        last_on=days[1],
        spending=spending.assign(merchant=spending["merchant"].map(names)),
        alerts=governing.count_alerts(work, *days),
        answer_days=[_between(row["raised_at"], row["answered_at"]) for row in waited
                     if row["answered_at"]],
        open_days=[_between(row["raised_at"], work.now) for row in waited
                   if not row["answered_at"]],
        second_looks={row["state"]: row["count"] for row in governing.second_looks(work, *days)},
        precision=[asdict(one) for one in precision_by_rule(finding.answers(work, FINANCE))],
        policy=used.policy,
        policy_sha256=recipe.policy or shipped_sha256("policy"),
        rules=dict(sorted(Counter(r.kind for r in used.rules if r.lane == FINANCE).items())),
        model=model,
        cards=_card_counts(used.cards, last),
        suppressions=sum(
            row["ended_at"] is None and row["expires_on"] >= work.today
            for row in suppressions.list_suppressions(work)
            if row["lane"] == FINANCE
        ),
        rows_not_read=sum(_not_read(row) for row in held if _meets(row, days)),
        uncovered=_uncovered(held, first, last),
    )  # fmt: skip


def _between(earlier: str, later: str) -> int:
    """Return the whole days between two moments."""
    return (dt.datetime.fromisoformat(later) - dt.datetime.fromisoformat(earlier)).days


def _card_counts(register: CardRegister | None, day: dt.date) -> dict[str, int]:
    """Return counts of the cards that a register says are open on a day; nothing without one."""
    if register is None:
        return {}
    table = register.cards.sort_values("holds_from", na_position="first", kind="stable")
    table = table[~(table["holds_from"] > str(day))].drop_duplicates("card_id", keep="last")
    table = table[(table["status"] == "open") & ~(table["closed_on"] < str(day))]
    return {
        "open": len(table),
        "holders": int(table["holder_id"].nunique()),
        "limited": int((table[["single_limit_pence", "month_limit_pence"]] > 0).any(axis=1).sum()),
        "approved": int((table["approver_id"] != "").sum()),
        "own": int(table["is_own_approver"].sum()),
    }


def _meets(statement: Row, days: tuple[str, str]) -> bool:
    return bool(statement["first_on"] <= days[1] and statement["last_on"] >= days[0])


def _not_read(statement: Row) -> int:
    """Return how many rows of a statement could not be read."""
    report: dict[str, Any] = json.loads(statement["report"])
    return len(report.get("problems", ()))


def _uncovered(held: list[Row], first: dt.date, last: dt.date) -> int:
    """Return how many of some days lie in no statement."""
    free = {first + dt.timedelta(n) for n in range((last - first).days + 1)}
    for row in held:
        begins, ends = (dt.date.fromisoformat(row[name]) for name in ("first_on", "last_on"))
        free = {one for one in free if not begins <= one <= ends}
    return len(free)
