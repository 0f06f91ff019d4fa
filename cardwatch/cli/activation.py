"""Commands that set the active policy, card register or model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch.cli.context import Owner, Who, open_context, print_rows, read_text
from cardwatch.cli.options import AsJson, OneFile, reading_choices
from cardwatch.cli.reading import cards_app
from cardwatch.cli.rules import policy_app
from cardwatch.cli.scoring import model_app

if TYPE_CHECKING:
    from cardwatch.services import ServiceContext

Since = Annotated[
    str, typer.Option("--from", help="First day on which it applies; today if empty.")
]
ModelFolder = Annotated[
    Path | None, typer.Argument(help="The model's folder; if empty, a model is trained.")
]


def _activate(
    context: ServiceContext, kind: str, content: bytes, since: str, *, json: bool
) -> None:
    """Set what is active from a day on, and print its hash."""
    from cardwatch import services

    digest = services.activate_document(context, kind, content, since or str(context.now.date()))
    print_rows([{"kind": kind, "sha256": digest}], ("kind", "sha256"), json=json)


@policy_app.command(
    "activate", epilog="Example: cardwatch policy activate policy.toml --from 2026-04-01"
)
def activate_policy(
    file: OneFile, since: Since = "", person: Who = None, organisation: Owner = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Set the active policy."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        content = services.pack_policy(read_text(file), file.name)
        _activate(context, "policy", content, since, json=json)


@cards_app.command("activate", epilog="Example: cardwatch cards activate register.csv")
def activate_cards(
    file: OneFile, since: Since = "", person: Who = None, organisation: Owner = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Set the active card register."""
    from cardwatch import services
    from cardwatch.registers import read_cards

    with open_context(person, organisation) as context:
        content = services.pack_cards(read_cards(file, reading_choices(None, "decide")))
        _activate(context, "cards", content, since, json=json)


@model_app.command("activate", epilog="Example: cardwatch model activate models/ourforce")
def activate_model(
    folder: ModelFolder = None, since: Since = "", person: Who = None, organisation: Owner = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Set the active anomaly model; without a folder one is trained on the casebook's payments."""
    from cardwatch import services
    from cardwatch.forest import load_forest

    if folder is None and since:
        raise typer.BadParameter(
            "a model that is trained now applies from today; name a folder to choose the day",
            param_hint="--from",
        )
    with open_context(person, organisation) as context:
        if folder is None:
            digest = services.retrain_model(context)
            print_rows([{"kind": "model", "sha256": digest}], ("kind", "sha256"), json=json)
        else:
            content = services.pack_forest(load_forest(folder), folder.name)
            _activate(context, "model", content, since, json=json)
