"""Options and exit codes that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch import installation

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cardwatch.statements import ReadingChoices

DONE, USAGE, REFUSED, PARTLY, FAULTY = 0, 2, 3, 4, 5
"""Exit codes: all done; wrong usage; refused, nothing changed; done, but not everything was read;
verification failed."""

ColumnsFile = Annotated[
    Path | None,
    typer.Option("--columns", help="A column profile; remembered for files with its headings."),
]
DateOrder = Annotated[str, typer.Option(help="decide, day-first or month-first.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]
Files = Annotated[
    list[Path], typer.Argument(help="Statements, or folders of them.", show_default=False)
]
OneFile = Annotated[Path, typer.Argument(help="The file.", show_default=False)]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="The organisation's figures (TOML).")
]
Overlap = Annotated[
    str, typer.Option(help="Rows that two files share: keep both, or count them once.")
]
CardsFile = Annotated[
    Path | None,
    typer.Option("--cards", help="The card register: holders, limits, approvers, dates."),
]
Lane = Annotated[str, typer.Option(help="finance, psd or all.")]


def busy(activity: str) -> AbstractContextManager[object]:
    """Show that work is going on, to a person who watches."""
    from cardwatch.cli import output

    return output.busy(activity)


def one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a value that is not allowed."""
    if value not in allowed:
        raise typer.BadParameter(f"one of {', '.join(allowed)}", param_hint=option)


def reading_choices(columns: Path | None, date_order: str, overlap: str = "keep") -> ReadingChoices:
    """The choices for reading statements; a wrong one is refused."""
    from cardwatch.statements import ReadingChoices

    one_of("--overlap", overlap, ("keep", "once"))
    one_of("--date-order", date_order, ("decide", "day-first", "month-first"))
    profiles, given_count = installation.profiles(columns), 1 if columns else 0
    return ReadingChoices(profiles, installation.card_key(), date_order, given_count)
