"""Names: words that say nothing of a value stay rare, and a constant's name has one value."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for package in ("cardwatch", "api")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
}
EMPTY_WORDS = frozenset((
    "told", "tell", "said", "asked", "found", "held", "made", "kept", "taken", "given", "wanted",
    "begun", "used", "shown", "sent", "known", "own", "mine", "one", "some", "others", "at",
    "what", "who", "each", "read_", "seen", "done", "meant", "named", "called", "drawn", "put",
    "left", "begins", "opened", "due",
))  # fmt: skip
MOST_EMPTY = 0.01
"""Share of bound names that may be such words: a test that allowed none would forbid `sent`."""


def bound_names(tree: ast.Module) -> list[str]:
    """The names that a module binds: variables and parameters."""
    return [
        node.arg if isinstance(node, ast.arg) else node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.arg)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    ]


def constants(tree: ast.Module) -> dict[str, str]:
    """The constants of a module, with their values as code."""
    values: dict[str, str] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper() and len(target.id) > 1:
                assert isinstance(node, ast.Assign | ast.AnnAssign)
                assert node.value is not None
                values[target.id] = ast.dump(node.value)
    return values


def test_names_say_what_they_hold() -> None:
    names = [name for tree in MODULES.values() for name in bound_names(tree)]
    empty = [name for name in names if name in EMPTY_WORDS]
    assert len(empty) < MOST_EMPTY * len(names), sorted(set(empty))


def test_a_constant_has_one_value() -> None:
    values: defaultdict[str, set[str]] = defaultdict(set)
    for tree in MODULES.values():
        for name, value in constants(tree).items():
            values[name].add(value)
    assert {name for name, different in values.items() if len(different) > 1} == set()
