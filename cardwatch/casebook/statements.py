"""Stores statements with their transactions, and loads what a scoring needs.

A transaction is known by its identity: the issuer's reference with day and sum, else what the row
says; and which of several alike in one statement it is. Where two statements hold the same one, the
earlier received counts, a scored one before history; where a statement was corrected, the one that
took its place. A transaction is asked about until a scoring has asked about it: one that only
statements kept as history hold is new to a scoring.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from cardwatch import __version__
from cardwatch.casebook.counting import (
    counting_payments,
    each_once,
    is_visible,
    statement_counts,
)
from cardwatch.casebook.own_keys import keep_names
from cardwatch.casebook.rows import Statement, StatementName
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    PSD,
    TRANSACTION_TEXTS,
    merchants,
    statements,
    transactions,
)
from cardwatch.casebook.unit_of_work import canonical, short_id
from cardwatch.errors import CardwatchError, NotFound, about_field
from cardwatch.merchants import canonical_name
from cardwatch.registers import person_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardwatch.casebook.unit_of_work import UnitOfWork
    from cardwatch.records import ReadingReport

WITHOUT_REFERENCE = ("date", "posting_date", "merchant", "amount_pence", "currency",
                     "original_amount", "kind", "card_token", *HOLDER_KEYS)  # fmt: skip
"""Fields that identify a transaction without a reference."""
STORED = ("row", "identity", *TRANSACTION_TEXTS, "amount_pence", "day_doubled", *HOLDER_KEYS)
TRANSACTIONS_PER_BATCH = 5_000
DAY = transactions.c.date + ""
"""The day of a payment, for which no index is used: SQLite, which keeps no statistics here, goes
through everybody's payments by day for those of one merchant or statement otherwise."""


@dataclass(frozen=True)
class IncomingStatement:
    """A statement on its way into the casebook: read, and compared with what is held.

    Attributes:
        rows: its transactions as `STORED`, a row each.
        duplicate_count: of each, whether a statement that counts holds it already; where it is
            to be
            scored, one that was scored.
        holders: those statements, by id, with how many of its transactions each holds.
        of_others: of those that each of them holds, how many it holds with another cardholder.
        is_any_left_out: whether a transaction of the statement that it corrects is not in it, or
            not as it was.
    """

    statement_id: str
    seq: int
    label: str
    corrects: str | None
    report: ReadingReport
    rows: pd.DataFrame
    duplicate_count: np.ndarray[Any, np.dtype[np.bool_]]
    holders: dict[str, int]
    of_others: dict[str, int] = field(default_factory=dict)
    is_any_left_out: bool = False

    @property
    def new(self) -> pd.DataFrame:
        """The transactions that no statement held before."""
        return self.rows[~self.duplicate_count]


def find_statement(uow: UnitOfWork, sha256: str, *, is_scored: bool) -> Statement | None:
    """Return the statement of some bytes that counts, the newest of them, if there is one.

    Args:
        sha256: of the bytes.
        is_scored: whether only a statement that was scored is wanted.
    """
    same = (statements.c.sha256 == sha256) & statement_counts()
    question = sa.select(statements).where(uow.scope(statements), same)
    wanted = question.where(statements.c.is_scored >= int(is_scored))
    return uow.fetch_one(wanted.order_by(statements.c.seq.desc()).limit(1), Statement)


def is_read_otherwise(statement: Statement, frame: pd.DataFrame) -> bool:
    """Whether the same bytes have given other payments than those of a statement that is held.

    Its columns, dates or signs were taken otherwise, by a profile or by whoever brought it.
    """
    return rows_sha256(_rows(frame)) != statement["rows_sha256"]


class ScoredDays(NamedTuple):
    """The days of the statements that were scored and count, and when scoring began; else empty."""

    first_on: str
    last_on: str
    began_at: str


def scored_days(uow: UnitOfWork) -> ScoredDays:
    """Return from when to when statements that were scored and count reach, and since when."""
    is_scored, columns = statements.c.is_scored == 1, statements.c
    first = sa.select(
        sa.func.min(sa.case((statement_counts(), columns.first_on))).label("first_on"),
        sa.func.max(sa.case((statement_counts(), columns.last_on))).label("last_on"),
        sa.func.min(columns.received_at).label("began_at"),
    ).where(uow.scope(statements), is_scored)
    row = uow.fetch_one(first)
    return ScoredDays(**{name: (row and row[name]) or "" for name in ScoredDays._fields})


