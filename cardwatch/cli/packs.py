"""Commands of policy packs: make and show one, test, propose and approve it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardwatch import installation
from cardwatch.cli.context import (
    Owner,
    Reason,
    Who,
    open_context,
    print_json,
    print_rows,
    read_bytes,
    read_text,
    write_file,
)
from cardwatch.cli.options import AsJson, busy

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from cardwatch.services import ServiceContext

packs_app = typer.Typer(
    no_args_is_help=True,
    help="Policy packs that forces share: make and show one, test, propose and approve it.",
)
PackFile = Annotated[Path, typer.Argument(help="The pack.", exists=True, dir_okay=False)]
PROPOSAL_COLUMNS = ("proposal_id", "kind", "state", "effective_from")
UNIT_COLUMNS = ("list", "unit", "holders_newly_asked", "newly_asked", "no_longer_asked")


@packs_app.command(
    "make",
    epilog="Example: cardwatch pack make pack.toml --out pack.json",
)
def make(
    about: Annotated[
        Path,
        typer.Argument(
            help="TOML with name, owner, version, published_on, review_on, and [policy].",
            exists=True,
            dir_okay=False,
        ),
    ],
    path: Annotated[Path, typer.Option("--out", help="The file to write.")],
    rules: Annotated[
        Path | None,
        typer.Option(help="Folder of every rule file; without it the rules of this version."),
    ] = None,
) -> None:
    """Make a signed pack of a policy and a set of rules."""
    from cardwatch.bounded import read_toml
    from cardwatch.cli.output import out
    from cardwatch.errors import CardwatchError
    from cardwatch.policy_pack import PolicyPack, make_pack, open_pack
    from cardwatch.rules import rule_texts
    from cardwatch.toml_text import policy_toml

    texts = rule_texts()
    if rules:
        texts = {file.name: read_text(file) for file in sorted(rules.glob("*.toml"))}
    facts = read_toml(read_text(about), about.name)
    policy = facts.pop("policy", {})
    names = ("name", "owner", "version", "published_on", "review_on")
    if set(facts) != set(names) or not isinstance(policy, dict):
        raise CardwatchError(f"{about.name}: state {', '.join(names)} and [policy].")
    values = {name: str(facts[name]) for name in names}
    pack = PolicyPack(policy=policy_toml(policy), rules=texts, **values)
    content = make_pack(pack, installation.signing_key())
    write_file(path, content)
    fingerprint = open_pack(path.name, content).fingerprint
    out.print(
        f"Written: {path}. Tell forces the fingerprint of your key: {fingerprint}.",
        markup=False,
        soft_wrap=True,
    )


@packs_app.command("show", epilog="Example: cardwatch pack show pack.json")
def show(
    file: PackFile, person: Who = None, organisation: Owner = None, json: AsJson = False
) -> None:
    """Show what a pack would change of the active policy and rules."""
    from cardwatch import services
    from cardwatch.cli.output import out

    with open_context(person, organisation) as context:
        change = services.preview_pack(context, read_bytes(file))
    figures = {
        "before_after": [asdict(row) for row in change["before_after"]],
        "own_figures": [asdict(row) for row in change["own_figures"]],
    }
    if json:
        print_json({**change, **figures})
        return
    for name, fact in change["pack"].items():  # hashes and fingerprints whole: they are compared
        out.print(f"{name.replace('_', ' ')}: {fact}", markup=False, soft_wrap=True)
    for note in change["notes"]:
        typer.echo(note)
    typer.echo("\nChanges of the active policy:")
    print_rows(figures["before_after"], ("label", "before", "after"), json=False)
    typer.echo("\nOwn figures on top of the pack:")
    own = [
        {"label": row["label"], "the pack's": row["before"], "your own": row["after"]}
        for row in figures["own_figures"]
    ]
    print_rows(own, ("label", "the pack's", "your own"), json=False)
    typer.echo("\nChanges of the active rules:")
    rules = change["rules"]
    for words, ids in (
        ("Added", rules["added"]),
        ("Removed", rules["removed"]),
        ("Changed", rules["changed"]),
    ):
        typer.echo(f"{words}: {', '.join(ids) or 'none'}")


@packs_app.command("test", epilog="Example: cardwatch pack test pack.json --months 3")
def back_test(
    file: PackFile,
    months: Annotated[
        int, typer.Option(min=1, max=24, help="How many of the newest statements.")
    ] = 3,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Test a pack on past statements: who would newly be asked, by list and unit."""
    from cardwatch import installation, services
    from cardwatch.casebook.tables import POLICY_PACK
    from cardwatch.errors import CardwatchError

    with open_context(person, organisation) as context:
        seal = installation.seal()
        job = services.queue_back_test(context, POLICY_PACK, read_bytes(file), months, seal)
        with busy("Scoring past statements"):
            answer = _result(context, job["job_id"], seal)
    if "units" not in answer:
        raise CardwatchError(str(answer["detail"]))
    rows = [
        {"list": lane} | counts | {"unit": counts["unit"] or "all units"}
        for lane, units in answer["units"].items()
        for counts in units
    ]
    if json:
        print_json({"job_id": job["job_id"], "units": rows})
        return
    print_rows(rows, UNIT_COLUMNS, json=False)
    typer.echo(f"Propose it with: cardwatch pack propose {job['job_id']} --reason 'WHY'")


def _result(context: ServiceContext, job_id: str, seal: MultiFernet) -> dict[str, Any]:
    """Do the trials that wait until one is done, and return its answer."""
    from cardwatch import services

    while (job := services.get_job(context, job_id))["answer"] is None:
        services.do_next_job(context.casebook, lambda: context.now, seal, services.TRIALS)
    return job["answer"]


@packs_app.command("propose", epilog="Example: cardwatch pack propose 0f3a5c7e9b12 --reason 'new'")
def propose(
    job: Annotated[str, typer.Argument(help="The back-test that 'cardwatch pack test' names.")],
    reason: Reason,
    since: Annotated[
        str, typer.Option("--from", help="First day on which it applies; today if empty.")
    ] = "",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Propose a pack that was tested; another person has to approve it."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        row = services.propose_pack(context, job, effective_from=since, reason=reason)
    print_rows([row], PROPOSAL_COLUMNS, json=json)


@packs_app.command("approve", epilog="Example: cardwatch pack approve 5b1c0d9e8f7a --as NAME")
def approve(
    proposal: Annotated[str, typer.Argument(help="The proposal's id.")],
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Approve another person's proposal, which activates it."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        row = services.decide_proposal(context, proposal, agrees=True)
    print_rows([row], PROPOSAL_COLUMNS, json=json)
