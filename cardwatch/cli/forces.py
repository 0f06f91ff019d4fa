"""Commands that compare forces: make the shareable aggregate, and compare many of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cardwatch import installation
from cardwatch.cli.context import Owner, Who, open_context, read_bytes, read_text, write_file
from cardwatch.cli.options import busy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.reports import Document
    from cardwatch.reports.benchmark import Funnel

BENCHMARK_FORMS = (".xlsx", ".pdf", ".svg")
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        help="Write it as .xlsx or .pdf; .svg writes a plot of each figure beside that name.",
    ),
]
Aggregates = Annotated[
    list[Path], typer.Argument(help="Aggregates of forces.", exists=True, dir_okay=False)
]
AggregateFile = Annotated[Path, typer.Option("--out", help="The file to write.")]

app = typer.Typer()


@app.command(epilog="Example: cardwatch aggregate 2026-Q3 --out our-force-2026-Q3.json")
def aggregate(
    quarter: Annotated[str, typer.Argument(help="A quarter that is over, such as 2026-Q3.")],
    path: AggregateFile,
    threshold: Annotated[
        int, typer.Option(min=1, help="Smallest count that is shared; 5 or more.")
    ] = 10,
    pack: Annotated[
        Path | None,
        typer.Option(
            help="Policy pack by which payments are scored as well; otherwise the active one.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    person: Who = None,
    organisation: Owner = None,
) -> None:
    """Write a quarter's figures without people or merchants, signed, to share with others."""
    from cardwatch import services
    from cardwatch.cli.output import err, out
    from cardwatch.reports.aggregate import read_aggregate

    with open_context(person, organisation) as context, busy("Counting the quarter"):
        content = services.make_aggregate(
            context,
            quarter,
            threshold=threshold,
            key=installation.signing_key(),
            pack=read_bytes(pack) if pack else b"",
        )
    write_file(path, content)
    if read_aggregate(path.name, content).common_policy is None:
        err.print(
            "There are no figures by a common policy: your policy comes from no pack. "
            "Give one with --pack.",
            markup=False,
        )
    out.print(f"Written: {path}. Read it before you share it.", markup=False, soft_wrap=True)


@app.command(epilog="Example: cardwatch benchmark forces/*.json --out benchmark.xlsx")
def benchmark(
    files: Aggregates,
    force: Annotated[
        str, typer.Option(help="Your force's name, to mark it and its peers by size.")
    ] = "",
    outputs: Outputs = None,
) -> None:
    """Compare forces by their aggregates, with limits that respect their size."""
    from cardwatch.reports.aggregate import read_aggregate
    from cardwatch.reports.benchmark import make_funnels
    from cardwatch.reports.benchmark_document import benchmark_document

    for path in outputs or []:
        if path.suffix.lower() not in BENCHMARK_FORMS:
            raise typer.BadParameter("use a file that ends in .xlsx, .pdf or .svg")
    aggregates = [read_aggregate(path.name, path.read_bytes()) for path in files]
    document = benchmark_document(
        aggregates,
        marking=installation.marking(),
        made_on=str(dt.datetime.now(dt.UTC).date()),
        organisation=force,
    )
    print_document(document)
    for path in outputs or []:
        with busy(f"Writing {path.name}"):
            _write_benchmark(path, document, make_funnels(aggregates))


