"""The command, as a person types it: output, exit codes, what it remembers, what it never says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from cardwatch import __version__
from cardwatch.cli import main, output
from cardwatch.cli.commands import PANELS

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data"
OWN = "Wann;Wer;Wo;Betrag\n03/10/2026;H1;Shop A;10.00\n23/10/2026;H2;Shop B;-2.50\n"
PROFILE_EDITS = {"date": "Wann", "holder_id": "Wer", "merchant": "Wo", "amount": "Betrag"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Path, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in an environment of its own and check its exit code."""
    ended: object = 0
    environment = {"CARDWATCH_HOME": str(home)}
    with pytest.MonkeyPatch.context() as typed, CliRunner().isolation(env=environment) as written:
        typed.chdir(home.parent)
        typed.setattr(sys, "argv", ["cardwatch", *map(str, words)])
        typed.setattr(output.out, "width", 100)
        try:
            main()
        except SystemExit as end:
            ended = end.code or 0
        sys.stdout.flush(), sys.stderr.flush()
        out, err = (written[number].getvalue().decode() for number in range(2))
    assert ended == code, err
    return subprocess.CompletedProcess(words, code, out, err)


def start(home: Path, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Do the same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "cardwatch", *map(str, words)],
        env={"CARDWATCH_HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        cwd=home.parent,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_demo_prints_ranked_alerts_with_what_to_ask_and_writes_a_spreadsheet(
    home: Path, tmp_path: Path
) -> None:
    done = start(home, "demo", "--out", tmp_path)
    shown = ("1.  £", "tier A", "Ask:", "Possible explanations:", "Questions for finance", "SV1060")
    for text in (*shown, "In the register of gifts", "accepted a gift"):
        assert text in done.stdout
    assert "For professional standards only" in done.stdout
    assert (tmp_path / "2026-10 alerts.xlsx").stat().st_size > 10_000
    assert not home.exists(), "the demo leaves nothing behind"


def test_without_a_terminal_nothing_is_coloured_and_nothing_spins(home: Path) -> None:
    assert "\x1b" not in run(home, "rules").stdout


@pytest.mark.parametrize(
    "words", [("alerts", "lsit"), ("rules", "lst"), ("cards", "shwo", "x.csv"), ("case", "opne")]
)
def test_a_misspelt_verb_is_not_taken_for_an_id(home: Path, words: tuple[str, ...]) -> None:
    assert f"No such command '{words[1]}'. Did you mean" in run(home, *words, code=2).stderr


def test_a_day_from_which_a_model_applies_is_not_left_out_of_account(home: Path) -> None:
    done = run(home, "model", "activate", "--from", "2026-01-01", code=2)
    assert "applies from today" in done.stderr


@pytest.mark.parametrize("noun", ["alerts", "statements", "queries", "case", "registers", "audit"])
def test_a_noun_alone_lists(home: Path, noun: str) -> None:
    assert "There is no casebook yet" in run(home, noun, code=3).stderr


def test_score_gives_json_for_machines_and_only_finance_unless_asked(home: Path) -> None:
    words = ("score", SAMPLE / "statements" / "2026-10.csv", "--history", SAMPLE / "statements")
    done = run(home, *words, "--policy", SAMPLE / "policy.toml", "--json")
    content = json.loads(done.stdout)
    assert set(content["lists"]) == {"finance"}
    assert content["lists"]["finance"]["payments_count"] == 486
    files = content["reading"]["files"]
    assert len(files) == 14, "a file that is in the history as well is read once"
    assert not any(file["refused"] for file in files)


