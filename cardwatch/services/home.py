"""The home page's content: months covered, what waits, and what is set up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook import (
    FINANCE,
    PSD,
    alert_queries,
    approvals,
    cases,
    complaints,
    people,
    proposals,
    queries,
    referrals,
)
from cardwatch.casebook.counting import counting_payments, is_counting
from cardwatch.casebook.rows import Statement
from cardwatch.casebook.statements import list_statements
from cardwatch.casebook.tables import OVERSEES, RECEIVES, transactions
from cardwatch.policy import load_policy
from cardwatch.services.refused_files import refused_arrivals
from cardwatch.services.register_matches import count_names_to_review
from cardwatch.services.scoring_inputs import active_inputs, load_inputs

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.case_rows import ListedCase
    from cardwatch.casebook.rows import Approval, Proposal, Statement
    from cardwatch.services.answers import RefusedArrival
    from cardwatch.services.context import ServiceContext

MONTHS_SHOWN = 13
FEW_SHARE = 0.1
"""A month with fewer payments than this share of the usual month holds late payments alone."""


@dataclass(frozen=True)
class Month:
    """A month, how many payments of it count, and whether a statement of it seems to be missing."""

    month: str
    payments: int
    is_missing: bool


@dataclass(frozen=True)
class Setup:
    """Needs of a casebook before its alerts can be relied on, and whether each is met.

    Attributes:
        has_limits, has_cards, has_history, has_statement: whether each is there.
        assumed_pence: the single-purchase limit that counts until one is stated, in pence.
    """

    has_limits: bool
    has_cards: bool
    has_history: bool
    has_statement: bool
    assumed_pence: int

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be set up."""
        return all((self.has_limits, self.has_cards, self.has_history, self.has_statement))


@dataclass(frozen=True)
class Home:
    """The home page's content, as far as the actor may see it.

    Attributes:
        waiting, overdue, mine: how many alerts wait for an answer, are past their due day, and are
            assigned to the actor, with the pence at stake in each. For professional standards
            those that they decide.
        finance_waiting: how many wait for finance, for professional standards; none for others.
        queries: how many queries to line managers wait for a reply, and are past their due day.
        last_upload: the statement received last, if there is one.
        agreements: open proposals that the actor may agree to.
        own_proposals: open proposals of the actor's own.
        has_approver: whether anybody else has the actor's role, and could approve these.
        approvals: requests that wait for the actor's approval, and their own once approved.
        referrals_count: how many referrals wait for an answer; 0 for who does not answer them.
        names_count: how many names in registers wait for a review; 0 for who reviews none.
        cases: the actor's open cases, the newest first.
        months: the last months up to this one, the newest first.
        overdue_complaints: complaints and objections past their day, for who oversees them.
        arrivals: refused files of a watched folder that nobody has dealt with, the newest first.
    """

    waiting: tuple[int, int]
    overdue: tuple[int, int]
    mine: tuple[int, int]
    finance_waiting: tuple[int, int]
    queries: tuple[int, int]
    last_upload: Statement | None
    agreements: list[Proposal]
    own_proposals: list[Proposal]
    has_approver: bool
    approvals: list[Approval]
    months: list[Month]
    setup: Setup
    overdue_complaints: int
    referrals_count: int
    names_count: int
    cases: list[ListedCase]
    arrivals: list[RefusedArrival]


