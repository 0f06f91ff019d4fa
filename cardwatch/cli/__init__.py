"""The command: errors become one message on standard error and an exit code."""

import os
import sys

from cardwatch.cli.commands import app
from cardwatch.cli.options import DONE, REFUSED
from cardwatch.cli.terminal_text import printable
from cardwatch.errors import CardwatchError


def main() -> None:
    """Run the command."""
    try:
        app()
    except CardwatchError as refusal:
        sys.stderr.write(printable(f"cardwatch: {refusal}\n"))
        sys.exit(REFUSED)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)


__all__ = ["app", "main"]
