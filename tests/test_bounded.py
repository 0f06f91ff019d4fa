"""TOML from outside: what would take memory without end is refused before it is parsed."""

from __future__ import annotations

import sys

import pytest
from bounded import parse_within_bounds

from cardwatch.bounded import read_toml
from cardwatch.errors import FileFaulty
from cardwatch.policy import default_policy_text, parse_policy
from cardwatch.rules import rule_texts
from cardwatch.rules.rule import parse_rule
from cardwatch.statements import parse_profile
from cardwatch.tabular import ReaderPool

HOSTILE = {
    "dotted key": ".".join(["a"] * 60_000) + " = 1",
    "dotted key with spaces": " . ".join(["a"] * 40_000) + " = 1",
    "quoted dotted key": ".".join(['"a"'] * 40_000) + " = 1",
    "dotted header": "[" + ".".join(["a"] * 60_000) + "]",
    "dotted key after a string": 'x = """a""""\n' + ".".join(["a"] * 60_000) + " = 1",
    "dotted key after a literal": "x = '''a'''''\n" + ".".join(["a"] * 60_000) + " = 1",
    "dotted key in a table": "x = {" + ".".join(["a"] * 60_000) + " = 1}",
    "many dotted keys": "\n".join(f"a{n}.b.c.d.e.f.g.h = 1" for n in range(8_000)),
    "nested lists": "x = " + "[" * 90_000 + "]" * 90_000,
    "nested tables": "x = " + "{a=" * 50_000,
    "many keys": "\n".join(f"k{n} = 1" for n in range(15_000)),
    "many headers": "\n".join(f"[h{n}]" for n in range(15_000)),
    "long key": "a" * 190_000 + " = 1",
    "long quoted key": '"' + "a" * 190_000 + '" = 1',
    "digits": "x = " + "9" * 190_000,
    "large": "# " + "x" * 300_000,
    "strings that do not end": '"""' + '\\"""' * 45_000,
}
SETUP = """
from cardwatch.errors import FileFaulty as refusals
from cardwatch.policy import parse_policy
from cardwatch.rules.rule import parse_rule
from cardwatch.statements import parse_profile
parsers = {
    "policy": lambda: parse_policy(text, "x.toml"),
    "rule": lambda: parse_rule(text, "x.toml"),
    "profile": lambda: parse_profile(text, "x.toml"),
}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits address space, which Linux alone does")
def test_no_parser_takes_much_memory_or_time_for_a_hostile_text() -> None:
    parse_within_bounds(SETUP, HOSTILE, must_refuse=True)


def test_what_ships_keeps_to_the_bounds() -> None:
    assert read_toml(default_policy_text(), "policy.toml")
    for name, text in rule_texts().items():
        assert parse_rule(text, name)


def test_dots_and_brackets_in_strings_and_comments_are_no_keys() -> None:
    text = 'x = "' + "a." * 500 + '" # ' + "[" * 500 + "\ny = '''\n" + "[a.b.c.\n" * 500 + "'''\n"
    assert set(read_toml(text, "x.toml")) == {"x", "y"}
    assert len(read_toml("x = [" + "1.5, " * 5_000 + "]", "x.toml")["x"]) == 5_000


@pytest.mark.parametrize("parse", [parse_policy, parse_rule, parse_profile])
def test_a_refusal_says_which_bound(parse: object) -> None:
    assert callable(parse)
    with pytest.raises(FileFaulty, match="nested more than 8 levels"):
        parse(HOSTILE["dotted key"], "x.toml")


def test_the_child_refuses_a_hostile_text_and_goes_on() -> None:
    with ReaderPool() as readers:
        with pytest.raises(FileFaulty, match="nested"):
            readers.check_toml({"policy.toml": HOSTILE["dotted key"]})
        with pytest.raises(FileFaulty, match="not valid TOML"):
            readers.check_toml({"policy.toml": "x = "})
        readers.check_toml({"policy.toml": default_policy_text()})


@pytest.mark.skipif(sys.platform != "linux", reason="the child's limits are Linux's")
def test_many_texts_that_each_keep_to_the_bounds_have_the_limits_of_one_together() -> None:
    slow = "x = [" + "[1]," * 45_000 + "]"
    with ReaderPool() as readers:
        readers.check_toml({"policy.toml": slow})
        with pytest.raises(FileFaulty, match=r"400 files.*\n.*too much memory or time"):
            readers.check_toml({f"{number}.toml": slow for number in range(400)})
        with pytest.raises(FileFaulty, match=r"^b\.toml"):
            readers.check_toml({"a.toml": "x = 1", "b.toml": "x = ", "c.toml": "y = "})
        readers.check_toml(rule_texts())
