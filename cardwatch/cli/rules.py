"""The commands that show the rules and the figures they compare with."""

from __future__ import annotations

import json as json_text
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch.cli.context import Owner, Who, open_context, print_rows
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import AsJson, OneFile  # noqa: TC001  typer reads them
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.rules import Rule

rules_app = typer.Typer(
    cls=NounGroup, no_args_is_help=True, help="List or show rules, and how often each was upheld."
)
policy_app = typer.Typer(
    no_args_is_help=True, help="Check a policy file, show the defaults, or set the active policy."
)
RuleName = Annotated[str, typer.Argument(help="The rule's id.")]


@rules_app.command("list", epilog="Example: cardwatch rules list")
def list_rules(json: AsJson = False) -> None:
    """List the rules."""
    from rich.table import Table

    from cardwatch.cli.output import out
    from cardwatch.rules import load_rules

    if json:
        _print_rules(load_rules())
        return
    table = Table("Rule", "Title", "Kind", "Level", "Lane", "Role", box=None, pad_edge=False)
    for rule in load_rules():
        table.add_row(rule.id, rule.title, rule.kind, rule.level, rule.lane, rule.role)
    out.print(table)


@rules_app.command("show", epilog="Example: cardwatch rules show split-same-day")
def show_rule(name: RuleName, json: AsJson = False) -> None:
    """Show a rule in full: conditions, reasons, what to ask, sources."""
    from rich.markdown import Markdown

    from cardwatch.cli.output import out
    from cardwatch.rules import load_rules, rule_page

    chosen = [rule for rule in load_rules() if rule.id == name]
    if not chosen:
        raise CardwatchError(f"There is no rule '{name}'. 'cardwatch rules list' lists them.")
    if json:
        _print_rules(chosen)
    else:
        out.print(Markdown(rule_page(chosen[0])))


def _print_rules(rules: Iterable[Rule]) -> None:
    typer.echo(json_text.dumps([asdict(rule) for rule in rules], default=str, indent=2))


@rules_app.command("precision", epilog="Example: cardwatch rules precision")
def show_precision(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """Show how often each rule's alerts were upheld."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        rates_by_lane = services.rule_precision(context)
    rows = [
        {"lane": lane} | asdict(rate) for lane, rates in rates_by_lane.items() for rate in rates
    ]
    print_rows(rows, ("lane", "rule", "band", "answered", "upheld", "share", "low", "high",
                       "expected", "orders"), json=json)  # fmt: skip


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
