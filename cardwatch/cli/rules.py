"""The commands that show the rules and the figures they compare with."""

from __future__ import annotations

import json as json_text
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from cardwatch.cli.options import AsJson, OneFile  # noqa: TC001  typer reads them
from cardwatch.errors import CardwatchError

app = typer.Typer()
policy_app = typer.Typer(no_args_is_help=True, help="Check a policy file, or show the defaults.")
RuleName = Annotated[str | None, typer.Argument(help="A rule to show in full.")]


@app.command(epilog="Example: cardwatch rules split-same-day")
def rules(name: RuleName = None, json: AsJson = False) -> None:
    """List the rules, or show one in full: conditions, reasons, what to ask, sources."""
    from rich.markdown import Markdown
    from rich.table import Table

    from cardwatch.cli.output import out
    from cardwatch.rules import load_rules, rule_page

    rule_by_id = {rule.id: rule for rule in load_rules()}
    if name is not None and name not in rule_by_id:
        raise CardwatchError(f"There is no rule '{name}'. 'cardwatch rules' lists them.")
    if json:
        chosen = [rule_by_id[name]] if name else list(rule_by_id.values())
        typer.echo(json_text.dumps([asdict(rule) for rule in chosen], default=str, indent=2))
    elif name:
        out.print(Markdown(rule_page(rule_by_id[name])))
    else:
        table = Table("Rule", "Rule", "Kind", "Level", "Lane", "Role", box=None, pad_edge=False)
        for rule in rule_by_id.values():
            table.add_row(rule.id, rule.title, rule.kind, rule.level, rule.lane, rule.role)
        out.print(table)


@policy_app.command("check", epilog="Example: cardwatch policy check policy.toml")
def policy_check(file: OneFile) -> None:
    """Check a policy file and list every fault."""
    from cardwatch.policy import LIMIT_KINDS, load_policy

    figures = load_policy(file)
    stated = [name for name in LIMIT_KINDS if getattr(figures, name)[0].stated]
    typer.echo(f"{file.name}: no faults. Limits stated: {', '.join(stated) or 'none'}.")
    for name in stated:
        if first := figures.no_limit_before(name):
            typer.echo(f"Payments before {first} are compared with no {name} limit.")


@policy_app.command("show", epilog="Example: cardwatch policy show > policy.toml")
def policy_show() -> None:
    """Print the default policy, to start a policy file from."""
    from cardwatch.policy import default_policy_text

    sys.stdout.write(default_policy_text())
