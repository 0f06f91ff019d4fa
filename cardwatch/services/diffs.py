"""Readable differences between a document and the active one, line by line."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from cardwatch.casebook.documents import active_sha256, read_document
from cardwatch.casebook.precision import unpack_order
from cardwatch.casebook.tables import ORDER_KINDS, POLICY_PACK
from cardwatch.services.answers import DiffLine, FileChange
from cardwatch.services.packs import pack_documents
from cardwatch.services.scoring_inputs import (
    active_inputs,
    read_content,
    unpack_cards,
    unpack_forest,
    unpack_policy,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardwatch.casebook import UnitOfWork

ADDED, REMOVED, SAME, SKIPPED = "added", "removed", "same", "skipped"
LINE_KINDS = {"+": ADDED, "-": REMOVED, " ": SAME, "@": SKIPPED}
AROUND = 2
"""Unchanged lines shown around a change."""
SHOWN_PROBLEMS = 20
"""Problems of a card register that are listed one by one."""


def changes(uow: UnitOfWork, kind: str, content: bytes, day: str) -> list[FileChange]:
    """The changes of a document against the active one on a day, for each changed file.

    A pack is compared by the policy and rules it makes. A policy is compared by its figures too, as
    a text leaves out what keeps the default; a register and a model by what is known of them, so
    that no holder is named.

    Returns:
        For each `file` its `lines`, each with what it is (added, removed, same, or skipped) and
        its text.
    """
    documents = {kind: content}
    if kind == POLICY_PACK:
        documents = dict(zip(("policy", "rules"), pack_documents(uow, content, day), strict=True))
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for part, new in documents.items():
        before |= _readable(part, _active_content(uow, part, day))
        after |= _readable(part, new)
    changed_files = []
    for file in sorted(before.keys() | after.keys()):
        lines = list(_lines(before.get(file, ""), after.get(file, "")))
        if lines:
            changed_files.append(FileChange(file=file, lines=lines))
    return changed_files


def _active_content(uow: UnitOfWork, kind: str, day: str) -> bytes:
    """The active document of a kind on a day; nothing without one."""
    if kind in ORDER_KINDS.values():
        sha256 = active_sha256(uow, kind, day)
        return read_document(uow, sha256) if sha256 else b""
    return read_content(uow, active_inputs(uow, day), kind)


def _lines(before: str, after: str) -> Iterator[DiffLine]:
    diff_lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), lineterm="", n=AROUND
    )
    for number, line in enumerate(diff_lines):
        if number > 1:  # the first two name the files
            is_skip = line.startswith("@")
            yield {"what": LINE_KINDS[line[0]], "text": "" if is_skip else line[1:]}


def _readable(kind: str, content: bytes) -> Mapping[str, str]:
    """Return a document as texts by the name of their file."""
    if not content:
        return {}
    texts: dict[str, Callable[[bytes], Mapping[str, str]]] = {
        "policy": lambda c: {"Figures": _figures(c), "policy.toml": c.decode()},
        "rules": lambda c: dict(json.loads(c)),
        "cards": lambda c: {"Card register": _cards(c)},
        "model": lambda c: {"Model": _model(c)},
        **dict.fromkeys(ORDER_KINDS.values(), lambda c: {"Order of alerts": _order(c)}),
    }
    return texts[kind](content)


def _order(content: bytes) -> str:
    """Return the rates of an order, a line each."""
    return "\n".join(
        f"{rule}, {band}: {round(100 * rate)} in 100 upheld"
        for (rule, band), rate in unpack_order(content).items()
    )


def _figures(content: bytes) -> str:
    """Every figure of a policy, with defaults for those its text leaves out."""
    figures = {k: v for k, v in asdict(unpack_policy(content)).items() if k != "sha256"}
    return "\n".join(f"{k}: {json.dumps(v, default=str)}" for k, v in figures.items())


def _cards(content: bytes) -> str:
    """Return what a register comes to; the keyed hashes of its cards tell registers apart."""
    register = unpack_cards(content)
    cards, report = register.cards, register.report
    closed = cards["status"].ne("open") | cards["closed_on"].notna()
    facts = {
        "File": report.file,
        "Rows read": f"{len(cards):,}",
        "Rows with a problem": f"{len(report.problems):,}",
        "Cards": f"{cards['card_id'].nunique():,}",
        "Cardholders": f"{cards['holder_id'].nunique():,}",
        "Rows that name an approver": f"{int(cards['approver_id'].ne('').sum()):,}",
        "Rows where the cardholder is the approver": f"{int(cards['is_own_approver'].sum()):,}",
        "Rows with a single-purchase limit": f"{int(cards['single_limit_pence'].gt(0).sum()):,}",
        "Rows closed or lost": f"{int(closed.sum()):,}",
        "Columns used": ", ".join(f"'{heading}'" for heading in report.columns.values()),
        "Hash of the file": report.sha256,
    }
    lines = [f"{name}: {value}" for name, value in facts.items()]
    lines += [f"Note: {note}" for note in report.notes]
    lines += [
        f"Row {problem.row}, column '{problem.column}': {problem.message}"
        for problem in report.problems[:SHOWN_PROBLEMS]
    ]
    if len(report.problems) > SHOWN_PROBLEMS:
        lines.append(f"And {len(report.problems) - SHOWN_PROBLEMS:,} more rows with a problem")
    return "\n".join(lines)


def _model(content: bytes) -> str:
    """Return what is known of a model."""
    forest = unpack_forest(content)
    facts = {
        "Payments trained on": f"{forest.rows:,}",
        "Cardholders": f"{forest.holders:,}",
        "Period": f"{forest.first_on} to {forest.last_on}",
        "Hash of the training data": forest.data_sha256,
        **{f"Reads {feature}, typically": f"{typical:.3f}"
           for feature, typical in zip(forest.features, forest.typical, strict=True)},
    }  # fmt: skip
    return "\n".join(f"{name}: {value}" for name, value in facts.items())
