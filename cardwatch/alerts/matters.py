"""Joins findings that belong to one matter: a split is one matter with all its payments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cardwatch.features.split import refunded_on
from cardwatch.rules import EVIDENCE, Evidence, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.features import Ledger

    Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Finding:
    """One rule that fires for one payment, with the payments that belong to it."""

    rule: Rule
    row: int
    evidence: Rows


@dataclass(frozen=True)
class Matter:
    """Findings that share payments, and all their payments."""

    findings: tuple[Finding, ...]
    rows: Rows


class Neighbours:
    """Looks up which payments belong to a finding."""

    def __init__(self, ledger: Ledger, features: Mapping[str, Any]) -> None:
        """Take the ledger and its features."""
        self.ledger = ledger
        self._features = features
        self._refunded = refunded_on(ledger)
        self._doubled = ledger.frame["day_doubled"].to_numpy(bool)

    def of(self, row: int, evidence: Evidence) -> Rows:
        """Return the rows of a payment's matter, the payment itself always among them."""
        if not evidence.by:
            return np.array([row])
        days = evidence.days
        back = int(self._features[days][row]) if isinstance(days, str) else days
        rows = self.ledger.rows_back(row, evidence.by, back)
        if evidence.having:
            rows = rows[self._features[evidence.having][rows].astype(bool)]
        if evidence.limit:  # a window of a split: what the search counted as its parts
            limit, day = self._features[evidence.limit][row], self.ledger.day[row]
            parts = ~(self._refunded[rows] <= day) & (self.ledger.pence[rows] <= limit)
            rows = rows[parts & ~self._doubled[rows]]
        return np.union1d(rows, [row])


def find_matters(
    ledger: Ledger, features: Mapping[str, Any], fired: Sequence[tuple[Rule, Rows]]
) -> list[Matter]:
    """Return the matters of some findings, in the order of their first payment.

    Args:
        ledger: the transactions.
        features: their features, by name.
        fired: rules that raise alerts, each with the rows for which it fires.
    """
    neighbours = Neighbours(ledger, features)
    findings = [
        Finding(rule, int(row), neighbours.of(int(row), EVIDENCE[rule.evidence]))
        for rule, rows in fired
        for row in rows
    ]
    if not findings:
        return []
    # Each finding is tied to what it shares: its payments, its whole group, or both.
    ties: list[tuple[int, int]] = []
    groups: dict[tuple[str, int], int] = {}
    for number, finding in enumerate(findings):
        evidence = EVIDENCE[finding.rule.evidence]
        if evidence.joins != "group":
            ties += [(number, int(row)) for row in finding.evidence]
        if evidence.joins != "rows":
            code = int(ledger.group(*evidence.by)[finding.row])
            place = groups.setdefault((finding.rule.evidence, code), len(groups))
            ties.append((number, len(ledger) + place))
    left, right = np.array(ties).T
    size = len(findings) + len(ledger) + len(groups)
    table = coo_array((np.ones(len(ties)), (left, right + len(findings))), (size, size))
    labels = connected_components(table, directed=False)[1][: len(findings)]
    matters = []
    for label in dict.fromkeys(labels):
        members = tuple(findings[i] for i in np.flatnonzero(labels == label))
        rows = np.unique(np.concatenate([member.evidence for member in members]))
        matters.append(Matter(members, rows))
    return sorted(matters, key=lambda matter: tuple(matter.rows.tolist()))