def get_statement(uow: UnitOfWork, statement_id: str) -> Statement:
    """Return a statement by its id, or the beginning of it.

    Raises:
        NotFound: there is none, or there are several.
    """
    fits = statements.c.statement_id.startswith(statement_id, autoescape=True)
    rows = uow.fetch_all(
        sa.select(statements).where(uow.scope(statements), fits).limit(2), Statement
    )
    if len(rows) != 1 or not statement_id:  # nothing is the beginning of all
        raise NotFound(f"There is no statement '{statement_id}'.")
    return rows[0]


def list_statements(uow: UnitOfWork) -> list[Statement]:
    """Return the statements in the order received."""
    question = sa.select(statements).where(uow.scope(statements))
    return uow.fetch_all(question.order_by(statements.c.seq), Statement)


def day_at(uow: UnitOfWork, statement_id: str, share: float) -> str:
    """Return the day before which a share of a statement's payments lie; empty without any."""
    is_in_statement = (transactions.c.statement_id == statement_id) & is_visible()
    days = sa.select(transactions.c.date).where(uow.scope(transactions), is_in_statement)
    count = uow.fetch_one(sa.select(sa.func.count().label("rows")).select_from(days.subquery()))
    offset = int(share * count["rows"]) if count else 0
    day_row = uow.fetch_one(days.order_by(DAY).offset(offset).limit(1))
    return str(day_row["date"]) if day_row else ""


def shared_with(uow: UnitOfWork, statement_id: str) -> dict[str, int]:
    """Return the other statements that hold transactions of one too, by id, with how many."""
    other = transactions.alias()
    question = (
        sa.select(other.c.statement_id)
        .select_from(transactions)
        .join(other, uow.scope(other) & (other.c.identity == transactions.c.identity))
        .where(uow.scope(transactions), transactions.c.statement_id == statement_id)
        .where(other.c.statement_id != statement_id)
        .where(is_visible(), is_visible(other))
    )
    # Counted here: to group them SQLite goes through all payments held, and for each through these.
    return Counter(uow.connection.scalars(question))


def newest_scored(uow: UnitOfWork) -> StatementName:
    """Return `statement_id` and `label` of the scored statement of the latest days; else empty."""
    columns = statements.c
    question = (
        sa.select(columns.statement_id, columns.label)
        .where(uow.scope(statements), columns.is_scored == 1, statement_counts())
        .order_by(columns.last_on.desc(), columns.seq.desc())
        .limit(1)
    )
    return uow.fetch_one(question, StatementName) or {"statement_id": "", "label": ""}


def last_seq(uow: UnitOfWork) -> int:
    """Return the number of the statement received last, 0 before the first."""
    last = sa.select(sa.func.max(statements.c.seq).label("seq")).where(uow.scope(statements))
    last_row = uow.fetch_one(last)
    return (last_row and last_row["seq"]) or 0


def compare(
    uow: UnitOfWork,
    frame: pd.DataFrame,
    report: ReadingReport,
    corrects: str | None,
    *,
    is_history: bool = False,
) -> IncomingStatement:
    """Compare a statement that was read with those held.

    Args:
        frame: its transactions, as `read_each` gives them.
        report: its reading report.
        corrects: the statement in whose place it comes, if any.
        is_history: whether it is only kept; what other history holds is then held before.

    Raises:
        CardwatchError: the statement it corrects was corrected already.
    """
    seq = last_seq(uow) + 1
    with about_field("corrects"):
        replaced = get_statement(uow, corrects) if corrects else None
    if replaced and replaced["superseded_seq"]:
        sentence = "That statement has already been corrected. Choose the corrected one."
        raise CardwatchError(sentence, field="corrects")
    corrects_id = replaced["statement_id"] if replaced else None
    rows = _rows(frame)
    columns = [transactions.c[name] for name in ("identity", "statement_id", *HOLDER_KEYS)]
    question = counting_payments(uow, columns, seq=seq - 1).where(
        transactions.c.date.between(rows["date"].min(), rows["date"].max())
    )
    if replaced:
        question = question.where(statements.c.statement_id != replaced["statement_id"])
    if not is_history:
        question = question.where(statements.c.is_scored == 1)
    stored = each_once(uow, question).set_index("identity")
    where = rows["identity"].map(stored["statement_id"].to_dict())
    counts, elsewhere = where.value_counts(), where[_names_another(rows, stored)].value_counts()
    return IncomingStatement(
        statement_id=_new_id(uow, report.sha256, seq),
        seq=seq,
        label=_label(uow, report.file),
        corrects=corrects_id,
        report=report,
        rows=rows,
        duplicate_count=where.notna().to_numpy(),
        holders={str(name): int(count) for name, count in counts.items()},
        of_others={str(name): int(count) for name, count in elsewhere.items()},
        is_any_left_out=corrects_id is not None and _is_any_left_out(uow, rows, corrects_id),
    )


