"""The shareable aggregate of one force's quarter: figures without people or merchants.

Every count is of at least so many payments (the force's own threshold), and every cell of spending
is of at least `FEWEST_HOLDERS` cardholders. What is too small is never left out alone, where the
total less the rest would give it away: it is added to the cell of all others, with the smallest
published cells until that one is large enough. Counts are given to the nearest `COUNT_STEP`, money
to the nearest `POUNDS_STEP` pounds. A file covers one whole quarter that is over, so that no two
files overlap by less than a quarter.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.exceptions import InvalidSignature

from cardwatch.errors import CardwatchError
from cardwatch.signed_files import key_fingerprint, sign_content, verify_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

C = TypeVar("C")
"""A kind of cell."""
AGGREGATE_SCHEMA, AGGREGATE_VERSION = "cardwatch aggregate", 2
READ_VERSIONS = (1, 2)
"""Version 1 has neither a common policy nor registers."""
COMMON = "common_"
"""Prefix of the names of shares that are counted by the common policy."""
LEAST_THRESHOLD, USUAL_THRESHOLD = 5, 10
FEWEST_HOLDERS = 5
MOST_OF_ONE = 0.8
"""Share of a cell's money above which it would tell what one cardholder spent."""
COUNT_STEP, POUNDS_STEP = 5, 1_000
OTHERS = "all others"
QUARTER_NAME = re.compile(r"20\d\d-Q[1-4]", re.ASCII)
MAX_AGGREGATE_BYTES = 256 * 1024


@dataclass(frozen=True)
class SpendingCell:
    """Purchases of one category or month before anything is suppressed.

    Attributes:
        largest_pence: what the cardholder who spent most in it spent.
    """

    name: str
    purchases: int
    pence: int
    holders: int
    largest_pence: int


@dataclass(frozen=True)
class PublishedCell:
    """Purchases of one category or month as they are shared."""

    name: str
    purchases: int
    pounds: int


@dataclass(frozen=True)
class SharePair:
    """A count out of a total, each rounded; nothing where either part is too small to share."""

    count: int
    total: int


@dataclass(frozen=True)
class CommonPolicy:
    """The policy pack by which a force's payments were scored beside its own policy.

    Attributes:
        sha256: of the pack's signed file: forces are compared where they used the same.
    """

    name: str
    owner: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Aggregate:
    """One force's quarter as it is shared.

    Attributes:
        quarter: such as `2026-Q3`.
        threshold: the smallest count that is shared.
        purchases, pounds, cardholders: of the whole quarter; 0 where they are too few.
        uncovered_days: days that no statement covers, which make every figure too low.
        months, categories: purchases by month, and by merchant category.
        shares: by what `INDICATORS` call them, a count out of a total.
        median_answer_days: half of the answers took at most as long; none where they are too few.
        common_policy: the pack behind the shares that begin with `COMMON`; none without one.
        registers: entries of each of finance's registers; those with too few are left out.
        public_key: of the force's installation, as hex; it signed the file.
    """

    organisation: str
    quarter: str
    made_on: str
    cardwatch: str
    threshold: int
    purchases: int
    pounds: int
    cardholders: int
    uncovered_days: int
    months: tuple[PublishedCell, ...]
    categories: tuple[PublishedCell, ...]
    shares: dict[str, SharePair] = field(default_factory=dict)
    median_answer_days: int | None = None
    common_policy: CommonPolicy | None = None
    registers: dict[str, int] = field(default_factory=dict)
    public_key: str = ""

    @property
    def fingerprint(self) -> str:
        """The first 16 digits of the hash of its key, by which a force can confirm it."""
        return key_fingerprint(self.public_key)


def rounded_count(count: int) -> int:
    """Return a count to the nearest `COUNT_STEP`."""
    return COUNT_STEP * round(count / COUNT_STEP)


def rounded_pounds(pence: int) -> int:
    """Return pence as pounds, to the nearest `POUNDS_STEP`."""
    return POUNDS_STEP * round(pence / (100 * POUNDS_STEP))


def share_pair(count: int, total: int, threshold: int) -> SharePair | None:
    """Return a share to be published; none where the counted or the others are too few.

    None of the counted is shared as well as few: it says of each that they are not among them.
    """
    if min(count, total - count) < threshold:
        return None
    return SharePair(rounded_count(count), rounded_count(total))


def published_shares(pairs: Mapping[str, tuple[int, int]], threshold: int) -> dict[str, SharePair]:
    """Return shares by their names, each a count and a total, without those that are too small."""
    published = {name: share_pair(*pair, threshold) for name, pair in pairs.items()}
    return {name: pair for name, pair in published.items() if pair is not None}


def published_cells(cells: Sequence[SpendingCell], threshold: int) -> tuple[PublishedCell, ...]:
    """Return cells without those that are too small, whose sum joins `OTHERS`.

    The cell of all others is itself large enough, or nothing is published: the total less the
    published cells is then never a small cell.
    """
    ordered = sorted(cells, key=lambda cell: (-cell.purchases, cell.name))
    shared, hidden = split_small(ordered, lambda cells: _is_together_large(cells, threshold))
    if hidden and not shared and not _is_together_large(hidden, threshold):
        return ()
    published = [
        PublishedCell(cell.name, rounded_count(cell.purchases), rounded_pounds(cell.pence))
        for cell in sorted(shared, key=lambda cell: cell.name)
    ]
    if hidden:
        purchases, pence = (
            sum(getattr(c, name) for c in hidden) for name in ("purchases", "pence")
        )
        published.append(PublishedCell(OTHERS, rounded_count(purchases), rounded_pounds(pence)))
    return tuple(published)


