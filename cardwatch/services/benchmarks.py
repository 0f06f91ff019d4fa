"""Compares forces by the aggregates that somebody has; nothing of the files is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent
from cardwatch.casebook.tables import READS
from cardwatch.errors import CardwatchError
from cardwatch.reports.aggregate import read_aggregate
from cardwatch.reports.benchmark import common_policy, make_funnels, nearest_peers
from cardwatch.reports.benchmark_document import benchmark_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.reports import Document
    from cardwatch.reports.aggregate import CommonPolicy
    from cardwatch.reports.benchmark import Funnel
    from cardwatch.services.context import ServiceContext

MOST_AGGREGATES = 100
"""Two quarters of every force in England and Wales, and room for more."""


@dataclass(frozen=True)
class Benchmark:
    """Forces compared: the quarter, the document, its funnels, and the peers of one force.

    Attributes:
        common_policy: the pack behind the figures by the common policy; none without one.
    """

    quarter: str
    document: Document
    funnels: tuple[Funnel, ...]
    peers: tuple[str, ...] = ()
    common_policy: CommonPolicy | None = None


def check_compares(context: ServiceContext) -> None:
    """Check that the actor may compare forces.

    Raises:
        NotAllowed: they may not.
    """
    _note(context, {})


def _note(context: ServiceContext, counts: dict[str, int]) -> None:
    """Leave the event of a comparison, or of one that was refused."""
    with context.work(AuditEvent("consultation", "benchmark", counts=counts), ()):
        context.allow(READS, "compare forces")


def compare_forces(
    context: ServiceContext, files: Sequence[tuple[str, bytes]], *, force: str, marking: str
) -> Benchmark:
    """Return a comparison of the forces whose aggregates are given.

    Args:
        context: who compares.
        files: aggregates, each as its name and bytes.
        force: the force to be shown against its peers, as its file names it; empty for none.
        marking: protective marking.

    Raises:
        NotAllowed: the role reads no reports of this kind.
        CardwatchError: a file is no aggregate or was changed, there are too few or too many, or
            the force is not among them.
    """
    _note(context, {"files": len(files)})
    if len(files) > MOST_AGGREGATES:
        raise CardwatchError(f"Choose at most {MOST_AGGREGATES} files.", field="files")
    aggregates = [read_aggregate(name, content) for name, content in files]
    document = benchmark_document(
        aggregates, marking=marking, made_on=str(context.now.date()), organisation=force
    )
    quarter = max(aggregate.quarter for aggregate in aggregates)
    peers = tuple(nearest_peers(aggregates, force)) if force else ()
    funnels = tuple(make_funnels(aggregates))
    return Benchmark(quarter, document, funnels, peers, common_policy(aggregates))