def _names_another(rows: pd.DataFrame, stored: pd.DataFrame) -> pd.Series[bool]:
    """Return whether each transaction is stored with another cardholder.

    No column is the same but that of the card, which whoever changes a name may leave as it is.
    """
    is_another, is_same = (pd.Series(data=False, index=rows.index) for _ in range(2))
    for name in HOLDER_KEYS:
        compared = _name_key if name == "key_cardholder" else person_key
        new, old = (
            column.map(compared, na_action="ignore")
            for column in (rows[name], rows["identity"].map(stored[name].to_dict()))
        )
        are_both = new.notna() & old.notna()
        is_another |= are_both & (new != old)
        if name != "key_card_number":
            is_same |= are_both & (new == old)
    return is_another & ~is_same


def _name_key(text: str) -> str:
    """Return a name as it is compared, whatever the order of its words."""
    return person_key(" ".join(sorted(text.casefold().replace(",", " ").split())))


def _new_id(uow: UnitOfWork, sha256: str, seq: int) -> str:
    """Return the id of a statement to be kept: of its bytes, and of its number if these are held.

    The same bytes come again once they were corrected, or to be scored after they were history.
    """
    owner = uow.actor.organisation_id
    name = short_id(owner, sha256)
    same = sa.select(statements.c.seq).where(
        uow.scope(statements), statements.c.statement_id == name
    )
    return short_id(owner, sha256, str(seq)) if uow.fetch_one(same) else name


def _is_any_left_out(uow: UnitOfWork, rows: pd.DataFrame, statement_id: str) -> bool:
    """Return whether a transaction of a statement is not among some, or is not what it was.

    Only what the statement shows to everybody counts: not what a hold of professional standards
    alone keeps.
    """
    names = ["identity", *WITHOUT_REFERENCE]
    question = sa.select(*(transactions.c[name] for name in names)).where(
        uow.scope(transactions), transactions.c.statement_id == statement_id, is_visible()
    )
    stored = {tuple(row) for row in uow.connection.execute(question)}
    return not stored <= set(rows[names].itertuples(index=False, name=None))


def keep_statement(
    uow: UnitOfWork, arrival: IncomingStatement, facts: Mapping[str, object]
) -> None:
    """Keep a statement and its transactions; the one it corrects is superseded.

    Args:
        arrival: as `compare` gives it, with nothing received since.
        facts: what is known of its scoring: columns of the table of statements.
    """
    new, rows = arrival.new, arrival.rows
    row = {
        "statement_id": arrival.statement_id,
        "seq": arrival.seq,
        "sha256": arrival.report.sha256,
        "label": arrival.label,
        "received_by": uow.actor.public_id,
        "received_at": uow.now,
        "corrects": arrival.corrects,
        "first_on": rows["date"].min(),
        "last_on": rows["date"].max(),
        "transactions": len(rows),
        "pence": int(rows["amount_pence"].sum()),
        "duplicate_count": len(rows) - len(new),
        "rows_sha256": rows_sha256(rows),
        "report": canonical(asdict(arrival.report)),
    }
    uow.insert(statements, [{**row, **facts}])
    if arrival.corrects:
        which = statements.c.statement_id == arrival.corrects
        uow.update(statements, which, {"superseded_seq": arrival.seq})
    owned: dict[str, Any] = {"statement_id": arrival.statement_id, "visible_to_psd_only": False}
    names = [str(name) for name in rows.columns]
    lines = zip(*(rows[name].tolist() for name in names), strict=True)
    uow.insert(transactions, [owned | dict(zip(names, line, strict=True)) for line in lines])
    _keep_merchants(uow, set(rows["merchant"]))
    keep_names(uow, rows[list(HOLDER_KEYS)].drop_duplicates().to_dict("records"))


