"""Conditions for the statements and payments that count, used by every query of payments.

A statement counts until a statement that corrects it takes its place. Where two statements that
count hold one payment, that of the statement received first counts; one that was scored goes before
one that is kept as history, so that nobody keeps a payment from being asked about. A payment past
its time that only a legal hold of professional standards keeps counts for nobody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook.tables import statements, transactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook.rows import Statement
    from cardwatch.casebook.unit_of_work import Select, UnitOfWork


def statement_counts(seq: int | None = None) -> sa.ColumnElement[bool]:
    """Condition that a statement counts.

    Args:
        seq: number of a statement; the condition is then whether it counted once that one had
            been received.
    """
    corrected = statements.c.superseded_seq
    if seq is None:
        return corrected.is_(None)
    return (statements.c.seq <= seq) & (corrected.is_(None) | (corrected > seq))


def is_counting(row: Statement) -> bool:
    """Whether a statement that was read counts; the same as `statement_counts()`."""
    return row["superseded_seq"] is None


def is_visible(
    payments: sa.FromClause = transactions, *, with_psd_holds: bool = False
) -> sa.ColumnElement[bool]:
    """Condition that a payment is not past its time, or is kept by a hold that may be seen.

    Args:
        payments: the table of transactions, or an alias of it.
        with_psd_holds: whether payments that only professional standards keep are visible.
    """
    return payments.c.visible_to_psd_only.in_((False, True) if with_psd_holds else (False,))


def counting_payments(
    uow: UnitOfWork,
    columns: Sequence[sa.ColumnElement[Any]],
    *,
    seq: int | None = None,
    with_psd_holds: bool = False,
) -> Select:
    """Question for the payments that count, in the order in which statements were received.

    Statements kept as history come after all that were scored.

    The same payment of two statements is answered twice; `each_once` keeps the one that counts.

    Args:
        columns: of the transactions and their statements.
        seq: see `statement_counts`.
        with_psd_holds: see `is_visible`.
    """
    of_statement = statements.c.statement_id == transactions.c.statement_id
    return (
        sa.select(*columns)
        .select_from(transactions)
        .join(statements, uow.scope(statements) & of_statement)
        .where(uow.scope(transactions), statement_counts(seq))
        .where(is_visible(with_psd_holds=with_psd_holds))
        .order_by(statements.c.is_scored.desc(), statements.c.seq, transactions.c.row)
    )


def each_once(uow: UnitOfWork, question: Select) -> pd.DataFrame:
    """Payments that answer a question, each once.

    Args:
        question: as `counting_payments` makes it, with `identity` among its columns.
    """
    names = [column.name for column in question.selected_columns]
    # Tens of thousands of one merchant: pandas takes its time over rows that are not tuples.
    rows = [tuple(row) for row in uow.connection.execute(question)]
    return pd.DataFrame(rows, columns=names).drop_duplicates("identity", ignore_index=True)
