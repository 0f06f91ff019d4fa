"""Command that lets an assistant read alerts through the service's API."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003  typer reads it
from typing import Annotated

import typer

from cardwatch.errors import CardwatchError

app = typer.Typer()
MOST_KEY_BYTES = 1_000


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
    with make_client(service, _key_in(key)) as client:
        make_server(client).run()


def _key_in(path: Path) -> str:
    """Return the API key in a file.

    Raises:
        CardwatchError: it holds none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_KEY_BYTES + 1).strip()
    except OSError as error:
        raise CardwatchError(f"'{path.name}' cannot be read ({error.strerror}).") from error
    if not re.fullmatch(rb"[!-~]+", content) or len(content) > MOST_KEY_BYTES:
        raise CardwatchError(
            f"'{path.name}' holds no API key. Save in it the key and nothing else."
        )
    return content.decode()