def _keep_merchants(uow: UnitOfWork, printed: set[str]) -> None:
    """Keep the merchants that are new; those that another version named are named again."""
    question = sa.select(merchants.c.printed).where(uow.scope(merchants))
    is_old = merchants.c.made_with != __version__
    old = set(uow.connection.scalars(question.where(is_old)))
    if old:
        uow.delete(merchants, is_old)
    new = (printed | old).difference(uow.connection.scalars(question))
    rows = [
        {"printed": printed_name, "name": canonical_name(printed_name).name}
        for printed_name in sorted(new)
    ]
    uow.insert(merchants, [row | {"made_with": __version__} for row in rows])


def read_window(uow: UnitOfWork, seq: int, since: str, until: str) -> pd.DataFrame:
    """Return the transactions of some days that counted once a statement was received.

    Args:
        seq: number of the last statement that counts.
        since: first day.
        until: last day.

    Returns:
        A frame as `STORED`, with `statement_id`, `seq`, `label` and `is_scored`, as
        `counting_payments` orders them.
    """
    columns = [statements.c.seq, statements.c.label, statements.c.is_scored]
    columns += [transactions.c.statement_id]
    columns += [transactions.c[name] for name in STORED]
    question = counting_payments(uow, columns, seq=seq)
    table = each_once(uow, question.where(transactions.c.date.between(since, until)))
    return table.astype({"day_doubled": bool})


def read_newest(uow: UnitOfWork, which: sa.ColumnElement[bool], limit: int) -> pd.DataFrame:
    """Return the newest payments that count and fit a condition, for professional standards too.

    Args:
        which: condition on a row of transactions.
        limit: the most that are given.

    Returns:
        A frame as `read_window` gives it.
    """
    columns = [statements.c.seq, statements.c.label, statements.c.is_scored]
    columns += [transactions.c.statement_id]
    columns += [transactions.c[name] for name in STORED]
    question = counting_payments(uow, columns, with_psd_holds=uow.actor.role == PSD)
    order = (transactions.c.date.desc(), statements.c.seq.desc(), transactions.c.row.desc())
    newest = question.where(which).order_by(None).order_by(*order).limit(limit).subquery()
    counted = (newest.c.is_scored.desc(), newest.c.seq, newest.c.row)
    table = each_once(uow, sa.select(newest).order_by(*counted))
    return table.astype({"day_doubled": bool})


def read_merchants(uow: UnitOfWork, since: str, until: str) -> pd.DataFrame:
    """Read one payment that counts for each merchant as it is printed: the earliest received.

    Args:
        since: first day.
        until: last day.

    Returns:
        A frame as `read_window` gives it.
    """
    columns = [statements.c.seq, statements.c.label, statements.c.is_scored]
    columns += [transactions.c.statement_id]
    columns += [transactions.c[name] for name in STORED]
    order = (statements.c.is_scored.desc(), statements.c.seq, transactions.c.row)
    place = sa.func.row_number().over(partition_by=transactions.c.merchant, order_by=order)
    days = transactions.c.date.between(since, until)
    ranked = counting_payments(uow, [*columns, place.label("place")]).where(days)
    first = ranked.order_by(None).subquery()
    kept_columns = [first.c[column.name] for column in columns]
    question = sa.select(*kept_columns).where(first.c.place == 1)
    table = each_once(uow, question.order_by(first.c.is_scored.desc(), first.c.seq, first.c.row))
    return table.astype({"day_doubled": bool})


def is_any_erased(uow: UnitOfWork, seq: int, since: str) -> bool:
    """Return whether the transactions of a statement that once counted in a window are erased."""
    question = sa.select(statements.c.seq).where(
        uow.scope(statements),
        statement_counts(seq),
        statements.c.last_on >= since,
        statements.c.erased_at.is_not(None),
    )
    return uow.fetch_one(question.limit(1)) is not None


