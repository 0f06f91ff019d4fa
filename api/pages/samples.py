"""Pages of random samples for spot checks."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.handing import as_file
from api.pages.page import field_errors, filled, number, render
from api.rendering import people
from cardwatch import desk
from cardwatch.desk.sampling import CLOSED, LARGEST_SEED, OF
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports import csv_text, safe_text, sample_filename

router = APIRouter()
ASKED = ("of", "count", "seed", "statement_id", "since", "until", "by_money")
SIZES = tuple((share, desk.needed(share)) for share in (0.10, 0.05, 0.02, 0.01))
"""How many have to be looked at, and all be right, for each share."""
COLUMNS = {
    "payments": ("date", "holder_id", "merchant", "amount_pence", "transaction_id", "label", "row"),
    "closed-alerts": ("last_on", "people", "merchants", "at_stake_pence", "alert_id", "rule",
                      "state"),
}  # fmt: skip
HEADINGS = {
    "payments": ("Day", "Cardholder", "Merchant", "Amount (£)", "Reference", "File", "Row"),
    "closed-alerts": (
        "Last day",
        "Cardholder",
        "Merchant",
        "At stake (£)",
        "Alert",
        "Rule",
        "State",
    ),
}


@router.get("/samples")
def show_sample(request: Request, at: At) -> Response:
    """Show the form for a sample, or the sample, ready to print."""
    asked = {k: v for k, v in filled(request.query_params).items() if k in ASKED}
    if "seed" not in asked:
        return _sample_page(request, at, asked, {}, None)
    try:
        found = _drawn(at, asked)
    except CardwatchError as refusal:
        return _sample_page(request, at, asked, field_errors(refusal), None)
    return _sample_page(request, at, asked, {}, found)


def _drawn(at: At, asked: dict[str, str]) -> dict[str, Any]:
    """Draw a sample; holders have the names that the caller is shown."""
    draw = desk.Draw(
        of=asked.get("of", "payments"),
        count=number(asked.get("count", "59")),
        seed=number(asked["seed"]),
        statement_id=asked.get("statement_id", ""),
        since=asked.get("since", ""),
        until=asked.get("until", ""),
        by_money="by_money" in asked,
    )
    found = desk.draw_sample(at, draw)
    if draw.of == CLOSED:
        names = desk.mask(at, desk.people_of(found["drawn"]))
        for row in found["drawn"]:
            row["people"] = people(row, names)
            row["merchants"] = ", ".join(row["merchants"])
    else:
        names = desk.mask(at, {row["holder_id"] for row in found["drawn"]})
        for row in found["drawn"]:
            row["holder_id"] = names[row["holder_id"]]
    return found


def _sample_page(
    request: Request,
    at: At,
    asked: dict[str, str],
    errors: dict[str, str],
    found: dict[str, Any] | None,
) -> Response:
    if not at.actor.lanes:
        raise NotAllowed("Your role cannot see alerts.")
    of = asked.get("of", "payments") if asked.get("of") in OF else "payments"
    held = [
        {"value": row["statement_id"], "label": row["label"]}
        for row in reversed(desk.list_statements(at))
        if row["superseded_by"] is None and row["erased_at"] is None
    ]
    return render(
        request, "sample.html", errors=errors, asked=asked,
        held=held, of=of, kinds=OF, sizes=SIZES, found=found, headings=HEADINGS[of],
        columns=COLUMNS[of], again=urlencode(asked),
        at_most=desk.at_most(len(found["drawn"])) if found else 0.0,
        new_seed=secrets.randbelow(LARGEST_SEED),
    )  # fmt: skip


@router.get("/samples.csv")
def get_sample(request: Request, at: At) -> Response:
    """Give a sample as CSV, with a column for what was found."""
    asked = {k: v for k, v in filled(request.query_params).items() if k in ASKED}
    if "seed" not in asked:
        raise CardwatchError("Enter a seed, so that the same sample can be drawn again.")
    found = _drawn(at, asked)
    of = asked.get("of", "payments")
    rows = [[*(_cell(row[name], name) for name in COLUMNS[of]), ""] for row in found["drawn"]]
    text = csv_text([(*HEADINGS[of], "Result of the check"), *rows])
    return as_file(text, sample_filename(of, asked["seed"]))


def _cell(value: object, name: str) -> object:
    """Return a cell that is safe in a spreadsheet; pence as pounds."""
    if isinstance(value, int):
        return value / 100 if name.endswith("_pence") else value
    return safe_text(str(value))
