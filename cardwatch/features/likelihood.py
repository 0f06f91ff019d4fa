"""How much better a payment fits another holder than this one, by merchant, category and purpose.

For every payment two chances are compared: that some typical holder of the organisation pays this
merchant, and that this holder does, by their own past and by the holders who buy like them. The
logarithm of the ratio is high where others use the merchant and neither the holder nor those like
them do. The same is done for the category and for the purpose that was booked. Likeness is by what
is bought, not by department: departments are renamed and cards move (docs/detection.md). Counts are
those of the days before; likeness and the usual shares are those of the months before.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.features.ledger import expand_runs

if TYPE_CHECKING:
    from cardwatch.features.ledger import Codes, Columns, Flags, Ledger, Numbers

ITEMS = ("merchant_id", "category_id", "purpose_id")
MOST_COMPARED, HOLDERS_AT_ONCE = 1_500, 500
"""With more holders than this each is compared with so many of them, spread evenly."""
MANY_USERS = 50
OWN_WEIGHT = 20.0
"""Weight, in payments, of what others do against the holder's own past."""
TYPICAL_WEIGHT = 5.0
"""Weight, in payments, of the typical holder against those like this one: a new holder is
like nobody yet, and little is strange for them."""
EVERYWHERE_SHARE = 0.02
NEW_BACKGROUND = 0.7
RARE_SHARE = 1e-5
"""Share of payments that an item unknown so far is taken to have."""
NEW_BEFORE, PAID_BEFORE, RATE_DAYS = 0.5, 4.0, 365
VIEW_DAYS = 90
"""Days for which a code system must be in use before payments are compared by it."""
FEWEST_USES = 5
"""A purpose is a code, and told, once it has been booked so often; free text never is."""


def merchant_surprise(ledger: Ledger) -> Numbers:
    """The merchant is unusual for this cardholder and their peers."""
    return np.maximum(log_ratios(ledger)["merchant_id"], 0)


def category_surprise(ledger: Ledger) -> Numbers:
    """The category is unusual for this cardholder and their peers."""
    return np.maximum(log_ratios(ledger)["category_id"], 0)


def purpose_surprise(ledger: Ledger) -> Numbers:
    """The purpose is unusual for this cardholder and their peers."""
    return np.maximum(log_ratios(ledger)["purpose_id"], 0)


def log_ratios(ledger: Ledger) -> Columns:
    """Return the log ratio of each item of `ITEMS` for each row, below 0 where it fits well."""
    return ledger.once("likelihood", lambda: _likelihoods(ledger))


def _likelihoods(ledger: Ledger) -> Columns:
    """Return the log ratios, 0 where it is no purchase or the item is not said."""
    bought, holder = ledger.is_purchase, ledger.group("holder_id")
    usable = {name: bought & ~ledger.is_blank(name) for name in _items(ledger)}
    ratios = {name: np.zeros(len(ledger)) for name in usable}
    past = {name: _past(ledger, name, usable[name]) for name in usable if usable[name].any()}
    months = np.unique(ledger.month)
    tables: dict[str, Any] = {}
    for last, month in itertools.pairwise(months):
        for name in past:
            added = _counts(ledger, name, usable[name] & (ledger.month == last))
            tables[name] = tables[name] + added if name in tables else added
        now = np.flatnonzero(bought & (ledger.month == month))
        if not len(now) or not any(table.nnz for table in tables.values()):
            continue
        items = {n: np.where(usable[n][now], ledger.group(n)[now], -1) for n in past}
        for name, nearby in _nearby(tables, holder[now], items).items():
            has_item = items[name] >= 0
            if not tables[name].nnz:
                continue  # nobody has said what this column says before: nothing to compare with
            rows = now[has_item]
            ratio = _ratio(
                tables[name], nearby[has_item], items[name][has_item], past[name][:, rows]
            )
            ratios[name][rows] = ratio
    uses_count = ledger.count(usable["purpose_id"], ("purpose_id",), until=1)
    ratios["purpose_id"][uses_count < FEWEST_USES] = 0.0
    if "category_id" not in ratios:
        ratios["category_id"] = _two_views(ledger, ratios, usable["category_words"])
    return ratios


def _two_views(ledger: Ledger, ratios: Columns, worded: Flags) -> Numbers:
    """Return the higher log ratio of code and words, the code's only once it has a history."""
    settled = ledger.day >= _codes_began(ledger) + VIEW_DAYS
    codes = np.where(settled, ratios["mcc"], -np.inf)
    best = np.maximum(codes, np.where(worded, ratios["category_words"], -np.inf))
    return np.where(np.isfinite(best), best, 0.0)


def _codes_began(ledger: Ledger) -> float:
    """Return the first day with a category code, and the last day of all where there is none."""
    coded = ledger.day[~ledger.is_blank("mcc")]
    return float(coded.min() if len(coded) else ledger.day.max())


def _items(ledger: Ledger) -> tuple[str, ...]:
    """Return what holders are compared by: where codes came later, codes and words apart.

    In the month in which codes come every category would be new to everybody. So words go on being
    compared, and codes from the day on which they have a history.
    """
    later = not ledger.is_blank("mcc").all()
    later &= _codes_began(ledger) > ledger.day.min() + VIEW_DAYS
    return ("merchant_id", "mcc", "category_words", "purpose_id") if later else ITEMS


def _past(ledger: Ledger, name: str, usable: Flags) -> Numbers:
    """Return for each row what its holder did before its day.

    Returns:
        Three rows: payments for this item, payments in all, and the rate at which the holder has
        lately met new ones, (new + 1/2) / (payments + 4).
    """
    by = ("holder_id",)
    first = ledger.first_of_kind(usable, (*by, name))
    new = ledger.count(first, by, RATE_DAYS, 1)
    lately = ledger.count(usable, by, RATE_DAYS, 1)
    item_count = ledger.count(usable, (*by, name), until=1)
    rate = (new + NEW_BEFORE) / (lately + PAID_BEFORE)
    return np.stack([item_count, ledger.count(usable, by, until=1), rate])


