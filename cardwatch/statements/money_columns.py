"""Which column of money is what: billed before original, gross before net, and its currency."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from cardwatch.tabular import POUND_MARKS, SHARE_WORDS, normalise_heading, without_pound_mark

if TYPE_CHECKING:
    from collections.abc import Sequence

PURCHASE, PLAIN, BILLED = range(3)
"""Where an amount was taken: at the merchant, not said, by the issuer in pounds."""
FOREIGN_COLUMN = -1
"""At the merchant, in a currency that may be another."""
NET, UNSAID, GROSS = range(3)
THOUSANDS = "000"
"""A heading such as `Amount £'000` is of thousands, which no payment is printed in."""
QUANTITIES = frozenset({"qty", "quantity", "no of units", "units"})
PRICES = frozenset({"price", "price each"})
"""Beside a quantity these are of one piece, and not what was paid."""
COSTS = frozenset({"cost", "costs"})
"""Beside a quantity these may be of one piece or of all."""

OF_DOCUMENT = re.compile(r"in doc(?:ument)?(?: (?:cur\w*|crcy|ccy))?")
IN_LOCAL = re.compile(r"in (?:local|lc|loc|company code)(?: (?:cur\w*|crcy|ccy))?")
IN_OWN = re.compile(r"in (?:lc|loc crcy|company code(?: (?:cur\w*|crcy|ccy))?)\b")
"""How SAP heads amounts in the currency of a document, and in the organisation's own."""

OF_CURRENCY = re.compile(r"\b(amount|amt|value) (?:in )?(\w+) (?:currency|ccy|curr?|crcy)$")
"""Amounts and in which currency they are, as Concur and others head them."""
P_CARD = re.compile(r"\bp ?card\b")
SOLE_WORDS = frozenset({"approved", "base", "invoice", "invoiced"})
"""Words of headings of amounts that are those paid where no other column is."""
DEBIT_WORDS = frozenset({"debit", "debits", "out", "withdrawal", "withdrawals", "dr"})
"""Words of headings of charges, beside which refunds have a column of their own."""
CHARGED_WORDS = frozenset({"charged", "billed", "settled", "paid", "actual"})
"""Words that with a sign of pounds beside them head what was paid: `Actual charged £`."""
PENCE_WORDS = frozenset({"pence", "pennies", "minor"})
"""Words of a heading that say that amounts are not in pounds but in pence."""
IN_P = re.compile(r"(?:amount|amt|value|cost|total|gross|net) p")
"""Such headings are of pence too; the letter alone may be of a P-card."""
LETTER_AND_DIGIT = re.compile(r"(?<=[a-z]{3})(?=\d)")
"""Where a number follows a word without a space, as in `Amount2`."""
PIECES = frozenset({"unit", "each", "item", "limit", "centre", "center", "code"})
"""Words of headings that have a word for an amount and hold none that was paid."""

INCLUDING = frozenset({"inc", "incl", "including", "inclusive"})
FEES = frozenset({"fee", "fees", "charges", "postage", "delivery"})
"""Words of what an amount includes: `Billing amount (incl. fee)`."""
CHARGE_WORDS = frozenset({"charge", "charges"})
"""Words that say nothing beside others of where an amount was taken: `Billed Charge Amount`."""
LINE_TOTALS = ({"line", "total"}, {"extended", "total"}, {"line", "gross"})
SIGN_WORDS = frozenset({"signed", "sign", "with", "and"})
"""Words of a heading of amounts that have their signs."""


@dataclass(frozen=True)
class AmountColumn:
    """A column of amounts as its heading describes it."""

    position: int
    taken: int
    tax: int

    @property
    def rank(self) -> tuple[int, int]:
        """How well it suits as the amount that was paid: billed, then gross."""
        return self.taken, self.tax


@dataclass(frozen=True)
class MoneyColumns:
    """The money columns of a file, each by its position; none where there is no such column.

    Attributes:
        fields: field of a profile to the position of its column.
        candidates: columns that suit as the amount, the best first.
        tax: the column of VAT.
        part: the column that says what part of a payment its row is.
        balance: the column of a running balance.
    """

    fields: dict[str, int]
    candidates: tuple[AmountColumn, ...]
    tax: int | None = None
    part: int | None = None
    balance: int | None = None


@cache
def _words() -> dict[str, frozenset[str]]:
    text = (resources.files("cardwatch.statements") / "money.toml").read_text(encoding="utf-8")
    return {name: frozenset(words) for name, words in tomllib.loads(text).items()}


