"""Command that lets an assistant read alerts through the service's API."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads it
from typing import Annotated

import typer

from cardwatch.errors import CardwatchError

app = typer.Typer()


@app.command(
    epilog="Example: cardwatch mcp --service https://cardwatch.force.example --key auditor.key"
)
def mcp(
    service: Annotated[str, typer.Option(help="Address of the service.")],
    key: Annotated[
        Path, typer.Option(help="File with an API key that reads; only its owner may read it.")
    ],
) -> None:
    """Let an assistant read alerts, by the Model Context Protocol on standard input and output.

    It sees days, sums, codes and rules; cardholders and merchants are numbers, and no text of a
    statement reaches it. It changes nothing.
    """
    from cardwatch.tabular import check_private

    try:
        from cardwatch.mcp_server import make_client, make_server
    except ModuleNotFoundError as error:
        raise CardwatchError("This needs pip install 'cardwatch[mcp]'.") from error
    check_private(key)
    with make_client(service, key.read_text(encoding="utf-8").strip()) as client:
        make_server(client).run()
