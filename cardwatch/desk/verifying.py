"""Verification of statements, alerts and audit chains; and deletion."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cardwatch import __version__
from cardwatch.casebook import FINANCE, LANES, PSD, Actor, Casebook, Event, raising, retention
from cardwatch.casebook import statements as kept
from cardwatch.casebook.alerts import hidden_ids, kept_texts
from cardwatch.casebook.audit import (
    ChainCheck,
    check_checkpoints,
    own_events,
    read_events,
    sign_checkpoint,
    verify_chain,
)
from cardwatch.casebook.doctor import examine
from cardwatch.casebook.tables import MANAGES
from cardwatch.casebook.work import SYSTEM
from cardwatch.desk.desk import Desk
from cardwatch.desk.handing_over import PACK
from cardwatch.desk.recipe import Recipe, read_model, read_recipe, recipe_of, score_window
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports import check_pack

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from cardwatch.scoring import Scoring


@dataclass(frozen=True)
class Check:
    """The result of verifying one statement; `fault` is empty where nothing has changed.

    Attributes:
        alerts: how many of those the actor may see were made again, byte for byte.
        note: why none could be, where that is no fault.
    """

    statement_id: str
    label: str
    fault: str
    alerts: int = 0
    note: str = ""


def verify(desk: Desk, *, again: bool = True) -> Iterator[Check]:
    """Check every statement against what was received, and make its alerts again, one by one.

    Args:
        desk: who checks: alerts of the lanes they see are compared.
        again: whether alerts are made again; otherwise rows, sums and hashes alone are checked.
    """
    event = Event("consultation", "statements", purpose="verification")
    with desk.work(event, ()) as work:
        names = [row["statement_id"] for row in kept.list_statements(work)]
    for name in names:
        yield verify_statement(desk, name, again=again)


def verify_statement(desk: Desk, statement_id: str, *, again: bool = True) -> Check:
    """Check one statement by its id, and make its alerts again; see `verify`."""
    try:
        return _verify_one(desk, statement_id, again=again)
    except (CardwatchError, TypeError, KeyError, ValueError) as error:
        fault = f"the settings it was scored with cannot be read ({type(error).__name__})"
        return Check(statement_id, statement_id, fault)


def verify_audit(desk: Desk) -> list[ChainCheck]:
    """Verify the audit chains that the actor may see: their own, and for psd both.

    Raises:
        NotAllowed: the actor holds a card.
    """
    event = Event("consultation", "audit", purpose="verification")
    with desk.work(event, desk.chains) as work:
        _check_verifies(desk)
        return [verify_chain(work, lane) for lane in work.lanes]


def verify_checkpoints(desk: Desk, key: Ed25519PublicKey, path: Path) -> ChainCheck:
    """Check that a chain still holds what a file of checkpoints, or a pack, says of it.

    Raises:
        NotAllowed: the actor holds a card.
        CardwatchError: the file cannot be read, or is of another organisation or lane; something
            in a pack is not as it was signed.
    """
    if path.suffix == PACK:
        lines = [check_pack(path, key)["checkpoint"]]
    else:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CardwatchError(f"{path} cannot be read.") from error
    event = Event("consultation", "audit", purpose="verification")
    with desk.work(event, desk.chains) as work:
        _check_verifies(desk)
        return check_checkpoints(work, key, lines, path.name)


def _check_verifies(desk: Desk) -> None:
    """Refuse somebody who holds a card: the number of events tells what others do about them.

    Raises:
        NotAllowed: they hold one.
    """
    if desk.actor.holder_id:
        raise NotAllowed("Somebody who holds no card has to verify the audit chain.")


def audit_events(
    desk: Desk, *, lane: str, last: int, before: int = 0, **wanted: str
) -> list[dict[str, Any]]:
    """Return events of a chain, the newest first; their own alone to somebody who holds a card.

    Args:
        desk: who asks.
        lane: whose chain.
        last: how many at most.
        before: number of the event before which they lie; 0 for the newest.
        **wanted: what they have to be: `action`, `object`, `role`, `actor`, `id`, `outcome`.

    Raises:
        NotAllowed: the chain is not the actor's.
    """
    with desk.work(Event("consultation", "audit"), desk.chains) as work:
        if lane not in work.lanes:
            raise NotAllowed("This role reads no such chain.")
        if desk.actor.holder_id:
            return own_events(work, lane, last=last, before=before, wanted=wanted)
        return list(read_events(work, lane, last=last, before=before, wanted=wanted))


def checkpoint(
    casebook: Casebook, organisation_id: str, key: Ed25519PrivateKey, now: dt.datetime
) -> list[Path]:
    """Sign how far an organisation's chains have come; return the files, one a chain."""
    if casebook.checkpoints is None:
        return []
    itself = Desk(casebook, Actor(organisation_id, SYSTEM, "admin"), now)
    with itself.work(Event("access", "checkpoint"), LANES) as work:
        return sign_checkpoint(work, key, casebook.checkpoints)