def split_small(
    cells: Sequence[C], is_large: Callable[[Sequence[C]], bool]
) -> tuple[list[C], list[C]]:
    """Split cells into those that may be shown and the rest, which is large itself or is all.

    The total less what is shown is then never a small cell: with one that is too small goes the
    smallest that is not, until what is hidden is large enough together.

    Args:
        cells: the largest first.
        is_large: whether some cells together are large enough.
    """
    shared = [cell for cell in cells if is_large([cell])]
    hidden = [cell for cell in cells if not is_large([cell])]
    while hidden and shared and not is_large(hidden):
        hidden.append(shared.pop())
    return shared, hidden


def _is_together_large(cells: Sequence[SpendingCell], threshold: int) -> bool:
    """Return whether cells may stand together; the cardholders of one are counted, at least."""
    pence = sum(cell.pence for cell in cells)
    return (
        sum(cell.purchases for cell in cells) >= threshold
        and max(cell.holders for cell in cells) >= FEWEST_HOLDERS
        and max(cell.largest_pence for cell in cells) <= MOST_OF_ONE * pence
    )


def sign_aggregate(aggregate: Aggregate, key: Ed25519PrivateKey) -> bytes:
    """Return an aggregate as the bytes of its file, signed (Ed25519, RFC 8032)."""
    content = {"schema": AGGREGATE_SCHEMA, "version": AGGREGATE_VERSION} | asdict(aggregate)
    return sign_content(content, key)


def read_aggregate(file: str, data: bytes) -> Aggregate:
    """Return the aggregate in a file once its signature and every value are right.

    Raises:
        CardwatchError: it is no aggregate of a version that is read, or was changed after it was
            signed.
    """
    if len(data) > MAX_AGGREGATE_BYTES:
        raise CardwatchError(f"{file}: it is too large for an aggregate.")
    try:
        content: dict[str, Any] = json.loads(data)
        if content["schema"] != AGGREGATE_SCHEMA or content["version"] not in READ_VERSIONS:
            versions = " or ".join(map(str, READ_VERSIONS))
            raise CardwatchError(f"{file}: it is of another version. Ask for version {versions}.")
        verify_signature(content)
        return _aggregate_of(content)
    except InvalidSignature as error:
        reason = "it was changed after it was signed. Ask the force for its file again."
        raise CardwatchError(f"{file}: {reason}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = "it is not an aggregate. Choose a file that 'cardwatch aggregate' wrote."
        raise CardwatchError(f"{file}: {reason}") from error


def _aggregate_of(content: Mapping[str, Any]) -> Aggregate:
    """Return the aggregate in what a file holds; a value of another kind is a `TypeError`."""
    days = content["median_answer_days"]
    shares = {_text(name): _pair(pair) for name, pair in content["shares"].items()}
    is_first = content["version"] == 1
    policy = None if is_first else content["common_policy"]
    if policy is None and any(name.startswith(COMMON) for name in shares):
        raise ValueError  # figures by a policy that the file does not name
    return Aggregate(
        organisation=_text(content["organisation"]),
        quarter=_quarter(content["quarter"]),
        made_on=dt.date.fromisoformat(_text(content["made_on"])).isoformat(),
        cardwatch=_text(content["cardwatch"]),
        threshold=_whole(content["threshold"]),
        purchases=_whole(content["purchases"]),
        pounds=_whole(content["pounds"]),
        cardholders=_whole(content["cardholders"]),
        uncovered_days=_whole(content["uncovered_days"]),
        months=tuple(map(_cell, content["months"])),
        categories=tuple(map(_cell, content["categories"])),
        shares=shares,
        median_answer_days=None if days is None else _whole(days),
        common_policy=None if policy is None else _policy(policy),
        registers={}
        if is_first
        else {_text(name): _whole(count) for name, count in content["registers"].items()},
        public_key=_text(content["public_key"]),
    )


def _cell(content: Mapping[str, Any]) -> PublishedCell:
    return PublishedCell(
        _text(content["name"]), _whole(content["purchases"]), _whole(content["pounds"])
    )


def _pair(content: Mapping[str, Any]) -> SharePair:
    pair = SharePair(_whole(content["count"]), _whole(content["total"]))
    if not 0 < pair.count <= pair.total:
        raise ValueError
    return pair


def _policy(content: Mapping[str, Any]) -> CommonPolicy:
    policy = CommonPolicy(**{name: _text(content[name]) for name in CommonPolicy.__annotations__})
    if not re.fullmatch(r"[0-9a-f]{64}", policy.sha256):
        raise ValueError
    return policy


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise TypeError
    return value


def _quarter(value: object) -> str:
    text = _text(value)
    if not QUARTER_NAME.fullmatch(text):
        raise ValueError
    return text


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        raise TypeError
    return value


def check_threshold(threshold: int) -> None:
    """Refuse a threshold that protects nobody.

    Raises:
        CardwatchError: it is below `LEAST_THRESHOLD`.
    """
    if threshold < LEAST_THRESHOLD:
        sentence = f"Choose a threshold of {LEAST_THRESHOLD} or more."
        raise CardwatchError(sentence, field="threshold")
