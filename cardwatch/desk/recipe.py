"""What a statement is scored with: its window of history, and documents by their hashes."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch import __version__
from cardwatch.casebook import documents
from cardwatch.casebook.statements import as_read
from cardwatch.casebook.tables import KINDS
from cardwatch.casebook.work import canonical
from cardwatch.forest import Forest, load_forest, save_forest
from cardwatch.policy import Policy, parse_policy
from cardwatch.records import CardRegister, Problem, ReadingReport, Total
from cardwatch.rules import Rule, load_rules, read_rules, rule_texts
from cardwatch.scoring import Scoring, score
from cardwatch.statements import name_holders

if TYPE_CHECKING:
    from cardwatch.casebook import Work


@dataclass(frozen=True)
class Recipe:
    """What a scoring is made with: the hash of each document, empty where there is none."""

    policy: str
    rules: str
    model: str
    cards: str
    cardwatch: str = __version__


@dataclass(frozen=True)
class Ingredients:
    """The documents that a recipe names, read."""

    policy: Policy
    rules: tuple[Rule, ...]
    forest: Forest | None
    cards: CardRegister | None


def recipe_of(work: Work, day: str) -> Recipe:
    """Return what is in force on a day; rules are this version's unless others were put."""
    found = {kind: documents.sha256_in_force(work, kind, day) or "" for kind in KINDS}
    if not found["rules"]:
        content = canonical(rule_texts()).encode()
        found["rules"] = documents.keep_document(work, "rules", content)
    return Recipe(**found)


def read_recipe(work: Work, recipe: Recipe) -> Ingredients:
    """Return the documents of a recipe.

    Raises:
        NotFound: one of them is not kept as it was.
        ModelRefused: the model does not pass its checks.
    """
    held = {
        kind: documents.read_document(work, sha256) if sha256 else b""
        for kind, sha256 in asdict(recipe).items()
        if kind in KINDS
    }
    texts = json.loads(held["rules"])
    return Ingredients(
        policy=parse_policy(held["policy"].decode(), "policy.toml"),
        rules=load_rules() if texts == rule_texts() else read_rules(texts),
        forest=_unpack_forest(held["model"]) if recipe.model else None,
        cards=_unpack_cards(held["cards"]) if recipe.cards else None,
    )


def score_window(table: pd.DataFrame, label: str, used: Ingredients) -> Scoring:
    """Score one statement in its window.

    Args:
        table: as `read_window` gives it.
        label: of the statement to be scored.
        used: what to score it with.

    Raises:
        NothingToScore: none of its transactions is left.
    """
    together, _ = name_holders(as_read(table))
    return score(
        together,
        used.policy,
        cards=used.cards,
        asked_files=[label],
        forest=used.forest,
        rules=used.rules,
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
    for name, kind in {"totals": Total, "problems": Problem}.items():
        content[name] = [kind(**one) for one in content[name]]
    said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
    return ReadingReport(**said)


def _unpack_forest(content: bytes) -> Forest:
    """Return the forest in a model that was kept, once every check of it has passed."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "kept"
        folder.mkdir()
        for name, data in documents.unpack(content).items():
            (folder / Path(name).name).write_bytes(data)
        return load_forest(folder)


def _unpack_cards(content: bytes) -> CardRegister:
    """Return the card register that was kept."""
    files = documents.unpack(content)
    report = report_of(files["report.json"].decode())
    assert report is not None
    return CardRegister(pd.read_parquet(io.BytesIO(files["cards.parquet"])), report)
