"""Inputs of a scoring: the window of history, and documents by their hashes."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from cardwatch import __version__
from cardwatch.casebook import documents
from cardwatch.casebook.statements import as_read
from cardwatch.casebook.tables import DOCUMENT_KINDS
from cardwatch.casebook.unit_of_work import canonical
from cardwatch.errors import CardwatchError, about_field
from cardwatch.fitted_forests import FittedForests
from cardwatch.forest import Forest, load_forest, save_forest
from cardwatch.policy import Policy, default_policy_text, load_policy, parse_policy
from cardwatch.records import CardRegister, Check, Problem, ReadingReport, Register, Total
from cardwatch.registers import approvers_by_holder
from cardwatch.rules import Rule, load_rules, read_rules, rule_texts
from cardwatch.scoring import ScoringResult, score
from cardwatch.statements import name_holders
from cardwatch.vocabulary import LANES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cardwatch.casebook import UnitOfWork
    from cardwatch.services.answers import ImportOptions


@dataclass(frozen=True)
class ScoringInputs:
    """The inputs of a scoring: the hash of each document, empty where there is none."""

    policy: str
    rules: str
    model: str
    cards: str
    cardwatch: str = __version__


@dataclass(frozen=True)
class LoadedInputs:
    """The documents that a recipe names, read.

    Attributes:
        known_by: see `scoring.score`.
    """

    policy: Policy
    rules: tuple[Rule, ...]
    forest: Forest | None
    cards: CardRegister | None
    registers: tuple[Register, ...] = ()
    known_by: str = ""

    @property
    def approvers(self) -> dict[str, tuple[str, ...]]:
        """Each holder of the card register with everybody who approves a card of theirs."""
        return {} if self.cards is None else approvers_by_holder(self.cards.cards)


D = TypeVar("D")
"""A kind of document, read."""
SHIPPED = ("policy", "rules")
"""Kinds of document with a default in this version."""


def active_inputs(uow: UnitOfWork, day: str) -> ScoringInputs:
    """The active documents on a day; policy and rules are this version's by default."""
    hashes = dict.fromkeys(DOCUMENT_KINDS, "") | documents.active_hashes(uow, DOCUMENT_KINDS, day)
    return ScoringInputs(**hashes | {"rules": hashes["rules"] or shipped_sha256("rules")})


def active_settings(uow: UnitOfWork) -> LoadedInputs:
    """The active policy and rules of today, without the model and cards, which are not read."""
    return load_inputs(uow, replace(active_inputs(uow, uow.today), model="", cards=""))


@cache
def shipped_sha256(kind: str) -> str:
    """Return the hash of this version's own policy or rules as a document."""
    return documents.document_sha256(kind, shipped_content(kind))


@cache
def shipped_content(kind: str) -> bytes:
    """Return this version's own policy or rules as a document."""
    return default_policy_text().encode() if kind == "policy" else pack_rules(rule_texts())


def keep_shipped_rules(uow: UnitOfWork, recipe: ScoringInputs) -> None:
    """Keep this version's rules, if a recipe names them, for later versions to read."""
    if recipe.rules == shipped_sha256("rules"):
        documents.keep_document(uow, "rules", shipped_content("rules"))


def load_inputs(uow: UnitOfWork, recipe: ScoringInputs, *, fresh: bool = False) -> LoadedInputs:
    """Return the documents of a recipe.

    Args:
        recipe: by which hashes.
        fresh: whether each is read from the casebook, whatever is known of it.

    Raises:
        NotFound: one of them is not kept as it was.
        ModelRefused: the model does not pass its checks.
    """

    def read(kind: str, make: Callable[[bytes], D]) -> D | None:
        sha256 = getattr(recipe, kind)
        if not sha256:
            return None
        cached = None if fresh else _read.get(sha256)
        if cached is not None:
            return cached
        loaded = make(documents.read_document(uow, sha256))
        if len(_read) >= MOST_READ:
            _read.clear()
        _read[sha256] = loaded
        return loaded

    shipped = recipe.rules == shipped_sha256("rules")
    if shipped and fresh:
        documents.read_document(uow, recipe.rules)
    return LoadedInputs(
        policy=read("policy", unpack_policy) or load_policy(),
        rules=(None if shipped else read("rules", unpack_rules)) or load_rules(),
        forest=read("model", unpack_forest),
        cards=read("cards", unpack_cards),
    )


def read_model(uow: UnitOfWork, recipe: ScoringInputs) -> tuple[Forest | None, str]:
    """Return the model of a recipe, and why there is none although one is named."""
    try:
        return load_inputs(uow, recipe).forest, ""
    except CardwatchError as refusal:
        return None, str(refusal)


def read_content(uow: UnitOfWork, recipe: ScoringInputs, kind: str) -> bytes:
    """Return a document of a recipe as it is kept; this version's own, or nothing, without one."""
    sha256 = getattr(recipe, kind)
    if kind in SHIPPED and sha256 in {"", shipped_sha256(kind)}:
        return shipped_content(kind)
    return documents.read_document(uow, sha256) if sha256 else b""


