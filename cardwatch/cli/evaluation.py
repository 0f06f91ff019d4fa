"""The command that measures detection on invented cases, or on alerts that people read blind."""

from __future__ import annotations

import datetime as dt
import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch.cli.options import (
    AsJson,
    ColumnsFile,
    DateOrder,
    Files,
    Lane,
    Overlap,
    PolicyFile,
    busy,
    one_of,
    reading_choices,
)
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.evaluation.benchmark import Evaluation
    from cardwatch.evaluation.reading import Item

app = typer.Typer()
EvaluateFrom = Annotated[
    dt.datetime | None,
    typer.Option(
        "--from", formats=["%Y-%m-%d"], help="First day to score; if empty, half of the payments."
    ),
]
EvaluateLimits = Annotated[
    list[int] | None,
    typer.Option(help="Limit in pounds for the invented splits; if empty, the policy's."),
]
EvaluateSeeds = Annotated[
    int, typer.Option(min=1, max=100, help="Number of data sets of each kind.")
]
EvaluateSize = Annotated[
    int | None,
    typer.Option(
        "--organisation", min=100, max=100_000,
        help="Measure on an organisation of so many payments a month, made of these cardholders.",
    ),
]  # fmt: skip
EvaluateOut = Annotated[
    Path | None, typer.Option("--out", help="Folder for the figures (JSON) and plots (SVG).")
]
EvaluateRead = Annotated[
    int | None,
    typer.Option(
        "--read", min=1, max=1000,
        help="Write a sheet to be read blind instead: so many questions, by whom is not said; "
        "--lane chooses the list.",
    ),
]  # fmt: skip
EvaluateFilled = Annotated[
    list[Path] | None,
    typer.Option(
        "--filled", exists=True, dir_okay=False,
        help="Score that sheet as a person has filled it; repeat it for further readers.",
    ),
]  # fmt: skip


@app.command(epilog="Example: cardwatch evaluate statements/ --policy policy.toml --out found/")
def evaluate(
    statements: Files,
    policy: PolicyFile = None,
    start: EvaluateFrom = None,
    limit: EvaluateLimits = None,
    seeds: EvaluateSeeds = 3,
    size: EvaluateSize = None,
    save: EvaluateOut = None,
    read_count: EvaluateRead = None,
    filled: EvaluateFilled = None,
    lane: Lane = "all",
    columns: ColumnsFile = None,
    json: AsJson = False,
    date_order: DateOrder = "decide",
    overlap: Overlap = "once",
) -> None:
    """Measure detection: add invented cases to your own history and count how many are found."""
    from cardwatch.cli.output import err, print_reading
    from cardwatch.evaluation import reading
    from cardwatch.evaluation.benchmark import Plan, score_unchanged
    from cardwatch.evaluation.benchmark import evaluate as measure
    from cardwatch.evaluation.sizes import resize
    from cardwatch.policy import load_policy
    from cardwatch.statements import read_statements

    choices, figures = reading_choices(columns, date_order, overlap), load_policy(policy)
    with busy("Reading statements"):
        read = read_statements(statements, choices, overlap=overlap)
    if read_count is not None:
        one_of("--lane", lane, ("finance", "psd", "all"))
        scoring = score_unchanged(read.transactions, figures, start)
        _read_blind(reading.make_items(scoring, read_count, lane), filled, save)
        return
    plan = Plan(start and start.date(), tuple(pounds * 100 for pounds in limit or []), seeds)
    payments = resize(read.transactions, size, plan.first_seed) if size else read.transactions
    evaluation = measure(payments, figures, plan, lambda step: err.print(f"Measuring: {step}"))
    if not json:
        print_reading(read)
    _give_evaluation(evaluation, save, json=json)


def _give_evaluation(evaluation: Evaluation, save: Path | None, *, json: bool) -> None:
    """Print what was measured, and write it with its plots where a folder is named."""
    from cardwatch.cli.output import err, print_evaluation
    from cardwatch.evaluation.plots import draw

    text = json_text.dumps(asdict(evaluation), indent=2, sort_keys=True)
    if json:
        sys.stdout.write(text + "\n")
    else:
        print_evaluation(evaluation)
    if save:
        _write_text(save / "evaluation.json", text + "\n")
        for path in [save / "evaluation.json", *draw(evaluation, save)]:
            err.print(f"Written: {path}")


def _read_blind(items: list[Item], filled: Sequence[Path] | None, save: Path | None) -> None:
    """Write the sheet to be read, or score it as it was filled."""
    from cardwatch.cli.output import err, print_shares
    from cardwatch.evaluation import reading

    if filled:
        readers = {
            path.name: reading.read_answers(items, path.read_text("utf-8", "replace"), path.name)
            for path in filled
        }
        print_shares(reading.shares_of(items, readers), reading.agreements(readers))
        return
    if save is None:
        raise typer.BadParameter("say where the sheet is to be written", param_hint="--out")
    _write_text(save / "to-read.csv", reading.sheet_text(items))
    err.print(f"Written: {save / 'to-read.csv'}")
    err.print("Enter yes or no in its last column, then score it with --filled.")


def _write_text(path: Path, text: str) -> None:
    """Write a text into a folder, which is made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error