def _counts(ledger: Ledger, name: str, rows: Flags) -> Any:  # noqa: ANN401  scipy has no types
    """Count each holder's payments of each item, as a sparse table."""
    from scipy import sparse  # noqa: PLC0415  few statements need it, and it takes long to load

    holder, item = ledger.group("holder_id"), ledger.group(name)
    shape = (holder.max() + 1, item.max() + 1)
    return sparse.coo_array((np.ones(rows.sum()), (holder[rows], item[rows])), shape).tocsr()


def _shares(table: Any) -> Any:  # noqa: ANN401  scipy has no types
    """Return each holder's counts as shares."""
    return table.multiply(1 / np.maximum(table.sum(axis=1), 1)[:, None]).tocsr()


def _profiles(tables: list[Any]) -> Any:  # noqa: ANN401  scipy has no types
    """Return a row of length 1 for each holder: logarithmic counts of what they buy.

    What everybody buys is weighted down (tf-idf), so that the product of two rows, the cosine,
    says how alike two holders buy.
    """
    from scipy import sparse  # noqa: PLC0415  the same

    profiles = sparse.hstack([table.log1p() for table in tables]).tocsr()
    holders = int((np.diff(profiles.indptr) > 0).sum())  # those who join later change nothing
    users = np.bincount(profiles.indices, minlength=profiles.shape[1])
    profiles = profiles.multiply(np.log((1 + holders) / (1 + users))).tocsr()
    length = np.sqrt(profiles.multiply(profiles).sum(axis=1))
    return profiles.multiply(1 / np.maximum(length, 1e-12)[:, None]).tocsr()


def _nearby(tables: dict[str, Any], holder: Codes, items: dict[str, Codes]) -> dict[str, Numbers]:
    """Return for payments the share their items have among the holders who buy like their own.

    Every other holder counts by the square of the cosine of what the two buy.

    Args:
        tables: how often each holder has paid each item before.
        holder: of each payment.
        items: of each payment, -1 where it is not said.
    """
    profiles = _profiles(list(tables.values()))
    active = np.flatnonzero(np.diff(profiles.indptr))
    sampled = np.linspace(0, len(active) - 1, min(len(active), MOST_COMPARED)).astype("int64")
    compared = active[sampled]
    columns = {name: _shares(table)[compared].tocsc() for name, table in tables.items()}
    compared_profiles = profiles[compared].T.tocsr()
    nearby_shares = {name: np.zeros(len(holder)) for name in items}
    order = np.argsort(holder, kind="stable")
    holders, starts = np.unique(holder[order], return_index=True)
    ends = np.append(starts, len(order))
    for first in range(0, len(holders), HOLDERS_AT_ONCE):
        last = min(first + HOLDERS_AT_ONCE, len(holders))
        batch = holders[first:last]
        alike = np.round((profiles[batch] @ compared_profiles).toarray(), 9) ** 2
        alike[batch[:, None] == compared] = 0.0
        alike /= np.maximum(alike.sum(axis=1, keepdims=True), 1e-12)
        rows = order[ends[first] : ends[last]]
        for name, item in items.items():
            stated_rows = rows[item[rows] >= 0]
            place = np.searchsorted(batch, holder[stated_rows])
            nearby_shares[name][stated_rows] = _weighted(
                alike, columns[name], place, item[stated_rows]
            )
    return nearby_shares


def _weighted(alike: Numbers, shares: Any, holder: Codes, item: Codes) -> Numbers:  # noqa: ANN401  scipy has no types
    """Return for pairs of holder and item the item's shares, weighted by likeness to the holder.

    Items of many users are multiplied as one table, the others looked up user by user.
    """
    pairs, which = np.unique(holder * shares.shape[1] + item, return_inverse=True)
    owner, items = np.divmod(pairs, shares.shape[1])
    users = np.diff(shares.indptr)
    weighted_shares, popular = np.zeros(len(pairs)), users[items] >= MANY_USERS
    many = np.unique(items[popular])
    column = np.searchsorted(many, items[popular])
    weighted_shares[popular] = (alike @ shares[:, many].toarray())[owner[popular], column]
    pair, position = expand_runs(shares.indptr[items[~popular]], users[items[~popular]])
    weight = alike[owner[~popular][pair], shares.indices[position]]
    weighted_shares[~popular] = np.bincount(pair, weight * shares.data[position], (~popular).sum())
    return np.round(weighted_shares, 12)[which]  # beyond that, sums depend on the machine


def _ratio(table: Any, nearby: Numbers, item: Codes, past: Numbers) -> Numbers:  # noqa: ANN401  scipy has no types
    """Return ln(typical holder's chance / this holder's chance) of items."""
    item_count, paid, rate = past
    totals = table.sum(axis=1)
    active = max((totals > 0).sum(), 1)
    typical = np.maximum(_shares(table).sum(axis=0) / active, RARE_SHARE)[item]
    everywhere = (table.sum(axis=0) / totals.sum())[item]
    like = (1 - EVERYWHERE_SHARE) * nearby + EVERYWHERE_SHARE * everywhere
    background = (paid * like + TYPICAL_WEIGHT * typical) / (paid + TYPICAL_WEIGHT)
    familiar = (item_count + OWN_WEIGHT * background) / (paid + OWN_WEIGHT)
    new = rate * (NEW_BACKGROUND * background + (1 - NEW_BACKGROUND) * RARE_SHARE) + 1e-9
    return np.log(typical / np.where(item_count > 0, familiar, new))
