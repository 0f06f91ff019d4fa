"""The comparison of forces as a document: tables with intervals, and what they do not mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.rarity import exact_interval
from cardwatch.reports.aggregate import COMMON
from cardwatch.reports.benchmark import (
    INDICATORS,
    WITHIN,
    by_quarter,
    change_words,
    common_policy,
    is_scored_by,
    make_funnels,
    nearest_peers,
    percent,
    scored_shares,
)
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import day, quarter_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.reports.aggregate import Aggregate, SharePair
    from cardwatch.reports.benchmark import Funnel

NOT_SHOWN = (
    "A difference is a question for both forces. It is not a finding against either, or anybody.",
    "More alerts may mean more misuse, stricter limits, or better data. Figures cannot tell which.",
    "A higher share of upheld alerts may mean that a force asks better questions.",
    "A force within the limits has not been shown to be without problems.",
    "By the common policy all payments are scored alike. Own alerts also depend on own registers.",
    "A register with complete entries may still be wrong.",
    "A change from the quarter before may come from the season, a large order, or better records.",
    "Counts below each force's threshold are left out, and counts are rounded to the nearest 5.",
)


OWN_AND_COMMON = {
    "split_alerts": "Split purchase",
    "repeat_alerts": "Repeated payment",
    "cumulative_alerts": "Cumulative spending",
}
"""Figures that are given by the own policy and by the common one, each with its kind of alert."""
REGISTERS = {"cards": "Open cards", "contracts": "Contracts", "companies": "Companies"}
"""Registers whose entries are counted, each with its heading."""
OUTSIDE_TEXT = ("These shares are worth a question. Each figure has its own table below.",)
FORCES_TEXT = (
    "Each file is signed by the force's own installation. Confirm the key with the force once.",
)
COUNTED_TEXT = (
    "The payments are the same. Own alerts were raised as each statement came; by the common "
    "policy the whole quarter was scored at once."
)
REGISTERS_TEXT = (
    "Registers of finance alone. Cards are those open on the last day of the quarter.",
)
NOT_SHARED = "Not shared"


def benchmark_document(
    aggregates: Sequence[Aggregate], *, marking: str, made_on: str, organisation: str = ""
) -> Document:
    """Return the comparison as a document.

    Args:
        aggregates: as `read_aggregate` gives them; of earlier quarters too.
        marking: protective marking.
        made_on: the day.
        organisation: the force that the peers are chosen for; none for an inspectorate.

    Raises:
        CardwatchError: see `make_funnels` and `nearest_peers`.
    """
    funnels = make_funnels(aggregates)
    newest, before = by_quarter(aggregates)
    peers = nearest_peers(aggregates, organisation) if organisation else []
    facts = (
        ("Quarter", quarter_title(newest[0].quarter)),
        (
            "Compared with",
            quarter_title(before[0].quarter) if before else "No earlier quarter is given",
        ),
        ("Forces", f"{len(newest)}"),
        ("Date", day(made_on)),
        *((("Compared for", organisation), ("Peers by size", ", ".join(peers))) if peers else ()),
    )
    sections = [
        Section("What a difference does not mean", points=(*NOT_SHOWN, _by_chance(funnels))),
        *((_own_section(funnels, organisation, peers),) if organisation else ()),
        _outside_section(funnels),
        Section("Forces", text=FORCES_TEXT, tables=(_forces(newest),)),
        _policies_section(newest),
        Section("Registers", text=REGISTERS_TEXT, tables=(_registers(newest),)),
        *(_section(funnel, organisation, peers) for funnel in funnels),
    ]
    return Document("Comparison of forces", marking, facts, tuple(sections))


def _by_chance(funnels: Sequence[Funnel]) -> str:
    """How many points chance alone puts outside the limits."""
    points = sum(len(funnel.points) for funnel in funnels)
    return (
        f"{points:,} points are shown. If all forces were alike, up to {round(points * 0.05):,} of "
        "them would lie outside the 95% limits by chance."
    )


def _outside_section(funnels: Sequence[Funnel]) -> Section:
    """The points that lie outside the limits, so that nobody has to look for them."""
    rows = tuple(
        (point.organisation, INDICATORS[funnel.indicator], percent(point.share),
         percent(funnel.centre), point.verdict)
        for funnel in funnels
        for point in funnel.points
        if point.verdict != WITHIN
    )  # fmt: skip
    headings = ("Force", "Figure", "Share", "All forces", "Position")
    table = Table(
        "Shares worth a question", headings, rows, numeric=(2, 3), empty="No force is outside them."
    )
    return Section("Outside the limits", text=OUTSIDE_TEXT, tables=(table,))


def _policies_section(newest: Sequence[Aggregate]) -> Section:
    """Each force by its own policy and by the common one."""
    policy = common_policy(newest)
    if policy is None:
        none = ("No force's file has figures by a common policy.",)
        return Section("By own policy and by the common policy", text=none)
    others = [a.organisation for a in newest if not is_scored_by(a, policy)]
    versions = sorted({a.cardwatch for a in newest if is_scored_by(a, policy)})
    text = [
        f"The common policy is {policy.name}, version {policy.version}, of {policy.owner}.",
        COUNTED_TEXT,
    ]
    if others:
        text.append(f"Not scored by it: {', '.join(others)}.")
    if len(versions) > 1:
        text.append(
            f"The files were made by cardwatch {', '.join(versions)}. Another version may count "
            "otherwise."
        )
    rows = []
    for a in newest:
        for indicator, kind in OWN_AND_COMMON.items():
            common = scored_shares([a], COMMON + indicator, policy).get(a.organisation)
            pairs = (a.shares.get(indicator), common)
            if any(pairs):
                rows.append((a.organisation, kind, *map(_with_interval, pairs)))
    headings = ("Force", "Kind of alert", "By its own policy", "By the common policy")
    table = Table("By both policies", headings, tuple(rows), numeric=(2, 3))
    return Section("By own policy and by the common policy", text=tuple(text), tables=(table,))


def _with_interval(pair: SharePair | None) -> str:
    """Return a share with its exact 95% interval."""
    if pair is None:
        return NOT_SHARED
    low, high = exact_interval(pair.count, pair.total)
    return f"{percent(pair.count / pair.total)} ({percent(low)} to {percent(high)})"


def _registers(newest: Sequence[Aggregate]) -> Table:
    """How many entries the registers of each force have."""
    rows = tuple(
        (
            a.organisation,
            *(
                f"{a.registers[name]:,}" if name in a.registers else NOT_SHARED
                for name in REGISTERS
            ),
        )
        for a in newest
    )
    headings = ("Force", *REGISTERS.values())
    return Table("Entries of registers", headings, rows, numeric=(1, 2, 3))


def _forces(aggregates: Sequence[Aggregate]) -> Table:
    """The forces and their size."""
    rows = tuple(
        (a.organisation, f"{a.purchases:,}", f"£{a.pounds:,}", f"{a.cardholders:,}",
         f"{a.uncovered_days:,}", f"{a.threshold}", a.fingerprint)
        for a in aggregates
    )  # fmt: skip
    headings = (
        "Force",
        "Purchases",
        "Value",
        "Cardholders",
        "Days not covered",
        "Threshold",
        "Key",
    )
    return Table("Forces by name", headings, rows, numeric=(1, 2, 3, 4, 5))


def _own_section(funnels: Sequence[Funnel], organisation: str, peers: Sequence[str]) -> Section:
    """One force against its peers by size, figure by figure."""
    rows = []
    for funnel in funnels:
        force_point = next((p for p in funnel.points if p.organisation == organisation), None)
        if force_point is None:
            continue
        near = [point for point in funnel.points if point.organisation in peers]
        together = ""
        if near:
            together = percent(sum(p.count for p in near) / sum(p.total for p in near))
        change = change_words(force_point) or "No earlier figure"
        rows.append((
            INDICATORS[funnel.indicator], percent(force_point.share), together,
            percent(funnel.centre), change, force_point.verdict,
        ))  # fmt: skip
    headings = ("Figure", "Your force", "Peers together", "All forces", "Change", "Position")
    table = Table(
        "Your force", headings, tuple(rows), numeric=(1, 2, 3), empty="Your force shares no figure."
    )
    text = (f"Peers are the {len(peers)} forces nearest in number of purchases.",)
    return Section("Your force and its peers", text=text, tables=(table,))


def _section(funnel: Funnel, organisation: str, peers: Sequence[str]) -> Section:
    """One figure: a sentence and a table."""
    rows = tuple(_rows(funnel, organisation, peers))
    widened = ""
    if funnel.spread > 1:
        widened = (
            f" Forces differ by more than chance, so the limits are {funnel.spread:.1f} times as "
            "wide."
        )
    text = (f"All forces together: {percent(funnel.centre)}.{widened}",)
    headings = (
        "Force", "Count", "Of", "Share", "95% interval", "Quarter before", "Change", "Position"
    )  # fmt: skip
    table = Table(INDICATORS[funnel.indicator], headings, rows, numeric=(1, 2, 3, 4, 5))
    return Section(INDICATORS[funnel.indicator], text=text, tables=(table,))


def _rows(funnel: Funnel, organisation: str, peers: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """The forces of a funnel, the largest first; one's own and its peers are marked."""
    for point in funnel.points:
        mark = " (your force)" if point.organisation == organisation else ""
        mark = " (peer)" if point.organisation in peers else mark
        earlier = ""
        if point.earlier is not None:
            earlier = percent(point.earlier.count / point.earlier.total)
        yield (
            point.organisation + mark,
            f"{point.count:,}",
            f"{point.total:,}",
            percent(point.share),
            f"{percent(point.low)} to {percent(point.high)}",
            earlier,
            change_words(point),
            point.verdict,
        )