def as_read(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return transactions of the casebook as they were read, a frame a statement.

    Args:
        table: rows as `STORED`, with the `label` of their statement.
    """
    texts = [name for name in (*TRANSACTION_TEXTS, "label") if "date" not in name]
    numbers = {"amount_pence": "int64", "row": "int64", "day_doubled": "bool"}
    converted = table.astype(dict.fromkeys(texts, "str") | numbers)
    for name in ("date", "posting_date"):
        converted[name] = pd.to_datetime(converted[name], format="%Y-%m-%d").astype("datetime64[s]")
    converted = converted.rename(columns={"label": "file"})
    frames = []
    for _, part in converted.groupby("file", sort=False):
        unsaid = [key for key in HOLDER_KEYS if part[key].isna().all()]
        key_types = {key: "str" for key in HOLDER_KEYS if key not in unsaid}
        frames.append(part.drop(columns=unsaid).astype(key_types))
    return frames


def rows_sha256(rows: pd.DataFrame) -> str:
    """Return a hash of every value of some transactions, in the order of their rows."""
    digest = hashlib.sha256()
    for line in _lines(rows):
        digest.update(line)
    return digest.hexdigest()


def check_rows(uow: UnitOfWork, statement: Statement) -> str:
    """Return what is wrong with a statement's transactions: count, sum or hash; or nothing."""
    if statement["erased_at"]:
        return ""
    question = sa.select(*(transactions.c[name] for name in STORED)).where(
        uow.scope(transactions), transactions.c.statement_id == statement["statement_id"]
    )
    records = [tuple(row) for row in uow.connection.execute(question.order_by(transactions.c.row))]
    rows = pd.DataFrame(records, columns=list(STORED), dtype=object)
    if len(rows) != statement["transactions"]:
        return f"{len(rows)} transactions where {statement['transactions']} were received"
    if rows["amount_pence"].sum() != statement["pence"]:
        return "its transactions do not add up to the total received"
    if rows_sha256(rows) != statement["rows_sha256"]:
        return "a transaction has changed since it was received"
    return ""


def _lines(rows: pd.DataFrame) -> Iterator[bytes]:
    """Return each row as text, for its hash."""
    for first in range(0, len(rows), TRANSACTIONS_PER_BATCH):
        for line in _values(
            rows[list(STORED)].iloc[first : first + TRANSACTIONS_PER_BATCH]
        ).tolist():
            line[STORED.index("day_doubled")] = int(line[STORED.index("day_doubled")])
            yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return transactions that were read as rows to be kept, with their identities."""
    days = {name: frame[name].dt.strftime("%Y-%m-%d") for name in ("date", "posting_date")}
    table = frame.assign(**days).reindex(columns=[n for n in STORED if n != "identity"])
    rows = pd.DataFrame(_values(table), table.index, table.columns, dtype=object)
    rows["day_doubled"] = frame["day_doubled"].astype(bool)
    reference_texts = _texts(rows, ("transaction_id", "date", "amount_pence"))
    has_reference = (frame["transaction_id"] != "").to_numpy()
    alike = pd.Series(
        np.where(has_reference, reference_texts, _texts(rows, WITHOUT_REFERENCE)), rows.index
    )
    nth = alike.groupby(alike).cumcount().tolist()
    texts = [f"{text}\x1e{number}" for text, number in zip(alike, nth, strict=True)]
    rows["identity"] = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
    return rows[list(STORED)]


def _values(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Return the values of a table as they are kept, with nothing where none is said."""
    values = table.to_numpy(object, copy=True)
    values[pd.isna(values)] = None
    return values


def _texts(rows: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    """Return some columns of each row as one text."""
    lines = zip(*(rows[name].tolist() for name in names), strict=True)
    return ["\x1f".join("" if part is None else str(part) for part in line) for line in lines]


def _label(uow: UnitOfWork, name: str) -> str:
    """Return a file's name, numbered if a statement has it already."""
    question = sa.select(statements.c.label).where(uow.scope(statements))
    taken_labels = {row["label"] for row in uow.fetch_all(question)}
    number, label = 1, name
    while label in taken_labels:
        number += 1
        label = f"{name} ({number})"
    return label
