"""Command of what needs two people: list requests, approve or reject one."""

from __future__ import annotations

from typing import Annotated

import typer

from cardwatch.cli.context import Owner, Who, open_context, print_rows
from cardwatch.cli.options import AsJson  # noqa: TC001  typer reads it

app = typer.Typer()


@app.command(epilog="Example: cardwatch approvals 3f2a0c91b7de --approve --as you@force.example")
def approvals(
    request: Annotated[str | None, typer.Argument(help="The request's id.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve it.")] = False,
    reject: Annotated[
        bool, typer.Option("--reject", help="Reject it, or withdraw your own.")
    ] = False,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """List what needs a second person, or approve or reject a request."""
    from cardwatch import services

    if request and approve == reject:
        raise typer.BadParameter("choose '--approve' or '--reject'", param_hint="REQUEST")
    with open_context(person, organisation) as context:
        if request:
            services.decide_approval(context, request, agrees=approve)
        rows = services.list_approvals(context)
    print_rows(rows, ("approval_id", "kind", "state", "made_at", "expires_at"), json=json)