def test_one_bad_file_among_good_ones_is_named_and_the_rest_is_scored(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.7 not a statement")
    done = run(home, "score", SAMPLE / "statements" / "2026-10.csv", tmp_path / "notes.pdf", code=4)
    assert "notes.pdf: this is a PDF" in done.stderr
    assert "Read 1 of 2 files" in done.stderr


def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    done = start(home, "score", tmp_path / "x.csv", code=3)
    assert done.stderr.startswith("cardwatch: x.csv: no column for date, holder, merchant, amount.")
    assert "Headings seen: a, b." in done.stderr
    assert "cardwatch columns" in done.stderr
    done = run(home, "score", tmp_path / "absent.csv", code=3)
    assert "no such file" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("score", "none.csv", "--history", "good.csv"),
        ("model", "train", "none.csv", "a.pdf", "--out", "m"),
    ],
)
def test_what_was_not_read_is_named_where_nothing_is_left_to_score(
    home: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "none.csv").write_text("")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 not a statement")
    (tmp_path / "good.csv").write_bytes((SAMPLE / "statements" / "2026-10.csv").read_bytes())
    assert "Not read: none.csv: the file is empty" in run(home, *words, code=3).stderr


def test_a_column_profile_is_written_edited_given_once_and_then_remembered(
    home: Path, tmp_path: Path
) -> None:
    statement = tmp_path / "own.csv"
    statement.write_text(OWN, encoding="utf-8")
    run(home, "score", statement, code=3)
    text = run(home, "columns", statement).stdout
    assert '\ndate = "Wann"' in text
    assert '\nmerchant = "Wo"  # merchant as printed (needed), guessed by content' in text
    for field, heading in PROFILE_EDITS.items():
        text = text.replace(f'\n{field} = ""', f'\n{field} = "{heading}"')
    (tmp_path / "profile.toml").write_text(text, encoding="utf-8")
    told = run(home, "score", statement, "--columns", tmp_path / "profile.toml")
    assert "2 transactions, £7.50 net of refunds" in told.stderr
    remembered = run(home, "score", statement)
    assert "2 transactions, £7.50 net of refunds" in remembered.stderr


def test_a_statement_is_previewed_and_remembered_profiles_are_listed_and_removed(
    home: Path, tmp_path: Path
) -> None:
    shown = run(home, "columns", SAMPLE / "statements" / "2026-10.csv", "--preview").stdout
    assert "Charges: 477 payments" in shown
    assert "Refunds and credits: 9 payments, -£" in shown
    assert "merchant from 'MERCHANT NAME'" in shown
    assert "- amounts without a minus are charges, as the layout states" in shown
    assert not (home / "columns").exists()
    feed = SAMPLE / "feeds" / "2026-10.vcf"
    assert "needs no profile" in run(home, "columns", feed, code=3).stderr
    statement, profile = tmp_path / "own.csv", tmp_path / "profile.toml"
    statement.write_text(OWN, encoding="utf-8")
    unknown = run(home, "columns", statement, "--preview", code=3)
    assert "amount from 'Betrag', by content" in unknown.stdout
    assert "Not used: 'Wer'" in unknown.stdout
    assert "no column for holder" in unknown.stderr
    statement.write_text(OWN + "04/10/2026;H1;Shop C;1.00\n" * 4, encoding="utf-8")
    guessed = run(home, "columns", statement, "--preview").stdout
    assert "employee_id from 'Wer', by content" in guessed
    assert "Read as guessed columns" in guessed
    text = run(home, "columns", statement).stdout
    for field, heading in PROFILE_EDITS.items():
        text = text.replace(f'\n{field} = ""', f'\n{field} = "{heading}"')
    profile.write_text(text, encoding="utf-8")
    run(home, "score", statement, "--columns", profile)
    (line,) = run(home, "columns", "--list").stdout.splitlines()
    assert "our statement" in line
    assert run(home, "columns", "--remove", line.split()[0]).stdout == ""
    assert "no column profile" in run(home, "columns", "--remove", "../x", code=3).stderr