def show_home(context: ServiceContext) -> Home:
    """Return what somebody finds after signing in.

    Raises:
        NotAllowed: the role sees no alerts.
    """
    actor = context.actor
    lanes = tuple(dict.fromkeys((*actor.lanes, actor.chain)))
    with context.snapshot(lanes) as uow:
        context.require_alert_access()
        is_psd = actor.role == PSD
        own_lane = PSD if is_psd else ""
        waiting_filter = alert_queries.AlertFilter(
            lane=own_lane, unanswered=True, awake_on=uow.today
        )
        before_today = str(context.now.date() - dt.timedelta(1))
        overdue_filter = alert_queries.AlertFilter(
            lane=own_lane, unanswered=True, due_by=before_today
        )
        assigned = replace(waiting_filter, assigned_to=people.email_of(uow))
        statements = list_statements(uow)
        open_queries = queries.list_queries(uow, open_only=True)
        return Home(
            waiting=alert_queries.count_alerts(uow, waiting_filter),
            overdue=alert_queries.count_alerts(uow, overdue_filter),
            mine=alert_queries.count_alerts(uow, assigned),
            finance_waiting=alert_queries.count_alerts(uow, replace(waiting_filter, lane=FINANCE))
            if is_psd
            else (0, 0),
            queries=(
                len(open_queries),
                sum(row["overdue_days"] > 0 for row in open_queries),
            ),
            last_upload=statements[-1] if statements else None,
            agreements=_open_proposals(uow, own=False),
            own_proposals=_open_proposals(uow, own=True),
            has_approver=people.shares_role(uow),
            approvals=approvals.waiting_approvals(uow) if actor.role == PSD else [],
            months=_months(uow) if statements else [],
            setup=_setup(uow, statements),
            overdue_complaints=complaints.count_overdue(uow) if actor.role in OVERSEES else 0,
            referrals_count=len(referrals.list_referrals(uow, waiting=True))
            if actor.role == PSD
            else 0,
            names_count=count_names_to_review(uow) if actor.role == PSD else 0,
            cases=_open_cases(uow),
            arrivals=refused_arrivals(uow) if actor.role in RECEIVES else [],
        )


def _open_cases(uow: UnitOfWork) -> list[ListedCase]:
    """The actor's own open cases, the newest first; none for other roles."""
    if uow.actor.role != PSD:
        return []
    own = cases.CaseFilter(state=cases.OPEN_CASE, owner=people.email_of(uow))
    return cases.find_cases(uow, own)


def _open_proposals(uow: UnitOfWork, *, own: bool) -> list[Proposal]:
    """The open proposals of the actor's role: their own, or those they may agree to."""
    if uow.actor.role not in RECEIVES:
        return []
    return [
        row
        for row in proposals.list_proposals(uow)
        if row["state"] == proposals.OPEN
        and row["lane"] == uow.actor.role
        and (row["made_by"] == uow.actor.actor_id) == own
    ]


def _months(uow: UnitOfWork) -> list[Month]:
    """The last months up to this one, the newest first, with their payments.

    Months before the first payment are left out, and this month is never missing.
    """
    newest = dt.date.fromisoformat(uow.today)
    numbers = [12 * newest.year + newest.month - 1 - back for back in range(MONTHS_SHOWN)]
    names = [f"{number // 12}-{number % 12 + 1:02}" for number in numbers]
    month = sa.func.substr(transactions.c.date, 1, 7).label("month")
    question = (
        counting_payments(
            uow, [month, sa.func.count().label("payments")], with_psd_holds=uow.actor.role == PSD
        )
        .where(transactions.c.date >= names[-1])
        .order_by(None)
        .group_by(month)
    )
    counts = {row["month"]: int(row["payments"]) for row in uow.fetch_all(question)}
    month_counts = [counts[name] for name in names if counts.get(name)]
    few = FEW_SHARE * median(month_counts) if month_counts else 0
    first = min((name for name in names if counts.get(name, 0) > few), default=names[0])
    return [
        Month(name, counts.get(name, 0), name != names[0] and counts.get(name, 0) <= few)
        for name in names
        if name >= first
    ]


def _setup(uow: UnitOfWork, statements: list[Statement]) -> Setup:
    """Needs of a casebook before its alerts can be relied on."""
    recipe = active_inputs(uow, uow.today)
    policy = load_inputs(uow, replace(recipe, model="", cards="")).policy
    counting = [row for row in statements if is_counting(row)]
    return Setup(
        has_limits=policy.single_purchase[0].stated,
        has_cards=bool(recipe.cards),
        has_history=len(counting) > 1,
        has_statement=any(row["is_scored"] for row in counting),
        assumed_pence=load_policy().single_purchase[0].pence,
    )
