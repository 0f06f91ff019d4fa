"""Commands of queries to line managers: list those that wait, and record replies."""

from __future__ import annotations

from typing import Annotated

import typer

from cardwatch.cli.context import Owner, Who, open_context, print_rows
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import AsJson  # noqa: TC001  typer reads it

queries_app = typer.Typer(
    cls=NounGroup,
    no_args_is_help=True,
    help="Queries to line managers: list those sent by email, and record replies.",
)
QUERY_COLUMNS = ("query_id", "recipient", "sent_at", "age_days", "due_on", "overdue_days",
                 "reminders", "is_open")  # fmt: skip


@queries_app.command("list", epilog="Example: cardwatch queries list")
def list_queries(
    every: Annotated[
        bool, typer.Option("--all", help="Also those that wait for no reply.")
    ] = False,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """List queries that wait for a reply, those due first before the others."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        queries = services.list_queries(context, open_only=not every)
    print_rows(queries, QUERY_COLUMNS, json=json)


@queries_app.command(
    "reply", epilog="Example: cardwatch queries reply 3f2a0c5d7e81 --by 'A. Manager' --text 'Seen'"
)
def reply(
    query: Annotated[str, typer.Argument(help="The query's id.")],
    replied_by: Annotated[str, typer.Option("--by", help="Name of the person who replied.")],
    text: Annotated[str, typer.Option(help="What they replied.")],
    replied_on: Annotated[str, typer.Option("--on", help="The day; today without it.")] = "",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Record a reply to a query. The alerts stay as they are."""
    from cardwatch import services
    from cardwatch.casebook.queries import ReplyInput

    with open_context(person, organisation) as context:
        answered = services.record_reply(context, query, ReplyInput(replied_by, text, replied_on))
    print_rows([answered], QUERY_COLUMNS, json=json)
