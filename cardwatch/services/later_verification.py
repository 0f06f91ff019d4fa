"""Makes lists that registers raised later again, to compare them with what is stored."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardwatch import __version__
from cardwatch.casebook import alert_store
from cardwatch.casebook.alerts import kept_texts
from cardwatch.casebook.later_alerts import later_lists, received_on
from cardwatch.casebook.registers import is_any_erased, parse_registers
from cardwatch.errors import NotFound
from cardwatch.services.register_checks import made_again
from cardwatch.services.register_inputs import load_registers
from cardwatch.services.scoring_inputs import LoadedInputs, ScoringInputs, load_inputs

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import LaterList
    from cardwatch.records import AlertList


@dataclass(frozen=True)
class StoredLater:
    """A list that a register raised later, as it is stored, and what it was made with.

    Attributes:
        loaded: None where a version of a register is not as it was kept.
        cannot_be_made: whether another version of cardwatch made it, or its registers were deleted.
        received: day on which each file of a register was received, by its hash.
        stored: as `kept_texts` gives it.
    """

    row: LaterList
    loaded: LoadedInputs | None
    cannot_be_made: bool
    received: dict[str, str]
    stored: tuple[str, dict[str, str], str]


def stored_later(uow: UnitOfWork, statement_id: str) -> list[StoredLater]:
    """Return the lists that registers raised later for a statement, as they are stored."""
    return [
        _later(uow, row, kept_texts(uow, row["lane"], statement_id, row["seq"]))
        for row in later_lists(uow, statement_id)
    ]


def _later(uow: UnitOfWork, row: LaterList, stored: tuple[str, dict[str, str], str]) -> StoredLater:
    """Return a later list with what it was made with, read again from the database."""
    recipe = ScoringInputs(**json.loads(row["made_with"]))
    is_other = recipe.cardwatch != __version__
    versions = parse_registers(row["registers"])
    try:
        registers = load_registers(uow, versions, fresh=True)
    except NotFound:
        return StoredLater(row, None, is_other or is_any_erased(uow, versions), {}, stored)
    loaded = None if is_other else replace(load_inputs(uow, recipe), registers=registers)
    return StoredLater(row, loaded, is_other, received_on(uow), stored)


def later_differs(table: pd.DataFrame, label: str, later: StoredLater, hidden: set[str]) -> str:
    """The difference between a later list made again and the stored one; empty without one."""
    if later.cannot_be_made:
        return ""
    if later.loaded is None:
        return "a version of a register it was compared with later has changed"
    remade = made_again(table, label, later.loaded, later.row, later.received, later.stored[1])
    return differs(remade, later.row["lane"], *later.stored, hidden)


def differs(  # noqa: PLR0913, PLR0917  what is kept of a list, and what of it is not to be named
    alert_list: AlertList,
    lane: str,
    list_text: str,
    texts: dict[str, str],
    digest: str,
    hidden: set[str],
) -> str:
    """The difference between a list made again and the stored one; empty if there is none."""
    again = {
        raised_alert.alert_id: alert_store.alert_text(raised_alert)
        for raised_alert in alert_list.alerts
    }
    if alert_store.list_text(alert_list) != list_text:
        return f"the {lane} list has changed"
    if alert_store.texts_sha256(list(again.values())) != digest:
        return f"the {lane} alerts have changed"
    wrong = [name for name, text in texts.items() if again.get(name) != text]
    visible_ids = [name for name in wrong if name not in hidden]
    alert_name = f"alert {visible_ids[0]}" if visible_ids else "an alert"
    return f"{alert_name} has changed" if wrong else ""
