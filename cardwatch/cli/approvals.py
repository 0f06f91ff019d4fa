"""Command of what needs two people: list requests, approve or reject one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch.cli.context import Owner, Who, open_context, print_json, print_rows
from cardwatch.cli.options import AsJson  # noqa: TC001  typer reads it

if TYPE_CHECKING:
    from cardwatch.casebook.rows import Approval

app = typer.Typer()
SHOWN = ("approval_id", "kind", "state", "made_at", "expires_at")


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
    """List what needs a second person; show, approve or reject a request.

    Without '--approve' or '--reject' a request is shown whole: of a register, every entry that it
    leaves out, changes or adds.
    """
    from cardwatch import services

    if approve and reject:
        raise typer.BadParameter("choose '--approve' or '--reject'", param_hint="REQUEST")
    with open_context(person, organisation) as context:
        if request and not approve and not reject:
            _show(services.get_approval(context, request), json=json)
            return
        if request:
            services.decide_approval(context, request, agrees=approve)
        rows = services.list_approvals(context)
    print_rows(rows, SHOWN, json=json)


def _show(approval: Approval, *, json: bool) -> None:
    """Print a request whole."""
    if json:
        print_json(approval)
        return
    print_rows([dict(approval)], SHOWN, json=False)
    scope = [{"asked for": name, "value": str(value)} for name, value in approval["scope"].items()]
    print_rows(scope, ("asked for", "value"), json=False)
    changes = [
        {
            "effect": change["effect"],
            "about": change["subject"],
            "row": change["row"],
            "field": field["heading"],
            "before": field["before"],
            "after": field["after"],
        }
        for change in approval.get("changes", ())
        for field in change["fields"]
    ]
    if changes:
        print_rows(changes, ("effect", "about", "row", "field", "before", "after"), json=False)
