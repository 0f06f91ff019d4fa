"""The command: every group put together, and its help in the order of the work."""

from __future__ import annotations

from typing import Annotated

import typer

from cardwatch import __version__
from cardwatch.cli import (
    admin,
    alerts,
    approvals,
    audit,
    casebook,
    cases,
    evaluation,
    forces,
    mcp,
    national,
    packs,
    queries,
    reading,
    registers,
    rights,
    rules,
    scoring,
    secrets,
)

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Finds split purchases and unusual merchants in procurement-card statements.",
    epilog="Exit codes: 0 done; 2 wrong usage; 3 refused, nothing changed; "
    "4 done, but some files or rows were not read; 5 verification failed.",
)
PANELS = {
    "Start here": ("demo", "score", "evaluate", "columns", "rules", "merchant"),
    "Every month": ("receive", "watch", "statements", "alerts", "decide", "suppress", "queries",
                    "export", "case"),
    "Settings": ("people", "keys", "policy", "put", "cards", "registers", "train", "pack",
                 "approvals"),
    "Evidence": ("verify", "audit", "publish", "equality", "subject-access", "mcp"),
    "Several forces": ("national", "aggregate", "benchmark"),
    "Upkeep": ("backup", "restore", "keep", "secrets", "upgrade", "doctor", "casebook", "corpus"),
}  # fmt: skip
"""The headings of the help, and the commands and groups under each, in their order."""
COMMAND_PARTS = (
    scoring,
    reading,
    evaluation,
    rules,
    casebook,
    alerts,
    admin,
    national,
    forces,
    mcp,
    rights,
    approvals,
)
COMMAND_GROUPS = {
    "queries": queries.queries_app,
    "case": cases.cases_app,
    "policy": rules.policy_app,
    "registers": registers.registers_app,
    "pack": packs.packs_app,
    "audit": audit.app,
    "keep": admin.keep_app,
    "secrets": secrets.app,
    "casebook": national.casebook_app,
}
Version = Annotated[bool, typer.Option("--version", help="Print the version.")]


@app.callback(invoke_without_command=True)
def version(version: Version = False) -> None:
    """Handle --version; the help text is the app's."""
    if version:
        typer.echo(f"cardwatch {__version__}")
        raise typer.Exit


def _arrange() -> None:
    """Add every command and group to the app, each under its heading of the help."""
    panels = {name: panel for panel, names in PANELS.items() for name in names}
    order = list(panels)
    commands = {
        command.name or command.callback.__name__: command
        for part in COMMAND_PARTS
        for command in part.app.registered_commands
        if command.callback
    }
    for name in sorted(commands, key=order.index):
        commands[name].rich_help_panel = panels[name]
        app.registered_commands.append(commands[name])
    for name in sorted(COMMAND_GROUPS, key=order.index):
        app.add_typer(COMMAND_GROUPS[name], name=name, rich_help_panel=panels[name])


_arrange()
