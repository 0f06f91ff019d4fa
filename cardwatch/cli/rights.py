"""Commands about people's rights: equality monitoring and subject-access packs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cardwatch import installation
from cardwatch.cli.context import Owner, Who, open_context, write_file
from cardwatch.cli.forces import print_document
from cardwatch.cli.options import busy, reading_choices

app = typer.Typer()
GroupsFile = Annotated[
    Path | None,
    typer.Argument(help="Groups of cardholders; without it, units are compared. Not kept."),
]
Quarter = Annotated[str, typer.Option(help="Twelve months up to its end, such as 2026-Q3.")]
PdfFile = Annotated[Path | None, typer.Option("--out", help="Write it as PDF to this file.")]


@app.command(epilog="Example: cardwatch equality groups.csv --quarter 2026-Q3")
def equality(
    quarter: Quarter,
    file: GroupsFile = None,
    path: PdfFile = None,
    person: Who = None,
    organisation: Owner = None,
) -> None:
    """Compare how often groups of cardholders are asked about, with what chance does."""
    from cardwatch import services
    from cardwatch.registers import read_groups
    from cardwatch.reports import pdf_of

    groups = read_groups(file, reading_choices(None, "decide")) if file else None
    with open_context(person, organisation) as context, busy("Comparing groups"):
        document = services.report_equality(
            context, quarter, groups, marking=installation.marking()
        )
    if path is None:
        print_document(document)
    else:
        write_file(path, pdf_of(document))


@app.command(
    "subject-access", epilog="Example: cardwatch subject-access E1042 --out 'subject access.zip'"
)
def subject_access(
    identifiers: Annotated[
        list[str], typer.Argument(help="Numbers and names by which statements know the person.")
    ],
    path: Annotated[Path, typer.Option("--out", help="The ZIP file to write.")],
    person: Who = None,
    organisation: Owner = None,
) -> None:
    """Write what is held about a cardholder, to answer their request; nobody else is named."""
    from cardwatch import services
    from cardwatch.cli.output import out

    with open_context(person, organisation) as context, busy("Gathering what is held"):
        content = services.make_subject_access_pack(
            context, identifiers, marking=installation.marking(), key=installation.signing_key()
        )
    write_file(path, content)
    out.print(f"Written: {path}. Read it before you send it.", markup=False)
