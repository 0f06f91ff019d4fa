"""Equality monitoring: rates by group, from finance's lane alone; the groups are not kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import AuditEvent, people, report_queries
from cardwatch.casebook.tables import HOLDER_KEYS, OVERSEES
from cardwatch.features import purchase_rows
from cardwatch.registers import person_key
from cardwatch.reports.disparity import COUNTED, compare_groups
from cardwatch.reports.equality import UNIT_COLUMN, EqualityFigures, equality_document
from cardwatch.services.governance_report import quarter_span
from cardwatch.vocabulary import ANSWERED, UPHELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook.rows import HolderAlert
    from cardwatch.registers import GroupFile
    from cardwatch.reports import Document
    from cardwatch.services.context import ServiceContext


def report_equality(
    context: ServiceContext, quarter: str, group_file: GroupFile | None = None, *, marking: str
) -> Document:
    """Return rates by group for the twelve months up to a quarter's end.

    The event names the file's hash and its columns; nothing else of it is kept.

    Args:
        quarter: such as `2026-Q3`.
        group_file: groups of cardholders; without it, their units are compared.
        marking: protective marking.

    Raises:
        NotAllowed: the role sees no alerts, or may not compare by personal characteristics.
        CardwatchError: that is no quarter, or it has not begun.
    """
    span = quarter_span(quarter, context.now.date())
    event = AuditEvent("combination", "equality", quarter)
    if group_file is not None:
        event.object_id = group_file.sha256
        event.purpose = "; ".join([quarter, group_file.key_heading, *group_file.groups])
    with context.work(event):
        context.require_alert_access()
        if group_file is not None:
            context.allow(OVERSEES, "compare groups of people")
    year_first = dt.date.fromisoformat(span.last_on) - pd.DateOffset(years=1, days=-1)
    first_on = str(year_first.date())
    # Apart from the event: on SQLite whoever leaves one lets others wait.
    with context.snapshot() as uow:
        more = ("unit", "cost_centre", *HOLDER_KEYS)
        payments = report_queries.read_spending(uow, first_on, span.last_on, more)
        alerts = report_queries.read_holder_alerts(uow, first_on, span.last_on)
        organisation, made_on = people.organisation_name(uow), uow.today
    purchases = payments[purchase_rows(payments) & (payments["holder_id"] != "").to_numpy()]
    counts = _counts(purchases, alerts)
    groups = _units(purchases, counts) if group_file is None else _grouped(
        purchases, counts, group_file
    )  # fmt: skip
    figures = EqualityFigures(
        first_on=first_on,
        last_on=span.last_on,
        holders=len(counts),
        matched=int((groups != "").any(axis=1).sum()),
        rates=tuple(compare_groups(counts, groups)),
        columns=tuple(map(str, groups)),
        source="statements" if group_file is None else f"a file (SHA-256 {group_file.sha256})",
        notes=group_file.notes if group_file else (),
    )
    return equality_document(figures, marking=marking, organisation=organisation, made_on=made_on)


def _holders_by_key(purchases: pd.DataFrame) -> dict[str, str]:
    """Cardholders by every key that statements give them; a key of several people names nobody."""
    holders: dict[str, str] = {}
    for column in ("holder_id", *HOLDER_KEYS):
        pairs = purchases.loc[purchases[column].fillna("") != "", [column, "holder_id"]]
        pairs = pairs.drop_duplicates().set_axis(["key", "holder_id"], axis=1)
        pairs = pairs.assign(key=pairs["key"].map(person_key)).drop_duplicates()
        unique = pairs[~pairs["key"].duplicated(keep=False)]
        for key, holder_id in zip(unique["key"], unique["holder_id"], strict=True):
            holders.setdefault(key, holder_id)
    return holders


def _counts(purchases: pd.DataFrame, alerts: Sequence[HolderAlert]) -> pd.DataFrame:
    """Counts for each cardholder: payments, alerts, and their outcomes."""
    holders = _holders_by_key(purchases)
    counted: dict[str, Counter[str]] = {name: Counter() for name in COUNTED[1:]}
    for alert in alerts:
        holder_id = holders.get(alert["subject_id"])
        if holder_id is None:  # no payment of theirs in these days
            continue
        state = alert["state"]
        counted["alerts"][holder_id] += 1
        counted["queried"][holder_id] += bool(alert["is_queried"])
        counted["answered"][holder_id] += state in ANSWERED
        counted["upheld"][holder_id] += state in UPHELD
    payments = purchases.groupby("holder_id").size().rename("payments")
    columns = {
        name: [counter[holder_id] for holder_id in payments.index]
        for name, counter in counted.items()
    }
    return payments.to_frame().assign(**columns)


def _units(purchases: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """The unit of each cardholder: that of most of their payments."""
    unit = purchases["unit"].where(purchases["unit"] != "", purchases["cost_centre"])
    by_unit = purchases.assign(name=unit).groupby(["holder_id", "name"]).size()
    sizes = (
        by_unit.rename("size").reset_index().sort_values(["size", "name"], ascending=[False, True])
    )
    names = sizes.drop_duplicates("holder_id").set_index("holder_id")["name"]
    return pd.DataFrame({UNIT_COLUMN: names.reindex(counts.index).fillna("")})


def _grouped(purchases: pd.DataFrame, counts: pd.DataFrame, group_file: GroupFile) -> pd.DataFrame:
    """The groups of each cardholder, as the file says."""
    holders = _holders_by_key(purchases)
    groups = group_file.groups.assign(
        holder_id=[holders.get(key, "") for key in group_file.groups.index]
    )
    groups = groups[groups["holder_id"] != ""].drop_duplicates("holder_id")
    return groups.set_index("holder_id").reindex(counts.index).fillna("")