MOST_READ = 16
_read: dict[str, Any] = {}
"""Documents read last, by their hash."""
_fitted = FittedForests()
"""Forests fitted last where no model is active: a statement is scored, shown and verified."""


def stated_policy(uow: UnitOfWork, day: str) -> bytes:
    """Return what the active policy of a day states; nothing where the defaults are active."""
    recipe = active_inputs(uow, day)
    return read_content(uow, recipe, "policy") if recipe.policy else b""


def unpack_policy(content: bytes) -> Policy:
    """Return a policy from what is kept of it."""
    with about_field("policy"):
        return parse_policy(content.decode(), "policy.toml")


def pack_rules(texts: Mapping[str, str]) -> bytes:
    """Return the files of rules to be kept, by their names."""
    return canonical(dict(texts)).encode()


def unpack_rules(content: bytes) -> tuple[Rule, ...]:
    """Return rules from what is kept of them.

    Raises:
        FileFaulty: with every fault found.
    """
    with about_field("rules"):
        return read_rules(json.loads(content))


def score_window(
    table: pd.DataFrame, label: str, loaded: LoadedInputs, lanes: Sequence[str] = LANES
) -> ScoringResult:
    """Score one statement in its window.

    Args:
        table: as `read_window` gives it.
        label: of the statement to be scored.
        loaded: what to score it with.
        lanes: those of which a list is wanted.

    Raises:
        NothingToScore: none of its transactions is left.
    """
    return score_read(as_read(table), label, loaded, lanes)


def score_read(
    frames: Sequence[pd.DataFrame], label: str, loaded: LoadedInputs, lanes: Sequence[str] = LANES
) -> ScoringResult:
    """Score one of some statements, as `read_each` gives them; see `score_window`."""
    return score_asked(frames, [label], loaded, lanes)


def score_asked(
    frames: Sequence[pd.DataFrame],
    labels: Sequence[str],
    loaded: LoadedInputs,
    lanes: Sequence[str] = LANES,
) -> ScoringResult:
    """Score some of several statements together, by their labels; see `score_window`."""
    together, _ = name_holders(frames)
    return score(
        together,
        loaded.policy,
        cards=loaded.cards,
        registers=loaded.registers,
        asked_files=labels,
        forest=loaded.forest,
        rules=loaded.rules,
        lanes=lanes,
        fit=_fitted.fit,
        known_by=loaded.known_by,
    )


def pack_policy(text: str, file: str) -> bytes:
    """Return a policy to be kept, once it is found to have no fault.

    Raises:
        FileFaulty: with every fault found.
    """
    parse_policy(text, file)
    return text.encode()


def pack_cards(register: CardRegister) -> bytes:
    """Return a card register to be kept."""
    table = io.BytesIO()
    register.cards.to_parquet(table, index=False)
    report = canonical(asdict(register.report)).encode()
    return documents.pack({"cards.parquet": table.getvalue(), "report.json": report})


def pack_read(frame: pd.DataFrame, report: ReadingReport, options: ImportOptions) -> bytes:
    """Serialise a parsed statement with its import options for the job queue."""
    table = io.BytesIO()
    frame.to_parquet(table, index=False)
    files = {"report.json": canonical(asdict(report)).encode(), "rows.parquet": table.getvalue()}
    return documents.pack(files | {"said.json": canonical(options).encode()})


def unpack_read(content: bytes) -> tuple[pd.DataFrame, ReadingReport, ImportOptions]:
    """Return a statement that waited, as it was read, and what is said of it."""
    files = documents.unpack(content)
    frame = pd.read_parquet(io.BytesIO(files["rows.parquet"]))
    frame = frame.astype(dict.fromkeys(("date", "posting_date"), "datetime64[s]"))
    report = report_of(files["report.json"].decode())
    assert report is not None
    return frame, report, json.loads(files["said.json"])


def pack_forest(forest: Forest, name: str) -> bytes:
    """Return a model to be kept: its whole folder."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / name
        save_forest(forest, folder)
        return documents.pack({path.name: path.read_bytes() for path in folder.iterdir()})


def report_of(text: str) -> ReadingReport | None:
    """Return a reading report from what is kept of it; none where it was erased."""
    content: dict[str, Any] = json.loads(text)
    if not content:
        return None
    for name, kind in {"totals": Total, "problems": Problem, "checks": Check}.items():
        content[name] = [kind(**values) for values in content.get(name, [])]
    arguments: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in content.items()
    }
    return ReadingReport(**arguments)


def unpack_forest(content: bytes) -> Forest:
    """Return the forest in a model that was kept, once every check of it has passed."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "kept"
        folder.mkdir()
        for name, data in documents.unpack(content).items():
            (folder / Path(name).name).write_bytes(data)
        return load_forest(folder)


def unpack_cards(content: bytes) -> CardRegister:
    """Return the card register that was kept."""
    files = documents.unpack(content)
    report = report_of(files["report.json"].decode())
    assert report is not None
    return CardRegister(pd.read_parquet(io.BytesIO(files["cards.parquet"])), report)