def test_a_faulty_profile_and_a_faulty_policy_list_every_fault(home: Path, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('colour = "red"\ndate_order = "x"\n', encoding="utf-8")
    done = run(home, "score", SAMPLE, "--columns", tmp_path / "p.toml", code=3)
    assert "2 faults" in done.stderr
    assert not (home / "columns" / "p.toml").exists(), "a faulty profile is not remembered"
    (tmp_path / "policy.toml").write_text('country = "FR"\nround_pounds = 0\n', encoding="utf-8")
    done = run(home, "policy", "check", tmp_path / "policy.toml", code=3)
    assert "2 faults" in done.stderr


def test_the_policy_that_is_shown_is_one_that_passes_the_check(home: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(run(home, "policy", "show").stdout, encoding="utf-8")
    assert "no fault" in run(home, "policy", "check", tmp_path / "policy.toml").stdout


def test_a_limit_that_begins_late_is_said_to_leave_earlier_payments_out(
    home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("[[step]]\nfrom = 2026-11-01\npounds = 5000\n", encoding="utf-8")
    told = run(home, "policy", "check", path).stdout
    assert "Payments before 2026-11-01 are compared with no step limit." in told
    path.write_text("[[step]]\nfrom = 2000-01-01\npounds = 5000\n", encoding="utf-8")
    assert "compared with no" not in run(home, "policy", "check", path).stdout


def test_a_trained_model_scores_and_a_changed_one_is_refused(home: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    policy = ("--policy", SAMPLE / "policy.toml")
    run(home, "model", "train", SAMPLE / "statements", "--out", model, *policy)
    words = ("score", SAMPLE / "statements" / "2026-10.csv", *policy, "--model", model)
    assert "stored anomaly model was trained on 6,874 payments" in run(home, *words).stdout
    (model / "forest.npz").write_bytes(b"changed")
    assert "does not match its manifest" in run(home, *words, code=3).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("score", "x.csv", "--lane", "everyone"),
        ("score", "x.csv", "--out", "list.pdf"),
        ("score", "x.csv", "--date-order", "sideways"),
        ("score",),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_before_any_work(home: Path, words: tuple[str, ...]) -> None:
    start(home, *words, code=2)


def test_every_command_has_help_with_an_example(home: Path) -> None:
    top = run(home, "--help").stdout
    assert re.findall(r"^╭─ (.+?) ─", top, re.MULTILINE) == ["Options", *PANELS]
    for names in PANELS.values():
        assert set(names) <= set(re.findall(r"^│ ([a-z-]+) ", top, re.MULTILINE))
    for command in (
        "score",
        "model train",
        "cards show",
        "rules list",
        "columns",
        "merchant",
        "demo",
    ):
        assert f"Example: cardwatch {command}" in run(home, *command.split(), "--help").stdout
    for command in ("check", "show"):
        page = run(home, "policy", command, "--help").stdout
        assert f"Example: cardwatch policy {command}" in page
    assert run(home, "--version").stdout == f"cardwatch {__version__}\n"


def test_a_rule_is_shown_whole_and_an_unknown_one_refused(home: Path) -> None:
    page = run(home, "rules", "show", "split-same-day").stdout
    assert "Possible explanations" in page
    assert len(json.loads(run(home, "rules", "list", "--json").stdout)) >= 30
    assert "There is no rule 'x'" in run(home, "rules", "x", code=3).stderr


def test_a_register_is_accounted_for_row_by_row_and_matched(home: Path, tmp_path: Path) -> None:
    register = tmp_path / "cards.csv"
    text = (
        (SAMPLE / "cards.csv").read_text(encoding="utf-8-sig").replace("1000,2000", "1O00,2000", 1)
    )
    register.write_text(text.replace("SV1005,", "SV9005,"), encoding="utf-8")
    words = ("cards", register, "--statements", SAMPLE / "statements" / "2026-10.csv")
    done = run(home, *words, code=4)
    assert "cards.csv: 64 rows, 63 kept, 60 cards of 60 holders; 1 not read" in done.stdout
    assert "row 2, column 'Single Limit (£)': a limit is not an amount" in done.stdout
    assert "(bad_limit)" in done.stdout
    # SV1005 stands under another number now: the last four digits find the card.
    assert "480 of 486 payments find their card in it; 6 are on cards that it does" in done.stdout
    content = json.loads(run(home, *words, "--json", code=4).stdout)
    assert (content["rows"], content["cards"], content["matched"]) == (64, 63, 480)
    assert content["reconciles"]
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.7 not a statement")
    partly = run(home, *words, "--statements", tmp_path / "notes.pdf", code=4)
    assert "notes.pdf: this is a PDF" in partly.stderr
    fine = run(home, "cards", SAMPLE / "cards.csv").stdout
    assert "0 not read" in fine
    assert "payments" not in fine


def test_a_register_given_to_score_is_in_what_was_read_and_in_what_is_asked(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("Name,Colour\nx,red\n", encoding="utf-8")
    words = ("score", SAMPLE / "statements" / "2026-10.csv", "--policy", SAMPLE / "policy.toml")
    refused = run(home, *words, "--cards", tmp_path / "bad.csv", code=3)
    assert "bad.csv: no column for limit, approver, unit, status or day." in refused.stderr
    done = run(home, *words, "--cards", SAMPLE / "cards.csv", "--json")
    content = json.loads(done.stdout)
    assert [file["file"] for file in content["reading"]["files"]] == ["2026-10.csv", "cards.csv"]
    made = content["lists"]["finance"]
    assert made["made_by"]["cards"] == content["reading"]["files"][1]["sha256"]
    rules = {reason["rule"] for alert in made["alerts"] for reason in alert["reasons"]}
    assert {"inactive-card-use", "limit-raised-in-cycle"} <= rules
    assert "own-approver" not in rules, "that is for professional standards"


def test_a_merchants_name_is_explained_step_by_step(home: Path) -> None:
    done = run(home, "merchant", "PAYPAL *BLUEFINCH LTD")
    assert "paid through PAYPAL" in done.stdout
    assert "The seller is not shown." in done.stdout


def test_the_card_key_is_made_once_for_its_owner_only(home: Path, tmp_path: Path) -> None:
    statement = tmp_path / "s.csv"
    statement.write_text(
        "date,holder_id,merchant,amount,card_number\n13/10/2026,H1,Shop,5.00,4111111111111111\n",
        encoding="utf-8",
    )
    done = run(home, "score", statement, "--out", tmp_path / "x.json", "--json")
    key = (home / "card.key").read_bytes()
    assert len(key) == 32
    assert (home / "card.key").stat().st_mode & 0o077 == 0
    run(home, "score", statement)
    assert (home / "card.key").read_bytes() == key
    written = done.stdout + done.stderr + (tmp_path / "x.json").read_text(encoding="utf-8")
    assert "4111111111111111" not in written


def test_a_sheet_is_written_to_be_read_and_scored_as_it_was_filled(
    home: Path, tmp_path: Path
) -> None:
    policy = SAMPLE / "policy.toml"
    words = ("evaluate", SAMPLE / "statements", "--policy", policy, "--read", "4")
    run(home, *words, code=2)  # where to?
    run(home, *words, "--out", tmp_path)
    sheet = tmp_path / "to-read.csv"
    text = sheet.read_text(encoding="utf-8")
    sheet.write_text(text.replace(',""\n', ',"yes"\n'), encoding="utf-8")
    told = run(home, *words, "--filled", sheet).stdout
    assert "7-day rule by money  to-read.csv  4     4             1.00" in told
    sheet.write_text(text.replace(',""\n', ',"maybe"\n'), encoding="utf-8")
    assert "enter yes or no" in run(home, *words, "--filled", sheet, code=3).stderr


def test_no_word_about_guilt_is_in_anything_a_person_reads(home: Path) -> None:
    read = [run(home, "--help").stdout, run(home, "rules").stdout]
    read += [path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")]
    read.append((ROOT / "README.md").read_text(encoding="utf-8"))
    for text in read:
        for word in ("fraudster", "offender", "guilty", "suspects"):
            assert word not in text.lower()


def test_registers_are_listed_read_matched_and_scored_with(home: Path, tmp_path: Path) -> None:
    folder = SAMPLE / "registers"
    assert "Gifts and hospitality" in run(home, "registers", "kinds").stdout
    template = run(home, "registers", "template", "gifts").stdout
    assert template.startswith("Employee No,Name,Unit,Work email,Post,Date offered,Donor")
    shown = run(home, "registers", "show", folder / "absence.csv").stdout
    assert "Dropped: 'Reason'" in shown
    faulty = tmp_path / "gifts.csv"
    faulty.write_text(template + "E1,,Fleet,,,yesterday,Osprey Ltd\n", encoding="utf-8")
    assert "bad_day" in run(home, "registers", "show", faulty, code=4).stdout
    assert "Choose one of" in run(home, "registers", "template", "pets", code=3).stderr
    words = ("registers", "match", folder, "--statements", SAMPLE / "statements" / "2026-10.csv")
    content = json.loads(run(home, *words, "--json", "--out", tmp_path / "review.csv").stdout)
    assert {match["band"] for match in content["matches"]} == {"stated", "strong", "possible"}
    assert {chance["kind"] for chance in content["chance"]} >= {"gifts", "interests"}
    assert "Name in register" in (tmp_path / "review.csv").read_text(encoding="utf-8-sig")
    names = tmp_path / "names.csv"
    names.write_text("a,b,n\nOsprey Ltd,Osprey Limited,1\nWren plc,Wren,2\n", encoding="utf-8")
    words = ("registers", "evaluate", names, "--name", "a", "--name", "b", "--number", "n")
    assert "this matcher, strong" in run(home, *words).stdout
    assert "no column" in run(home, *words[:-1], "none", code=3).stderr
    workbook = openpyxl.Workbook()
    for row in (["a", "b", "n"], ["Osprey Ltd", "Osprey Limited", "1"], ["Wren plc", "Wren", "2"]):
        workbook.active.append(row)
    workbook.save(tmp_path / "names.xlsx")
    words = (*words[:2], tmp_path / "names.xlsx", *words[3:])
    assert "this matcher, strong" in run(home, *words).stdout
    (tmp_path / "given" / "2025").mkdir(parents=True)
    (tmp_path / "given" / "2025" / "gifts.csv").write_text(template, encoding="utf-8")
    words = ("registers", "match", tmp_path / "given", "--statements")
    told = run(home, *words, SAMPLE / "statements" / "2026-10.csv").stdout
    assert "nothing declared under a similar name; 0 entries read" in " ".join(told.split())
    (tmp_path / "given" / ".history").mkdir()
    (tmp_path / "given" / ".history" / "notes.csv").write_text("Colour\nred\n", encoding="utf-8")
    assert " ".join(run(home, *words, SAMPLE / "statements" / "2026-10.csv").stdout.split()) == (
        " ".join(told.split())
    ), "a hidden folder is none of the registers"
    (tmp_path / "profiles").mkdir()
    profile = run(home, "registers", "columns", "--kind", "gifts", tmp_path / "given" / "2025" /
                  "gifts.csv").stdout  # fmt: skip
    (tmp_path / "profiles" / "gifts.toml").write_text(profile, encoding="utf-8")
    words = ("registers", "match", tmp_path / "profiles", "--statements")
    answer = run(home, *words, SAMPLE / "statements" / "2026-10.csv", code=3)
    assert "holds no register" in " ".join(answer.stderr.split())


def test_score_takes_a_folder_of_registers_and_finance_sees_contracts_only(home: Path) -> None:
    words = ["score", SAMPLE / "statements" / "2026-10.csv", "--policy", SAMPLE / "policy.toml"]
    words += ["--registers", SAMPLE / "registers", "--json"]
    done = run(home, *words)
    [made] = json.loads(done.stdout)["lists"].values()
    used = {entry["register"] for alert in made["alerts"] for entry in alert.get("entries", [])}
    assert used <= {"contracts", "companies"}
    assert "absence.csv: absence, 55 entries" in done.stderr
    assert "holds no register" in run(home, *words[:-2], home / "none", code=3).stderr
