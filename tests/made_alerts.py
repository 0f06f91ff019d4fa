"""Alerts made by hand: one about two cardholders and two merchants, one about a card alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import LANES, AuditEvent, alert_store
from cardwatch.records import Alert, AlertCard, AlertList, Payment, Reason

if TYPE_CHECKING:
    from cardwatch import services
    from cardwatch.services import Receipt

LINES = [
    "2026-10-05,E1,ROOFING CO,732.16,B1",
    "2026-10-06,E2,TILE SHOP,90.00,B2",
    "2026-10-07,E3,TILE SHOP,12.00,B3",
]
"""The payments that the alerts are about."""
PAYMENTS = (("E1", "ROOFING CO", "2026-10-05", 73_216), ("E2", "TILE SHOP", "2026-10-06", 9_000),
            ("E3", "TILE SHOP", "2026-10-07", 1_200))  # fmt: skip


def make_alert(
    alert_id: str, rows: tuple[int, ...], label: str, lane: str = "finance", card: str = ""
) -> Alert:
    """Return an alert about some of `PAYMENTS`, or about the card of a cardholder."""
    chosen = [(row, *PAYMENTS[row]) for row in rows]
    fact = f"{len(rows)} payments together. Only about 1 in 900 is as high."
    reason = Reason("split-same-day", "A split purchase", fact, "Why.", ("Ask?",), ("So.",), {})
    holders = tuple(dict.fromkeys(one[1] for one in chosen)) or (card,)
    return Alert(
        alert_id=alert_id,
        rank=1,
        tier="A",
        lane=lane,
        kind="split" if rows else "card",
        title=reason.title,
        holders=holders,
        merchants=tuple(dict.fromkeys(one[2] for one in chosen)),
        cost_centres=tuple(f"UNIT {holder}" for holder in holders),
        first_on=min((one[3] for one in chosen), default="2026-10-31"),
        last_on=max((one[3] for one in chosen), default="2026-10-31"),
        at_stake_pence=sum(one[4] for one in chosen),
        chance=0.001,
        unusualness=None,
        reasons=(reason,),
        weakened_by=(),
        unusual=(),
        merchant_history="",
        payments=tuple(
            Payment(f"B{row + 1}", label, row + 2, date, holder, merchant, pence)
            for row, holder, merchant, date, pence in chosen
        ),
        cards=(AlertCard("card 1", "1234", card),) if card else (),
    )


BOTH, CARD, ALONE, THEIRS = "aaaa00000001", "bbbb00000002", "cccc00000003", "dddd00000004"
"""Ids: about two cardholders and two merchants, a card, one payment, and of psd's lane."""


def raise_alerts(at: services.ServiceContext, statement: Receipt) -> None:
    """Keep the alerts for a statement of `LINES` that was kept as history."""
    label = statement.label
    made = {
        "finance": (
            make_alert(BOTH, (0, 1), label),
            make_alert(CARD, (), label, card="E4"),
            make_alert(ALONE, (2,), label),
        ),
        "psd": (make_alert(THEIRS, (0,), label, lane="psd"),),
    }
    places = {(label, row): (statement.statement_id, row) for row in range(2, 5)}
    with at.work(AuditEvent("collection", "alerts"), LANES) as uow:
        for lane, alerts in made.items():
            listed = AlertList("x", alerts, 3, "2026-10-05", "2026-10-07", None, None, (), {})
            source = alert_store.Source(lane, statement.statement_id, places, {"E3": ["E1"]})
            alert_store.keep_list(uow, source, listed)
        uow.extra_events.append(AuditEvent("collection", "alerts", chain="psd"))
