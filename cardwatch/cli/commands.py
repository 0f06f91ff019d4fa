"""The command: every group put together, and its help in the order of the work."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from cardwatch import __version__
from cardwatch.cli import (
    activation,  # noqa: F401  it adds its commands to the groups of others
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

if TYPE_CHECKING:
    from typer.models import CommandInfo

PANELS = {
    "Start here": ("demo", "score", "evaluate", "columns", "rules", "merchant"),
    "Every month": ("statements", "alerts", "queries", "case"),
    "Settings": ("people", "keys", "policy", "cards", "registers", "model", "pack", "approvals"),
    "Evidence": ("audit", "publish", "equality", "subject-access", "mcp"),
    "Several forces": ("national", "aggregate", "benchmark"),
    "Upkeep": ("casebook", "retention", "secrets", "corpus"),
}  # fmt: skip
"""The headings of the help, and the commands and groups under each, in their order."""
PANEL_OF = {name: panel for panel, names in PANELS.items() for name in names}


class InOrder(TyperGroup):
    """The command, with its help in the order of `PANELS`."""

    def list_commands(self, _: object) -> list[str]:
        """Return commands and groups together, in their order; names of before are not shown."""
        return [name for name in PANEL_OF if name in self.commands]


app = typer.Typer(
    cls=InOrder,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Finds split purchases and unusual merchants in procurement-card statements.",
    epilog="Exit codes: 0 done; 2 wrong usage; 3 refused, nothing changed; "
    "4 done, but some files or rows were not read; 5 verification failed.",
)
COMMAND_PARTS = (
    scoring,
    reading,
    evaluation,
    admin,
    national,
    forces,
    mcp,
    rights,
    approvals,
)
COMMAND_GROUPS = {
    "rules": rules.rules_app,
    "statements": casebook.statements_app,
    "alerts": alerts.alerts_app,
    "queries": queries.queries_app,
    "case": cases.cases_app,
    "policy": rules.policy_app,
    "cards": reading.cards_app,
    "model": scoring.model_app,
    "registers": registers.registers_app,
    "pack": packs.packs_app,
    "audit": audit.app,
    "retention": admin.retention_app,
    "secrets": secrets.app,
    "casebook": admin.casebook_app,
}
FORMER = {
    "receive": ("statements", "import"), "watch": ("statements", "watch"),
    "decide": ("alerts", "decide"), "suppress": ("alerts", "suppress"),
    "export": ("alerts", "export"), "train": ("model", "train"), "verify": ("casebook", "verify"),
    "backup": ("casebook", "backup"), "restore": ("casebook", "restore"),
    "upgrade": ("casebook", "upgrade"), "doctor": ("casebook", "check"),
}  # fmt: skip
"""Former names of commands; they still work, and no help shows them (decision 0135)."""
Version = Annotated[bool, typer.Option("--version", help="Print the version.")]


@app.callback(invoke_without_command=True)
def version(version: Version = False) -> None:
    """Handle --version; the help text is the app's."""
    if version:
        typer.echo(f"cardwatch {__version__}")
        raise typer.Exit


def _named(app: typer.Typer) -> dict[str, CommandInfo]:
    """The commands of an app or group by their names."""
    return {
        command.name or command.callback.__name__: command
        for command in app.registered_commands
        if command.callback
    }


def _arrange() -> None:
    """Add every command and group to the app, each under its heading of the help."""
    for part in COMMAND_PARTS:
        for name, command in _named(part.app).items():
            command.rich_help_panel = PANEL_OF[name]
            app.registered_commands.append(command)
    for name, group in COMMAND_GROUPS.items():
        app.add_typer(group, name=name, rich_help_panel=PANEL_OF[name])
    for name, (noun, verb) in FORMER.items():
        former = copy(_named(COMMAND_GROUPS[noun])[verb])
        former.name, former.hidden = name, True
        app.registered_commands.append(former)


_arrange()