def keeps(desk: Desk, *, kind: str | None = None, days: int | None = None) -> dict[str, int]:
    """Return for how many days each class of data is kept, once one is set if it is named.

    Raises:
        NotAllowed: the role sets nothing.
        CardwatchError: there is no such class, or it would be too short.
    """
    with desk.work(Event("alteration" if kind else "access", "retention"), ()) as work:
        if kind is not None and days is not None:
            retention.set_keeps(work, kind, days)
        return retention.keeps_days(work)


def list_expired(desk: Desk) -> list[dict[str, Any]]:
    """Return `label`, `last_on` and `transactions` of the statements that are past their time."""
    with desk.work(Event("consultation", "statements"), ()) as work:
        rows = retention.list_expired(work)
    return [{name: row[name] for name in ("label", "last_on", "transactions")} for row in rows]


def health(desk: Desk) -> dict[str, Any]:
    """Quick health checks, and whether the model loads.

    Raises:
        NotAllowed: the role keeps no installation.
    """
    with desk.work(Event("consultation", "health"), ()) as work:
        desk.allow(MANAGES, "manage the installation")
        recipe = recipe_of(work, str(desk.now.date()))
        status = (read_model(work, recipe)[1] or "loaded") if recipe.model else "none"
    found = [asdict(one) for one in examine(desk.casebook, quickly=True)]
    kind = "SQLite" if desk.casebook.is_sqlite else "PostgreSQL"
    return {"cardwatch": __version__, "tables": desk.casebook.tables_version, "database": kind,
            "model": status, "findings": found}  # fmt: skip


def erase(desk: Desk) -> int:
    """Delete expired data and not held; return how many transactions went.

    Nothing else is said: how many alerts went would tell of professional standards' own.

    Raises:
        NotAllowed: the role erases nothing.
    """
    event = Event("erasure", "expired", chain=FINANCE)
    with desk.casebook.turn(desk.actor.organisation_id), desk.work(event, LANES) as work:
        desk.allow(MANAGES, "delete data")
        work.also.append(Event("erasure", "expired", chain=PSD))
        count = retention.erase(work)
        event.counts = {"transactions": count}
    desk.casebook.settle()
    return count


def erase_due(casebook: Casebook, clock: Callable[[], dt.datetime]) -> None:
    """Delete expired data of each organisation, unless that was done today already."""
    for row in casebook.organisations():
        itself = Desk(casebook, Actor(row["organisation_id"], SYSTEM, "admin"), clock())
        with casebook.quiet(itself.actor, itself.now, lanes=(FINANCE,), reads=True) as work:
            erasures = read_events(work, FINANCE, last=1, wanted={"action": "erasure"})
            last_at = next((one["at"] for one in erasures), "")
        if last_at < str(itself.now.date()):
            erase(itself)


def _verify_one(desk: Desk, statement_id: str, *, again: bool) -> Check:
    """Check one statement, and make its alerts again."""
    event = Event("consultation", "statement", statement_id, purpose="verification")
    with desk.work(event) as work:
        row = kept.get_statement(work, statement_id)
        label = row["label"]
        fault = kept.check_rows(work, row)
        if fault or row["erased_at"]:
            note = "deleted when it expired" if row["erased_at"] else ""
            return Check(statement_id, label, fault, note=note)
        if not again or not row["is_scored"] or not work.lanes:
            return Check(statement_id, label, "")
        recipe = Recipe(**json.loads(row["made_with"]))
        if recipe.cardwatch != __version__:
            note = f"its alerts were made by cardwatch {recipe.cardwatch}; use that version"
            return Check(statement_id, label, "", note=note)
        table = kept.read_window(work, row["seq"], row["window_from"], row["last_on"])
        if kept.rows_sha256(table) != row["input_sha256"]:
            if kept.is_any_erased(work, row["seq"], row["window_from"]):
                note = "some of the history it was scored with has been deleted"
                return Check(statement_id, label, "", note=note)
            return Check(statement_id, label, "the settings it was scored with have changed")
        used = read_recipe(work, recipe, fresh=True)
        held = {lane: kept_texts(work, lane, statement_id) for lane in work.lanes}
        hidden = hidden_ids(work, statement_id)
    scoring = score_window(table, label, used)
    faults = [_differs(scoring, lane, *told, hidden) for lane, told in held.items()]
    count = sum(len(texts.keys() - hidden) for _, texts, _ in held.values())
    return Check(statement_id, label, "; ".join(filter(None, faults)), count)


def _differs(  # noqa: PLR0913, PLR0917  what is kept of a list, and what of it is not to be named
    scoring: Scoring, lane: str, told: str, texts: dict[str, str], digest: str, hidden: set[str]
) -> str:
    """The difference between a list made again and the stored one; empty if there is none."""
    made = scoring.lists[lane]
    again = {one.alert_id: raising.alert_text(one) for one in made.alerts}
    if raising.list_text(made) != told:
        return f"the {lane} list has changed"
    if raising.texts_sha256(list(again.values())) != digest:
        return f"the {lane} alerts have changed"
    wrong = [name for name, text in texts.items() if again.get(name) != text]
    shown = [name for name in wrong if name not in hidden]
    named = f"alert {shown[0]}" if shown else "an alert"
    return f"{named} has changed" if wrong else ""
