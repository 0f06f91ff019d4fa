"""Pages of random samples for spot checks."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import Context
from api.downloads import as_file
from api.quotas import ExportContext
from api.templating import people
from api.web.base import field_errors, nonempty, number, render
from cardwatch import services
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports import csv_text, safe_text, sample_filename
from cardwatch.services.answers import Sample
from cardwatch.services.sampling import CLOSED, LARGEST_SEED, OF

router = APIRouter()
ASKED = ("of", "count", "seed", "statement_id", "since", "until", "by_money")
SIZES = tuple((share, services.sample_size(share)) for share in (0.10, 0.05, 0.02, 0.01))
"""How many have to be looked at, and all be right, for each share."""
SAMPLE_COLUMNS = {
    "payments": ("date", "holder_id", "merchant", "amount_pence", "transaction_id", "label", "row"),
    "closed-alerts": ("last_on", "people", "merchants", "at_stake_pence", "alert_id", "rule",
                      "state"),
}  # fmt: skip
SAMPLE_HEADINGS = {
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
def show_sample(request: Request, context: Context) -> Response:
    """Show the form for a sample, or the sample, ready to print."""
    query = {k: v for k, v in nonempty(request.query_params).items() if k in ASKED}
    if "seed" not in query:
        return _sample_page(request, context, query, {}, None)
    try:
        sample = _drawn(context, query)
    except CardwatchError as refusal:
        return _sample_page(request, context, query, field_errors(refusal), None)
    return _sample_page(request, context, query, {}, sample)


def _drawn(context: Context, query: dict[str, str]) -> Sample:
    """Draw a sample; holders have the names that the caller is shown."""
    draw = services.SampleRequest(
        of=query.get("of", "payments"),
        count=number(query.get("count", "59")),
        seed=number(query["seed"]),
        statement_id=query.get("statement_id", ""),
        since=query.get("since", ""),
        until=query.get("until", ""),
        by_money="by_money" in query,
    )
    sample = services.draw_sample(context, draw)
    if draw.of == CLOSED:
        names = services.names_for_display(context, services.people_of(sample["drawn"]))
        for row in sample["drawn"]:
            row["people"] = people(row, names)
            row["merchants"] = ", ".join(row["merchants"])
    else:
        names = services.names_for_display(context, {row["holder_id"] for row in sample["drawn"]})
        for row in sample["drawn"]:
            row["holder_id"] = names[row["holder_id"]]
    return sample


def _sample_page(
    request: Request,
    context: Context,
    query: dict[str, str],
    errors: dict[str, str],
    sample: Sample | None,
) -> Response:
    if not context.actor.lanes:
        raise NotAllowed("Your role cannot see alerts.")
    of = query.get("of", "payments") if query.get("of") in OF else "payments"
    statement_options = [
        {"value": row["statement_id"], "label": row["label"]}
        for row in reversed(services.list_statements(context))
        if row["superseded_by"] is None and row["erased_at"] is None
    ]
    return render(
        request, "sample.html", errors=errors, asked=query,
        held=statement_options, of=of, kinds=OF, sizes=SIZES, found=sample,
        headings=[heading.removesuffix(" (£)") for heading in SAMPLE_HEADINGS[of]],
        columns=SAMPLE_COLUMNS[of], again=urlencode(query),
        at_most=services.highest_rate(len(sample["drawn"])) if sample else 0.0,
        new_seed=secrets.randbelow(LARGEST_SEED),
    )  # fmt: skip


@router.get("/samples.csv")
def get_sample(request: Request, context: ExportContext) -> Response:
    """Give a sample as CSV, with a column for what was found."""
    query = {k: v for k, v in nonempty(request.query_params).items() if k in ASKED}
    if "seed" not in query:
        raise CardwatchError("Enter a seed, so that the same sample can be drawn again.")
    sample = _drawn(context, query)
    of = query.get("of", "payments")
    rows = [
        [*(_cell(row[name], name) for name in SAMPLE_COLUMNS[of]), ""] for row in sample["drawn"]
    ]
    text = csv_text([(*SAMPLE_HEADINGS[of], "Result of the check"), *rows])
    return as_file(text, sample_filename(of, query["seed"]))


def _cell(value: object, name: str) -> object:
    """Return a cell that is safe in a spreadsheet; pence as pounds."""
    if isinstance(value, int):
        return value / 100 if name.endswith("_pence") else value
    return safe_text(str(value))
