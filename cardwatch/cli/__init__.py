"""The command: errors become one message on standard error and an exit code."""

from __future__ import annotations

import os
import sys
from copy import copy
from typing import TYPE_CHECKING

from typer.main import get_command_name

from cardwatch.cli.commands import app
from cardwatch.cli.options import DONE, REFUSED
from cardwatch.cli.terminal_text import printable
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    import typer


def named_command(name: str) -> typer.Typer:
    """Return the app with nothing but one of its commands, or all of it if there is none so called.

    Building all seventy takes a twentieth of a small scoring.
    """
    chosen = copy(app)
    chosen.registered_commands = [
        command
        for command in app.registered_commands
        if (command.name or get_command_name(getattr(command.callback, "__name__", ""))) == name
    ]
    chosen.registered_groups = [group for group in app.registered_groups if group.name == name]
    return chosen if chosen.registered_commands or chosen.registered_groups else app


def main() -> None:
    """Run the command."""
    try:
        named_command(sys.argv[1] if len(sys.argv) > 1 else "")()
    except CardwatchError as refusal:
        sys.stderr.write(printable(f"cardwatch: {refusal}\n"))
        sys.exit(REFUSED)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)


__all__ = ["app", "main"]