def money_columns(headings: Sequence[str]) -> MoneyColumns:
    """Return what the money columns of a file are, by the words of their headings.

    What was charged or paid in pounds, without a word for an amount, is taken where there are no
    amounts; those that were approved, or of a base currency, where there are no others at all.
    """
    names = _without_document([normalise_heading(heading) for heading in headings])
    columns = _columns_of(names)
    has_sides = any(DEBIT_WORDS & set(name.split()) for name in names)
    if columns.fields or has_sides:
        return columns
    columns = _columns_of([f"amount {name}" if _is_charged(name) else name for name in names])
    if columns.fields or columns.tax is not None:
        return columns
    return _columns_of([" ".join(w for w in name.split() if w not in SOLE_WORDS) for name in names])


def _columns_of(names: list[str]) -> MoneyColumns:
    """Return what the money columns of a file are by their normalised headings."""
    pieces = PRICES if QUANTITIES & set(names) else frozenset()
    amounts = [
        column
        for i, name in enumerate(names)
        if without_pound_mark(name) not in pieces and (column := _amount(i, name))
    ]
    pence = [i for i, name in enumerate(names) if is_in_pence(name)]
    amounts = [column for column in amounts if column.position not in pence] or amounts
    if (
        not amounts
        and len(totals := [i for i, name in enumerate(names) if _is_line_total(name)]) == 1
    ):
        amounts = [AmountColumn(totals[0], PLAIN, GROSS)]
    tax = [i for i, name in enumerate(names) if _is_tax(name)]
    part = [i for i, name in enumerate(names) if _is_part(name)]
    balance = [i for i, name in enumerate(names) if _is_balance(name)]
    usable = sorted(
        (column for column in amounts if column.taken != FOREIGN_COLUMN),
        key=lambda column: (-column.taken, -column.tax, column.position),
    )
    return MoneyColumns(
        _fields(names, amounts, usable),
        tuple(usable),
        tax[0] if len(tax) == 1 else None,
        part[0] if len(part) == 1 else None,
        balance[0] if len(balance) == 1 else None,
    )


def _without_document(names: list[str]) -> list[str]:
    """Return headings with those of SAP's amounts as others say it: paid, and billed beside it.

    Amounts `in local currency` are taken so only beside those of a document: elsewhere they may be
    in the currency of the merchant's country.
    """
    has_document = any(OF_DOCUMENT.search(name) for name in names)
    in_local = IN_LOCAL if has_document else IN_OWN
    return [
        _before_amount(OF_DOCUMENT.sub("transaction", in_local.sub("home", name)))
        if _words()["amount"] & set(name.split())
        else name
        for name in names
    ]


def _before_amount(name: str) -> str:
    """Return `amount in reporting currency` as `reporting amount`; other headings as they are."""
    match = OF_CURRENCY.search(name)
    vocabulary = _words()
    known_words = vocabulary["billed"] | vocabulary["purchase"] | vocabulary["foreign"]
    return name if match is None or match[2] not in known_words else OF_CURRENCY.sub(r"\2 \1", name)


def _fields(
    names: list[str], amounts: list[AmountColumn], usable: list[AmountColumn]
) -> dict[str, int]:
    """Return the positions of billed and original amount and of their currencies."""
    fields: dict[str, int] = {}
    if not amounts:
        return fields
    billed = usable[0] if usable else None
    if billed:
        fields["amount"] = billed.position
    other_amounts = [
        column
        for column in amounts
        if column is not billed and (billed is None or column.taken < billed.taken)
    ]
    original = max(other_amounts, key=lambda c: (-c.taken, c.tax, -c.position), default=None)
    if original:
        fields["original_amount"] = original.position
    for i, name in enumerate(names):
        currency_kind = _currency(name)
        if currency_kind is not None:
            field = (
                "currency" if _is_billed(currency_kind, billed, original) else "original_currency"
            )
            fields.setdefault(field, i)
    return fields


def _is_billed(
    currency_kind: int, billed: AmountColumn | None, original: AmountColumn | None
) -> bool:
    """Return whether a column of currencies says in which the billed amount is."""
    if billed is None:
        return currency_kind == BILLED
    if currency_kind == BILLED:
        return True
    if original is None:
        return currency_kind != FOREIGN_COLUMN and billed.taken != BILLED
    return currency_kind == billed.taken or (currency_kind == PLAIN and billed.taken == PURCHASE)


