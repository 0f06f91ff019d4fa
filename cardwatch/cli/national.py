"""Commands over many organisations: export a casebook's payments, and score all of them."""

from __future__ import annotations

import datetime as dt
import json as json_text
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch.cli.admin import casebook_app
from cardwatch.cli.context import Owner, Who, open_context, print_rows, read_text
from cardwatch.cli.options import PARTLY, REFUSED, AsJson, busy, one_of
from cardwatch.quantities import plural, quantity

if TYPE_CHECKING:
    from cardwatch.executors import Engine
    from cardwatch.national import PartitionOutcome

Purpose = Annotated[str, typer.Option(help="finance-assurance, misconduct or corruption-crime.")]
Recipient = Annotated[str, typer.Option("--to", help="The recipient.")]
Since = Annotated[
    dt.datetime | None,
    typer.Option(
        "--from",
        formats=["%Y-%m-%d"],
        help="Score statements that end on this day or later; if empty, each newest one.",
    ),
]
CommonPolicy = Annotated[
    Path | None,
    typer.Option("--policy", help="Figures for organisations without their own policy."),
]

app = typer.Typer()


@casebook_app.command(
    "export",
    epilog="Example: cardwatch casebook export forces/ --parquet --purpose finance-assurance "
    "--to 'HMICFRS'",
)
def export_casebook(
    folder: Annotated[
        str, typer.Argument(help="Folder, or an address that pyarrow reaches, such as s3://...")
    ],
    purpose: Purpose,
    recipient: Recipient,
    parquet: Annotated[
        bool,
        typer.Option("--parquet", help="As Parquet files, one a year, in its own folder."),
    ] = False,
    facts: Annotated[
        bool,
        typer.Option("--facts", help="As facts without names, for Power BI and Excel."),
    ] = False,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Write all payments: for 'cardwatch national', or with alerts as facts without names."""
    from cardwatch import services

    if parquet == facts:
        raise typer.BadParameter("choose one form", param_hint="--parquet, --facts")
    with busy("Exporting payments"), open_context(person, organisation) as context:
        export = services.export_facts if facts else services.export_partition
        written = asdict(export(context, folder, purpose=purpose, recipient=recipient))
    print_rows([written], tuple(written), json=json)


@app.command(epilog="Example: cardwatch national forces/ --out results/")
def national(
    folder: Annotated[
        str, typer.Argument(help="Folder or address with a folder organisation=NAME for each.")
    ],
    results: Annotated[
        str, typer.Option("--out", help="Folder or address for the alerts of each organisation.")
    ],
    since: Since = None,
    policy: CommonPolicy = None,
    lane: Annotated[str, typer.Option(help="finance, psd or all.")] = "finance",
    workers: Annotated[
        int, typer.Option(min=0, help="Processes; 0 for one a processor, 1 for this process.")
    ] = 0,
    scheduler: Annotated[
        str, typer.Option(help="Address of a Dask scheduler, such as tls://scheduler:8786.")
    ] = "",
    json: AsJson = False,
) -> None:  # fmt: skip
    """Score many organisations; a run that was stopped goes on where it ended."""
    from cardwatch.national import NationalSettings, score_many
    from cardwatch.partitions import list_partitions
    from cardwatch.vocabulary import LANES

    one_of("--lane", lane, (*LANES, "all"))
    settings = NationalSettings(
        since=str(since.date()) if since else "",
        policy_text=read_text(policy) if policy else "",
        lanes=LANES if lane == "all" else (lane,),
    )
    engine = _engine(workers, scheduler)
    partitions = list_partitions(folder)
    outcomes = []
    for outcome in score_many(partitions, results, settings, engine=engine):
        outcomes.append(outcome)
        _print_outcome(outcome, len(outcomes), len(partitions), json=json)
    _print_cost(outcomes)
    failed = sum(outcome.outcome == "failed" for outcome in outcomes)
    if failed:
        raise typer.Exit(REFUSED if failed == len(outcomes) else PARTLY)


def _engine(workers: int, scheduler: str) -> Engine:
    """Return what the work is done on."""
    from cardwatch.executors import dask_cluster, processes, this_process

    if scheduler:
        return dask_cluster(scheduler)
    return this_process() if workers == 1 else processes(workers)


def _print_outcome(outcome: PartitionOutcome, number: int, count: int, *, json: bool) -> None:
    """Print what became of one organisation as soon as it is known."""
    from cardwatch.cli.output import err, out

    if json:
        line = json_text.dumps(asdict(outcome), ensure_ascii=False)
        out.print(line, markup=False, soft_wrap=True, highlight=False)
        return
    start = f"{number} of {count}  {outcome.organisation}"
    if outcome.outcome == "failed":
        err.print(f"{start}: failed: {outcome.reason}", markup=False, soft_wrap=True)
        return
    facts = f"{quantity(outcome.payments, 'payment')}, {quantity(outcome.alerts, 'alert')}"
    cost = f", {outcome.processor_seconds:.1f} s" if outcome.processor_seconds else ""
    line = f"{start}: {outcome.outcome}, {facts}{cost}"
    out.print(line, markup=False, soft_wrap=True, highlight=False)


def _print_cost(outcomes: list[PartitionOutcome]) -> None:
    """Print what the run did and cost, and which organisations are missing."""
    from cardwatch.cli.output import err

    seconds = sum(outcome.processor_seconds for outcome in outcomes)
    payments = sum(outcome.payments for outcome in outcomes)
    scored = sum(outcome.outcome == "scored" for outcome in outcomes)
    unchanged = sum(outcome.outcome == "unchanged" for outcome in outcomes)
    err.print(
        f"{scored} scored, {unchanged} unchanged; {quantity(payments, 'payment')}; "
        f"{seconds:.1f} processor seconds in this run.",
        highlight=False,
    )
    missing = [outcome.organisation for outcome in outcomes if outcome.outcome == "failed"]
    if missing:
        again = plural(len(missing), "it", "them")
        names = ", ".join(missing)
        err.print(f"Failed: {names}. Run the command again to score {again}.", markup=False)
