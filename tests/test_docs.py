"""The documentation cannot lie: commands, codes and settings are named where people look."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from cardwatch import cli, records
from cardwatch.casebook import STATES
from cardwatch.policy import default_policy_text
from cardwatch.registers import CARD_MESSAGES, REGISTER_MESSAGES, layouts_page
from cardwatch.reports.formatting import title
from cardwatch.statements.profiles import FIELDS, SETTINGS
from cardwatch.statements.reading import PROBLEM_MESSAGES
from cardwatch.tabular import LIMITS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cardwatch"
README = (ROOT / "README.md").read_text(encoding="utf-8")
STATEMENTS = (ROOT / "docs" / "statements.md").read_text(encoding="utf-8")
CARDS = (ROOT / "docs" / "cards.md").read_text(encoding="utf-8")
CODE = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


def refusal_codes() -> set[str]:
    """Return every code with which the package refuses a file."""
    codes = set()
    for text in CODE.values():
        for node in ast.walk(ast.parse(text)):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if named and node.func.id == "FileRefused" and len(node.args) > 1:
                codes |= {a.value for a in node.args[1:2] if isinstance(a, ast.Constant)}
    return codes - {None}


def test_every_command_is_in_the_readme() -> None:
    for name, command in get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        if command.hidden:
            continue
        in_code = re.search(rf"(?m)(`|^|`?cardwatch |make ){re.escape(name)}\b", README)
        assert in_code, name


def test_the_readme_opens_with_what_it_does_and_gives_the_two_commands() -> None:
    assert README.index("finds purchases") < README.index("make demo") < README.index("make test")
    assert README.index("![") < README.index("make demo")


def test_the_pictures_of_the_documents_are_there_small_and_described() -> None:
    pictures = re.compile(r"!\[(.*?)\]\((.+?)\)")
    shown = pictures.findall(README)
    for page in (ROOT / "docs").glob("*.md"):
        found = pictures.findall(page.read_text(encoding="utf-8"))
        shown += [(text, f"docs/{path}") for text, path in found]
    assert {path for _, path in shown} == {
        "docs/demo.svg",
        *(f"docs/pictures/{one.name}" for one in (ROOT / "docs" / "pictures").iterdir()),
    }
    for text, path in shown:
        assert len(text) > 40, path
        assert (ROOT / path).stat().st_size < 150_000, path


@pytest.mark.parametrize("code", sorted(refusal_codes() | {"columns_unknown"}))
def test_every_refusal_of_a_file_is_documented(code: str) -> None:
    assert f"`{code}`" in STATEMENTS


@pytest.mark.parametrize("code", sorted(PROBLEM_MESSAGES))
def test_every_problem_of_a_row_is_documented_with_its_sentence(code: str) -> None:
    assert f"| `{code}` |" in STATEMENTS


@pytest.mark.parametrize(("code", "message"), sorted(CARD_MESSAGES.items()))
def test_every_problem_of_a_registers_row_is_documented_with_its_sentence(
    code: str, message: str
) -> None:
    assert f"| `{code}` | {message} |" in CARDS


@pytest.mark.parametrize(("code", "message"), sorted(REGISTER_MESSAGES.items()))
def test_every_problem_of_an_entry_is_documented_with_its_sentence(code: str, message: str) -> None:
    page = (ROOT / "docs" / "registers.md").read_text(encoding="utf-8")
    assert f"| `{code}` | {message} |" in page


def test_the_committed_page_of_layouts_is_the_one_made_from_the_files() -> None:
    page = (ROOT / "docs" / "register-layouts.md").read_text(encoding="utf-8")
    assert page == layouts_page(), "run 'make docs'"


def test_every_field_and_setting_of_a_profile_is_documented_or_explained_in_it() -> None:
    for setting in SETTINGS - {"columns"}:
        assert f"`{setting}`" in STATEMENTS, setting
    assert all(FIELDS.values())


def test_the_published_limits_are_those_in_force() -> None:
    for figure in (
        f"{LIMITS.columns} columns",
        f"{LIMITS.cell_characters:,} characters",
        f"{LIMITS.archive_entries} parts",
        f"{LIMITS.cpu_seconds} seconds",
        f"{LIMITS.text_bytes // 2**20} MiB",
        f"{LIMITS.workbook_bytes // 2**20} MiB",
    ):
        assert figure in STATEMENTS, figure


def test_every_setting_of_the_policy_has_a_comment_before_it() -> None:
    text = default_policy_text()
    for key in tomllib.loads(text):
        lines = text.splitlines()
        at = next(i for i, line in enumerate(lines) if re.match(rf"(?:\[+{key}\]+|{key} =)", line))
        before = lines[max(at - 12, 0) : at + 1]
        assert any("#" in line for line in before), key


def test_every_column_of_a_transaction_has_a_meaning() -> None:
    for columns in (records.TRANSACTION_COLUMNS, records.CARD_COLUMNS, records.MATCH_COLUMNS):
        assert all(columns.values())


def test_nothing_unpickles_and_nothing_is_left_for_later() -> None:
    banned = re.compile(
        r"\b(?:joblib\.(?:load|dump|Memory)|pickle|cloudpickle|dill|read_pickle|allow_pickle)\b"
    )
    unfinished = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError")
    for path, text in CODE.items():
        tree = ast.parse(text)
        words = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        words |= {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        words |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert not any(banned.search(word) for word in words), path
        assert not unfinished.search(text), path


def test_only_the_doors_catch_everything() -> None:
    """Whoever runs jobs is a door, so that the next is done; and what looks at workbooks with xlrd.

    Its errors of damaged files are plain exceptions, and the values were read by another library.
    """
    for path, text in CODE.items():
        assert path.name in {"jobs.py", "workbook.py"} or "except Exception" not in text, path
        assert "except:" not in text, path


def test_every_module_says_in_one_sentence_what_it_is_for() -> None:
    for path, text in CODE.items():
        first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
        assert first.endswith("."), path


def test_every_name_of_a_page_or_button_in_the_guide_is_on_a_page() -> None:
    guide = re.sub(r"\s+", " ", (ROOT / "docs" / "using.md").read_text(encoding="utf-8"))
    pages = "\n".join(
        path.read_text(encoding="utf-8")
        for folder, ending in (("api/templates", "*.html"), ("api/web", "*.py"))
        for path in sorted((ROOT / folder).glob(ending))
    )
    pages += "\n".join(map(title, STATES))
    names = set(re.findall(r"\*\*(.+?)\*\*", guide)) - {"first alert"}
    assert len(names) > 40
    assert [name for name in sorted(names) if name not in pages] == []