def _taken(words: set[str]) -> int:
    """Return where an amount was taken, by the words of its heading."""
    vocabulary = _words()
    if words & vocabulary["foreign"]:
        return FOREIGN_COLUMN
    if words & vocabulary["billed"]:
        return BILLED
    return PURCHASE if words & vocabulary["purchase"] else PLAIN


def _amount(position: int, name: str) -> AmountColumn | None:
    """Return what a heading says of a column of amounts; none if it is another column."""
    if name and set(name.split()) <= POUND_MARKS:
        return AmountColumn(position, BILLED, UNSAID)
    vocabulary = _words()
    name = LETTER_AND_DIGIT.sub(" ", name)
    name = f"{name}ence" if IN_P.fullmatch(name) else P_CARD.sub("card", name)
    words = {w for w in without_pound_mark(name).split() if not w.isdecimal() or w == THOUSANDS}
    if "minor" in words:
        words -= {"unit", "units"}
    if words & INCLUDING:
        words -= FEES
    if words & (vocabulary["billed"] | vocabulary["foreign"]):
        words -= CHARGE_WORDS
    every = ("amount", "billed", "foreign", "purchase", "gross", "net", "tax", "filler")
    if not words & vocabulary["amount"] or words - frozenset().union(
        PENCE_WORDS, *(vocabulary[k] for k in every)
    ):
        return None
    if words & vocabulary["tax"] and not words & (vocabulary["net"] | vocabulary["gross"]):
        return None
    if name.rpartition(" ")[2] in vocabulary["currency"]:
        return None
    in_pounds = without_pound_mark(name) != name and not words & vocabulary["foreign"]
    tax = NET if words & vocabulary["net"] else GROSS if words & vocabulary["gross"] else UNSAID
    return AmountColumn(position, BILLED if in_pounds else _taken(words), tax)


def _is_charged(name: str) -> bool:
    """Return whether a heading is of pounds that were charged or paid: `Actual charged £`."""
    words = set(name.split())
    return bool(words & POUND_MARKS and words & CHARGED_WORDS)


def _currency(name: str) -> int | None:
    """Return to which amounts a column of currencies belongs; none if it is another column."""
    words, vocabulary = name.split(), _words()
    if words[1:2] == ["of"]:  # `currency of transaction`
        words = [*words[2:], words[0]]
    ends = bool(words) and (
        words[-1] in vocabulary["currency"]
        or (words[-1] in vocabulary["currency_end"] and bool(set(words) & vocabulary["currency"]))
    )
    return _taken(set(words)) if ends else None


def _is_tax(name: str) -> bool:
    words, vocabulary = set(without_pound_mark(name).split()), _words()
    return (
        bool(words & vocabulary["tax"])
        and not words
        - vocabulary["tax"]
        - vocabulary["amount"]
        - {"paid"}
        - (vocabulary["billed"] | vocabulary["purchase"])
        and not words & (vocabulary["net"] | vocabulary["gross"])
    )


def _is_part(name: str) -> bool:
    words, vocabulary = set(without_pound_mark(name).split()), _words()
    is_share = bool(words & SHARE_WORDS)
    return bool(words & vocabulary["part"] and words & vocabulary["amount"]) and not is_share


def is_in_pence(heading: str) -> bool:
    """Return whether a heading says that its amounts are in pence."""
    name = normalise_heading(heading)
    return bool(PENCE_WORDS & set(name.split())) or IN_P.fullmatch(name) is not None


def _is_line_total(name: str) -> bool:
    """Return whether a heading is of what a line comes to: an amount where there is no other."""
    return {*without_pound_mark(name).split()} in LINE_TOTALS


def has_amount_word(heading: str) -> bool:
    """Return whether a heading may be of amounts paid, whatever its other words."""
    name = normalise_heading(heading)
    words = set(without_pound_mark(name).split())
    other = _is_tax(name) or _is_part(name) or _is_balance(name)
    other = other or bool(words & (PRICES | PIECES | SHARE_WORDS))
    return bool(words & _words()["amount"]) and not other and not words & _words()["tax"]


def is_same_money(heading: str) -> bool:
    """Return whether a heading is of amounts paid and, beside these words, says that it has signs.

    `Signed Amount` and `Total Value` are; `Balance Adjustment Amount` is of something else.
    """
    name = " ".join(w for w in normalise_heading(heading).split() if w not in SIGN_WORDS)
    return _amount(0, name) is not None


def _is_balance(name: str) -> bool:
    words, vocabulary = set(without_pound_mark(name).split()), _words()
    rest = words - vocabulary["balance"] - vocabulary["balance_filler"]
    return bool(words & vocabulary["balance"]) and not rest