@app.command(epilog="Example: cardwatch publish 2026-Q3 --redactions redactions.toml --out q3.csv")
def publish(
    period: Annotated[
        str, typer.Argument(help="Quarter or financial year that is over: 2026-Q3, 2025/26.")
    ],
    path: Annotated[
        Path,
        typer.Option(
            "--out", help="The file to write: .csv, or .zip with answers to usual requests."
        ),
    ],
    listed: Annotated[
        Path | None,
        typer.Option("--redactions", help="TOML: merchants to redact, cards to leave out."),
    ] = None,
    over: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Publish payments that exceed these pounds.")
    ] = 500,
    person: Who = None,
    organisation: Owner = None,
) -> None:
    """Write payments as they are published, or answers to the usual questions about them."""
    from cardwatch import services
    from cardwatch.cli.output import err, out
    from cardwatch.reports.publication import publication_csv, read_redactions

    if path.suffix.lower() not in {".csv", ".zip"}:
        raise typer.BadParameter("use a file that ends in .csv or .zip", param_hint="--out")
    text, name = (read_text(listed), listed.name) if listed else ("", "redactions")
    redactions = read_redactions(text, name)
    with open_context(person, organisation) as context:
        if path.suffix.lower() == ".zip":
            publication, content = services.answer_requests(
                context, period, redactions, threshold_pounds=over, key=installation.signing_key()
            )
        else:
            publication = services.publish_quarter(
                context, period, redactions, threshold_pounds=over
            )
            content = publication_csv(publication).encode()
    write_file(path, content)
    for entry in publication.unused:
        err.print(f"Fits no payment of {period}: {entry}. Check how it is written.", markup=False)
    for reason, count in publication.redacted.items():
        out.print(f"Redacted: {count}, {reason}", markup=False)
    out.print(f"Left out, and not to be published: {publication.withheld}", markup=False)
    out.print(f"Written: {path}. Read it before you publish it.", markup=False, soft_wrap=True)


def _write_benchmark(path: Path, document: Document, funnels: list[Funnel]) -> None:
    """Write the comparison in the form that a file's ending names."""
    from cardwatch.cli.output import err
    from cardwatch.reports import pdf_of
    from cardwatch.reports.document_xlsx import document_xlsx
    from cardwatch.reports.funnel_plot import funnel_svg

    match path.suffix.lower():
        case ".xlsx":
            files = {path: document_xlsx(document)}
        case ".pdf":
            files = {path: pdf_of(document)}
        case _:
            files = {
                path.with_stem(f"{path.stem}-{funnel.indicator}"): funnel_svg(funnel).encode()
                for funnel in funnels
            }
    for target, content in files.items():
        write_file(target, content)
        err.print(f"Written: {target}", markup=False)


def print_document(document: Document) -> None:
    """Print a document: its facts, sentences and tables."""
    from rich.markup import escape
    from rich.table import Table

    from cardwatch.cli.output import out

    out.print(f"[bold]{escape(document.title)}[/]")
    for name, fact in document.facts:
        out.print(f"{name}: {fact}", markup=False, highlight=False)
    for section in document.sections:
        out.print(f"\n[bold]{escape(section.title)}[/]")
        for line in (*section.text, *(f"- {point}" for point in section.points)):
            out.print(line, markup=False, highlight=False)
        for table in section.tables:
            if not table.rows:
                out.print(table.empty)
                continue
            widths = _column_widths([table.headings, *table.rows], out.width)
            # A name or figure that is broken in two cannot be read: rather a line too long.
            width = max(out.width, sum(widths) + len(widths))
            printed = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=width)
            for number, (heading, width) in enumerate(zip(table.headings, widths, strict=True)):
                side: Literal["left", "right"] = "right" if number in table.numeric else "left"
                printed.add_column(escape(heading), justify=side, width=width)
            for row in table.rows:
                printed.add_row(*map(escape, row))
            out.print(printed, crop=False)


def _column_widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the width of each column: its longest word at least, and as much more as fits.

    Args:
        rows: the headings and every row.
        room: characters of a line, one of which follows each column.
    """
    columns = list(zip(*rows, strict=True))
    widths = [
        max(len(word) for cell in column for word in (*cell.split(), "")) for column in columns
    ]
    whole = [max(map(len, column)) for column in columns]
    spare = room - sum(widths) - len(widths)
    while spare > 0 and widths != whole:
        narrowest = max(range(len(widths)), key=lambda n: whole[n] - widths[n])
        widths[narrowest] += 1
        spare -= 1
    return widths
