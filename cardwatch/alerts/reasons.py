"""The reasons of an alert as people read them: near-duplicates are joined or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.records import Reason

SAID_BY = {
    "new-to-holder": {"new-and-rare", "new-merchant", "unusual-merchant", "watched-and-unusual",
                      "new-merchants-at-once"},
    "unusual-merchant": {"new-and-rare", "watched-and-unusual"},
    "unusual-payment": {"new-and-rare", "unusual-merchant", "unusual-amount", "split-is-rare",
                        "watched-and-unusual"},
    "rare-category": {"new-merchant", "new-and-rare"},
}  # fmt: skip
"""The rules whose fact already says what another rule's fact says, with a figure of its own."""
SAME_TOTAL = "slow-total"
"""A rule whose fact repeats a split where both are about the same sum."""


def joined_facts(reasons: Sequence[Reason]) -> list[str]:
    """The facts of an alert's reasons, the leading one first, each said once.

    A reason whose fact another one gives already is left out. Facts that begin with the same clause
    become one sentence. The reasons themselves are kept whole: this is for people to read.

    Args:
        reasons: of an alert, the leading one first.
    """
    rules = {reason.rule for reason in reasons}
    totals = {total for reason in reasons if reason.rule != SAME_TOTAL for total in _totals(reason)}
    clauses: dict[str, list[str]] = {}
    for number, reason in enumerate(reasons):
        repeats_total = reason.rule == SAME_TOTAL and bool(totals & set(_totals(reason)))
        if number and (SAID_BY.get(reason.rule, set()) & rules or repeats_total):
            continue
        opening, _, rest = reason.fact.partition("; ")
        clauses.setdefault(opening, []).append(rest)
    return [_sentence(opening, rests) for opening, rests in clauses.items()]


def _totals(reason: Reason) -> list[float | str]:
    """The sums of payments among a reason's figures."""
    return [value for name, value in reason.figures.items() if name.endswith("_total_pence")]


def _sentence(opening: str, rests: Iterable[str]) -> str:
    """A clause with what several facts add to it."""
    added = [rest for rest in dict.fromkeys(rests) if rest]
    *others, last = added or [""]
    if not last:
        return opening
    return "; ".join([opening, *(other.removesuffix(".") for other in others), last])
