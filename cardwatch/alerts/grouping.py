"""Groups findings that belong together: a split is one group with all its payments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.features.ledger import PAIR
from cardwatch.features.split import refunded_on
from cardwatch.rules import EVIDENCE, Evidence, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.features import Ledger

    Rows = np.ndarray[Any, np.dtype[np.integer[Any]]]


NO_ROWS = np.zeros(0, "int64")


@dataclass(frozen=True)
class Finding:
    """One rule that fires for one payment, with the payments that belong to it.

    Attributes:
        evidence: rows that belong to it, the payment's own not always among them; findings of one
            day share them, or a day of a thousand payments would be kept a thousand times.
        pence: sum of these and of the payment itself.
    """

    rule: Rule
    row: int
    evidence: Rows
    pence: float


@dataclass(frozen=True)
class AlertGroup:
    """Findings that share payments, and all their payments."""

    findings: tuple[Finding, ...]
    rows: Rows

    @cached_property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings; of equal payments by several cardholders only the last.

        The second of five equal payments cannot be told from a bill that was paid twice; the last
        knows best whether the sum is a price.
        """
        earlier = {
            (finding.rule.id, row)
            for finding in self.findings
            if EVIDENCE[finding.rule.evidence].joins == "holders"
            for row in finding.evidence.tolist()
            if row < finding.row
        }
        return tuple(f for f in self.findings if (f.rule.id, f.row) not in earlier)


class EvidenceFinder:
    """Looks up which payments belong to a finding."""

    def __init__(self, ledger: Ledger, features: Mapping[str, Any]) -> None:
        """Take the ledger and its features."""
        self.ledger = ledger
        self._features = features
        self._refunded = refunded_on(ledger)
        self._doubled = ledger.frame["day_doubled"].to_numpy(bool)
        self._made: dict[tuple[object, ...], tuple[Rows, float]] = {}

    def finding(self, rule: Rule, row: int) -> Finding:
        """Return what a rule that fires for a payment has found."""
        evidence, pence = EVIDENCE[rule.evidence], self.ledger.pence
        if not evidence.by:
            return Finding(rule, row, NO_ROWS, float(pence[row]))
        days = evidence.days
        back = int(self._features[days][row]) if isinstance(days, str) else days
        limit = self._features[evidence.limit][row] if evidence.limit else None
        key = (rule.evidence, self.ledger.window_slice(row, evidence.by, back), limit)
        if key not in self._made:
            rows = self._rows(row, evidence, back, limit)
            self._made[key] = rows, float(pence[rows].sum())
        rows, total = self._made[key]
        position = rows.searchsorted(row)
        is_among = position < len(rows) and rows[position] == row
        return Finding(rule, row, rows, total if is_among else total + float(pence[row]))

    def _rows(self, row: int, evidence: Evidence, back: int, limit: float | None) -> Rows:
        """Return the rows that belong to a payment, in order."""
        rows = self.ledger.window_rows(row, evidence.by, back)
        if evidence.having:
            rows = rows[self._features[evidence.having][rows].astype(bool)]
        if limit is not None:  # a window of a split: what the search counted as its parts
            day = self.ledger.day[row]
            parts = ~(self._refunded[rows] <= day) & (self.ledger.pence[rows] <= limit)
            rows = rows[parts & ~self._doubled[rows]]
        return rows


def group_findings(
    ledger: Ledger, features: Mapping[str, Any], fired: Sequence[tuple[Rule, Rows]]
) -> list[AlertGroup]:
    """Return the matters of some findings, in the order of their first payment.

    Args:
        ledger: the transactions.
        features: their features, by name.
        fired: rules that raise alerts, each with the rows for which it fires.
    """
    neighbours = EvidenceFinder(ledger, features)
    findings = [neighbours.finding(rule, int(row)) for rule, rows in fired for row in rows]
    groups: dict[int, list[Finding]] = {}
    for label, finding in zip(_labels(ledger, findings), findings, strict=True):
        groups.setdefault(label, []).append(finding)
    alert_groups = []
    for group in groups.values():
        evidence = {id(group_finding.evidence): group_finding.evidence for group_finding in group}
        rows = np.unique(
            np.concatenate([*evidence.values(), [group_finding.row for group_finding in group]])
        )
        alert_groups.append(AlertGroup(tuple(group), rows))
    return sorted(alert_groups, key=lambda matter: tuple(matter.rows.tolist()))


def _codes(ledger: Ledger, evidence: Evidence, finding: Finding) -> list[int]:
    """Return what a finding shares with others besides payments: its group, or its cardholders."""
    if evidence.joins == "holders":
        pairs = ledger.group(*PAIR)
        return np.unique(pairs[[*finding.evidence, finding.row]]).tolist()
    return [] if evidence.joins == "rows" else [int(ledger.group(*evidence.by)[finding.row])]


def _labels(ledger: Ledger, findings: Sequence[Finding]) -> list[int]:
    """Return for each finding the number of its matter.

    Each is tied to what it shares: its payments, what `_codes` says, or both. What findings share
    is tied to its rows once, or a day of a thousand payments would make a million ties.
    """
    if not findings:
        return []
    from scipy.sparse import coo_array  # noqa: PLC0415  the same
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415  a scoring without findings loads no solvers

    first = len(ledger) + len(findings)
    ties: list[tuple[int, int]] = []
    knots: dict[object, int] = {}
    shared: dict[int, Rows] = {}
    for number, finding in enumerate(findings, start=len(ledger)):
        evidence = EVIDENCE[finding.rule.evidence]
        if evidence.joins != "group":
            ties.append((number, finding.row))
            if len(finding.evidence):
                knot = knots.setdefault(id(finding.evidence), first + len(knots))
                ties.append((number, knot))
                shared[knot] = finding.evidence
        for code in _codes(ledger, evidence, finding):
            knot = knots.setdefault((finding.rule.evidence, code), first + len(knots))
            ties.append((number, knot))
    pairs = [np.stack([np.full(len(rows), knot), rows]) for knot, rows in shared.items()]
    left_ends, right = np.concatenate([np.array(ties, "int64").reshape(-1, 2).T, *pairs], axis=1)
    size = first + len(knots)
    table = coo_array((np.ones(len(left_ends), bool), (left_ends, right)), (size, size))
    return list(connected_components(table, directed=False)[1][len(ledger) : first].tolist())
