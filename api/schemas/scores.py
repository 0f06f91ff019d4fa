"""Models of scorings without a casebook."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import ConfigDict, FailFast, Field, JsonValue, StringConstraints

from api.schemas.base import NO_NUL, DateOrder, RequestModel, Short
from cardwatch.statements import DATE_ORDERS, FIELDS

Cell = Annotated[str, StringConstraints(max_length=1_000, pattern=NO_NUL)]


class Transaction(RequestModel):
    """One transaction, every field as text; see `docs/statements.md` for what each may hold."""

    date: Cell
    merchant: Cell
    amount: Cell = ""
    transaction_id: Cell = ""
    posting_date: Cell = ""
    holder_id: Cell = ""
    employee_id: Cell = ""
    account: Cell = ""
    cardholder: Cell = ""
    cardholder_first: Cell = ""
    card_number: Cell = ""
    mcc: Cell = ""
    category: Cell = ""
    cost_centre: Cell = ""
    unit: Cell = ""
    debit: Cell = ""
    credit: Cell = ""
    debit_credit: Cell = ""
    currency: Cell = ""
    original_amount: Cell = ""
    original_currency: Cell = ""
    description: Cell = ""


assert set(Transaction.model_fields) == set(FIELDS)
assert get_args(DateOrder) == DATE_ORDERS
TRANSACTIONS: list[JsonValue] = [
    {"date": "2026-10-11", "employee_id": "E1", "merchant": "NEW FIRM LTD", "amount": amount,
     "transaction_id": number}
    for number, amount in (("S1", "900.00"), ("S2", "950.00"))
]  # fmt: skip


class ScoreCreate(RequestModel):
    """Transactions to score without storing them."""

    transactions: Annotated[list[Transaction], FailFast()] = Field(min_length=1, max_length=20_000)
    history: bool = Field(True, description="Whether to compare them with the casebook's payments.")
    policy: Short = Field("in-force", description="`in-force`, `none`, or a stored policy's hash.")
    model: Short = Field("in-force", description="`in-force`, `none`, or a stored model's hash.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"transactions": TRANSACTIONS, "history": False}
            ]
        },
    )  # fmt: skip
