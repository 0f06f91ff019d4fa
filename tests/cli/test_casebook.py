"""The commands of the casebook, as a person who has never seen the database uses them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, HEADINGS, SPLIT, month, needs_pdf
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.main import create_app
from api.settings import Settings
from cardwatch import cli, services
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.cli.context import open_context
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Callable

FINANCE, PSD = "finance@force.example", "psd@force.example"
SECOND = "second@force.example"


def _command(*arguments: str, code: int = 0, json_out: bool = True) -> Any:
    """Run a command; return its JSON, or its text."""
    result = CliRunner().invoke(cli.app, [*arguments, *(["--json"] if json_out else [])])
    if isinstance(result.exception, CardwatchError):
        assert code == 3, result.exception
        return str(result.exception)
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.stdout) if json_out and code in {0, 5} else result.output


def _live_in(home: Path, changed: pytest.MonkeyPatch) -> None:
    """Let commands find their home there, and nothing else set."""
    changed.setenv("CARDWATCH_HOME", str(home))
    for name in ("DATABASE", "CHECKPOINTS", "AS", "ORGANISATION"):
        changed.delenv(f"CARDWATCH_{name}", raising=False)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command in a home of its own; give its JSON, or its text and its exit code."""
    _live_in(tmp_path / "home", monkeypatch)
    return _command


@pytest.fixture(scope="module")
def begun_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with two statements and the home of a casebook of them, to be copied."""
    folder = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as changed:
        _live_in(folder / "home", changed)
        added = ("--no-card", "--new-organisation", "Our Force")
        _command("people", FINANCE, "--name", "F", "--role", "finance", *added)
        _command("people", PSD, "--name", "P", "--role", "psd", "--no-card")
        for number, more in ((9, []), (10, [*SPLIT, *EQUAL])):
            path = folder / f"2026-{number:02}.csv"
            path.write_text("\n".join([HEADINGS, *month(number), *more]) + "\n", encoding="utf-8")
        _command("statements", "import", str(folder / "2026-09.csv"), "--history", "--as", FINANCE)
        _command("statements", "import", str(folder / "2026-10.csv"), "--as", FINANCE)
    return folder


@pytest.fixture
def begun(run: Callable[..., Any], begun_folder: Path, tmp_path: Path) -> Callable[..., Any]:
    """Begin with a casebook of a person of each lane and two statements."""
    shutil.copytree(begun_folder, tmp_path, dirs_exist_ok=True)
    return run


def test_a_statement_is_shown_with_its_reading_report(begun: Callable[..., Any]) -> None:
    name = begun("statements", "--as", FINANCE)[1]["statement_id"]
    told = begun("statements", name, "--as", FINANCE, json_out=False)
    assert "rows 18, transactions 18" in told
    assert "amount from 'Amount'" in told
    assert begun("statements", name, "--as", FINANCE)["report"]["transactions"] == 18


def test_registers_are_imported_listed_and_shown(begun: Callable[..., Any], tmp_path: Path) -> None:
    gifts = tmp_path / "gifts.csv"
    gifts.write_text(
        "Employee No,Date of offer,Donor,Accepted or declined\n"
        "E1,05/09/2026,New Firm Ltd,Accepted\nE2,31/13/2026,Shop,Declined\n"
    )
    receipt = begun("registers", "import", str(gifts), "--as", PSD, code=4, json_out=False)
    assert "1 entry, 1 row not readable" in receipt
    (held,) = [r for r in begun("registers", "list", "--as", PSD) if r["versions"]]
    assert (held["kind"], held["entries"]) == ("gifts", 1)
    detail = begun("registers", "show", "gifts", "--as", PSD)
    version = begun("registers", "show", detail["versions"][0]["version_id"], "--as", PSD)
    assert [p["code"] for p in version["report"]["problems"]] == ["bad_day"]
    assert not [r for r in begun("registers", "list", "--as", FINANCE) if r["versions"]]
    assert "cannot upload" in begun("registers", "import", str(gifts), "--as", FINANCE, code=3)


def test_a_register_that_was_not_received_is_no_success(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    """Before, a script that imports contracts read "done" where nothing was kept."""
    head, old = "Supplier,Reference,Start date,End date\n", "Kite Ltd,C3,01/01/2026,31/12/2026\n"
    companies = "Company name,Company number,Status,As of\nKite Ltd,01234567,active,01/04/2026\n"
    texts = (head + old, head + old.replace("C3", "C4"), companies)
    names = ("contracts.csv", "contracts2.csv", "companies.csv")
    for name, text in zip(names, texts, strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    first, later, other = (str(tmp_path / name) for name in names)
    begun("registers", "import", first, "--as", FINANCE)
    told = begun("registers", "import", later, "--as", FINANCE, code=3, json_out=False)
    assert "Not imported: A second person is needed: contracts2.csv" in told
    assert "Added: Kite Ltd, c4" in told
    begun("registers", "import", later, other, "--as", FINANCE, code=4, json_out=False)
    held = {one["kind"]: one["versions"] for one in begun("registers", "list", "--as", FINANCE)}
    assert held == {"companies": 1, "contracts": 1}


def test_of_several_registers_those_that_can_be_are_imported(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    """Before, the first that was refused ended the command, and what came before it stayed."""
    texts = {
        "contracts.csv": "Supplier,Reference,Start date\nKite Ltd,C3,01/01/2026\n",
        "empty.csv": "",
        "colours.csv": "Colour,Shape\nred,round\n",
        "companies.csv": "Company name,Company number,Status\nKite Ltd,01234567,active\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = [str(tmp_path / name) for name in texts]
    told = begun("registers", "import", *files, "--as", FINANCE, code=4, json_out=False)
    assert "Not imported: empty.csv: the file is empty" in told
    assert "Not imported: colours.csv: no column for what any register needs" in told
    held = {one["kind"]: one["versions"] for one in begun("registers", "list", "--as", FINANCE)}
    assert held == {"companies": 1, "contracts": 1}
    begun("registers", "import", *files[1:3], "--as", FINANCE, code=3, json_out=False)
    shown = begun("registers", "show", "contracts", "--as", FINANCE, json_out=False)
    assert "1 without end date" in shown
    assert "{" not in shown


def test_the_columns_of_a_register_are_stated_once(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    head = "Firm,Our number,From when\n"
    files = [tmp_path / name for name in ("contracts.csv", "later.csv")]
    for number, file in enumerate(files):
        file.write_text(head + f"Kite {number} Ltd,C{number},01/01/2026\n", encoding="utf-8")
    first, later = map(str, files)
    refused = begun("registers", "import", first, "--as", FINANCE, code=3)
    assert "cardwatch registers columns FILE" in refused
    profile = begun("registers", "columns", first, json_out=False)
    assert 'organisation = "' in profile
    chosen = 'organisation = "Firm"\nreference = "Our number"\nstarts_on = "From when"\n'
    profile = profile.partition("[columns]\n")[0] + "[columns]\n" + chosen
    (tmp_path / "columns.toml").write_text(profile, encoding="utf-8")
    given = ("--columns", str(tmp_path / "columns.toml"))
    assert "1 entry" in begun("registers", "show", first, *given, json_out=False)
    begun("registers", "import", first, *given, "--as", FINANCE)
    waiting = begun("registers", "import", later, "--as", FINANCE, code=3, json_out=False)
    assert "Added: Kite 1 Ltd, c1" in waiting


def test_decisions_about_names_are_counted_as_they_are_imported(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    """Before, how their file was read was told in place of how many were taken."""
    matches = tmp_path / "matches.csv"
    matches.write_text(
        "Organisation,Merchant,Decision,Reason\nNew Firm Ltd,NEW FIRM,same,seen\n", encoding="utf-8"
    )
    told = begun("registers", "import", str(matches), "--as", PSD, json_out=False)
    assert "matches.csv: matches, 1 entry, 0 rows not readable" in told


def test_feeds_dropped_in_a_folder_are_received_without_a_click(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    feeds = Path(__file__).parents[1] / "tabular" / "feeds"
    for ending in (".vcf", ".cdf.xml", ".gl1025"):
        text = (
            (feeds / f"small{ending}")
            .read_bytes()
            .replace(b"TEST000", ending[1:4].upper().encode() + b"0000")
        )
        (tmp_path / "in" / f"feed{ending}").write_bytes(text)
    (tmp_path / "in" / "broken.ofx").write_text("OFXHEADER:100\n<OFX>", encoding="utf-8")
    watched = (
        "statements",
        "watch",
        str(tmp_path / "in"),
        "--once",
        "--settle",
        "0",
        "--as",
        FINANCE,
    )
    text = begun(*watched, json_out=False)
    assert text.count("Received: feed") == 3
    assert "broken.ofx: read as OFX, it has no end" in text
    assert len(begun("statements", "--as", FINANCE)) == 5
    assert sorted(p.name for p in (tmp_path / "in" / "received").glob("*.receipt.json")) == [
        f"feed{ending}.receipt.json" for ending in (".cdf.xml", ".gl1025", ".vcf")
    ]


def test_watching_once_takes_all_that_wait_however_many(
    begun: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cardwatch.services.drop_folder.AT_ONCE", 2)
    folder, feed = tmp_path / "in", Path(__file__).parents[1] / "tabular" / "feeds" / "small.vcf"
    folder.mkdir()
    for number in range(5):
        whole = feed.read_bytes().replace(b"TEST000", f"T{number:05}A".encode())
        (folder / f"{number}.vcf").write_bytes(whole[:900] if number == 1 else whole)
    watched = ("watch", str(folder), "--once", "--settle", "0.1", "--as", FINANCE)
    begun(*watched, json_out=False)
    assert not list(folder.glob("*.vcf"))
    assert len(list((folder / "received").glob("*.vcf"))) == 4


@pytest.mark.parametrize("page", ["README.md", "docs/casebook.md", "docs/using.md", "docs/api.md"])
def test_the_first_person_is_added_as_the_page_says(run: Callable[..., Any], page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = re.findall(r"^cardwatch (people \S+@.*--new-organisation.*)$", text, re.MULTILINE)
    words = shlex.split(command, comments=True)
    run(*words, json_out=False)
    assert run("people")[0]["email"] == words[1]


def test_before_there_is_a_casebook_a_person_is_told_how_to_begin(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    for command in (
        ["alerts"],
        ["statements", "import", str(tmp_path)],
        ["casebook", "check"],
        ["keys"],
    ):
        assert "cardwatch people EMAIL" in run(*command, code=3)
    assert not (tmp_path / "home" / "casebook.db").exists()


@pytest.mark.parametrize(
    "address",
    ["nonsense", "mysql://x/y", "sqlite:////proc/none.db", "postgresql+psycopg://x@[::1]:1/y"],
)
def test_a_database_that_is_not_there_is_said_in_a_sentence(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("CARDWATCH_DATABASE", address)
    told = run("alerts", code=3)
    assert "casebook" in told or "opened" in told


def test_tables_are_made_by_whoever_owns_them_and_a_file_has_no_other_role(
    run: Callable[..., Any],
) -> None:
    assert run("casebook", "upgrade")[0]["tables"] == run("casebook", "upgrade")[0]["tables"] != ""
    assert "no database roles" in run("casebook", "upgrade", "--serve-as", "cardwatch", code=3)


def test_each_payment_of_an_alert_names_its_cardholder(begun: Callable[..., Any]) -> None:
    with open_context(FINANCE, None) as finance:
        rows = services.list_payments(finance, PaymentFilters(), limit=50)
        places = {row["holder"]: (row["statement_id"], row["row"]) for row in rows}
        of_two = list(places.values())[:2]
        name = services.raise_by_hand(finance, of_two, question="Bought once?")
    told = begun("alerts", "show", name, "--as", FINANCE, json_out=False)
    assert "In all, this alert is about 2 payments by 2 cardholders." in told
    for row in rows:
        if (row["statement_id"], row["row"]) in of_two:
            assert f"£{row['amount_pence'] / 100:,.2f}  {row['holder']}  {row['merchant']}" in told
    assert "Finance" in told.splitlines()[0]


def test_a_month_from_the_file_to_the_decision(begun: Callable[..., Any], tmp_path: Path) -> None:
    found = begun("alerts", "--as", FINANCE)
    assert [one["rule"] for one in found] == ["split-same-day"]
    name = found[0]["alert_id"]
    listed = begun("alerts", "--as", FINANCE, json_out=False)
    assert listed.splitlines()[-1].rstrip().endswith(f"  {found[0]['holders'][0]}")
    text = begun("alerts", name[:5], "--as", FINANCE, json_out=False)
    assert "£1,850" in text
    assert "Ask: " in text
    decided = begun(
        "alerts", "decide", name, "--state", "explained", "--reason", "so", "--as", FINANCE
    )
    assert decided["decisions"][0]["decided_by"] == FINANCE
    assert begun("alerts", "--as", FINANCE) == []
    assert len(begun("alerts", "--all", "--as", FINANCE)) == 1
    assert {"state": "explained", "alerts": 1} in begun("alerts", "counts", "--as", FINANCE)
    assert begun("rules", "precision", "--as", FINANCE)[0]["answered"] == 1
    held = begun("statements", "import", str(tmp_path / "2026-10.csv"), "--as", FINANCE)
    assert held[0]["outcome"] == "held"
    out = tmp_path / "list.csv"
    statement = begun("statements", "--as", FINANCE)[1]["statement_id"]
    why = ["--purpose", "finance-assurance", "--to", "CFO", "--as", FINANCE]
    assert begun("alerts", "export", statement[:4], str(out), *why)[0]["alerts"] == 1
    assert "NEW FIRM" in out.read_text(encoding="utf-8-sig")
    for form in ("csv", "xlsx", "json"):
        kept = begun("alerts", "export", statement, str(tmp_path), "--form", form, *why)[0]["file"]
        assert Path(kept) == tmp_path / f"2026-10 alerts.{form}"
        assert Path(kept).stat().st_size > 100
    kept = begun("alerts", "export", name, str(tmp_path), "--form", "json", "--case", *why)[0][
        "file"
    ]
    assert Path(kept) == tmp_path / f"case {name}.json"


def test_with_several_people_nobody_is_guessed(begun: Callable[..., Any]) -> None:
    assert "--as" in begun("alerts", code=3)
    assert "no" in begun("alerts", "--as", "stranger@force.example", code=3).lower()


def test_each_lane_for_its_own(begun: Callable[..., Any]) -> None:
    theirs = begun("alerts", "--as", PSD, "--lane", "psd")
    assert len(theirs) == 1
    assert "no alert" in begun("alerts", theirs[0]["alert_id"], "--as", FINANCE, code=3)


def test_suppressing_holding_and_ending(begun: Callable[..., Any]) -> None:
    name = begun("alerts", "--as", FINANCE)[0]["alert_id"]
    made = begun(
        "alerts", "suppress", name, "--until", "2027-03-31", "--reason", "contract", "--as", FINANCE
    )[0]
    ended = begun("alerts", "suppress", "--end", made["suppression_id"], "--as", FINANCE)[0]
    assert ended["ended_at"]
    held = begun("retention", "hold", name, "--reason", "case", "--as", FINANCE)[0]
    assert begun("retention", "hold", "--end", held["hold_id"], "--as", FINANCE)[0]["ended_at"]
    assert begun("retention", "set", "alerts", "3000")[0]["alerts"] == 3000
    assert begun("retention", "purge")[0]["transactions"] == 0


def test_settings_are_put_in_force_and_faulty_ones_refused(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    policy, cards = tmp_path / "policy.toml", tmp_path / "cards.csv"
    policy.write_text("unusual_one_in = 50\n", encoding="utf-8")
    cards.write_text("Employee ID,Approver ID\nE1,E9\n", encoding="utf-8")
    for kind, path in (("policy", policy), ("cards", cards)):
        put = begun(kind, "activate", str(path), "--from", "2026-04-01", "--as", FINANCE)
        assert len(put[0]["sha256"]) == 64
    policy.write_text("unusual = 50\n", encoding="utf-8")
    assert "unknown setting" in begun("policy", "activate", str(policy), "--as", FINANCE, code=3)
    assert "needs at least" in begun("model", "activate", "--as", FINANCE, code=3)
    begun("policy", "activate", "--as", FINANCE, code=2, json_out=False)


def test_keys_are_shown_once_and_people_end(begun: Callable[..., Any]) -> None:
    key = begun("keys", "--name", "ledger", "--role", "auditor")["key"]
    assert key.startswith("cw_our-force_")
    listed = begun("keys")
    assert key.split("_", 3)[3] not in json.dumps(listed)
    assert begun("keys", "--end", listed[0]["key_id"])[0]["ended_at"]
    begun("people", FINANCE, "--end")
    assert "access" in begun("alerts", "--as", FINANCE, code=3)


def test_proof_and_copies(begun: Callable[..., Any], tmp_path: Path) -> None:
    assert [one["fault"] for one in begun("casebook", "verify", "--as", PSD)] == ["", ""]
    again = begun("casebook", "verify", "--independent", "--as", FINANCE)
    assert {one["result"] for one in again} == {"agreed"}
    assert {"split-same-day", "exact-duplicate"} <= {one["rule"] for one in again}
    assert [one["fault"] for one in begun("audit", "verify", "--as", PSD)] == ["", ""]
    assert len(begun("audit", "checkpoint")) == 2
    files = sorted((tmp_path / "home" / "checkpoints").iterdir())
    given = [str(path) for path in files]
    checks = begun("audit", "verify", *given, "--as", PSD)
    names = [file.name for file in files]
    assert [check["checked"] for check in checks] == ["audit log", "audit log", *names]
    assert len(begun("audit", "list", "--last", "3", "--as", FINANCE)) == 3
    assert "BEGIN PUBLIC KEY" in begun("audit", "key")["key"]
    assert all(one["is_well"] or one["what"] == "free disk" for one in begun("casebook", "check"))
    copy = tmp_path / "copy.db"
    rows = begun("casebook", "backup", str(copy))[0]["rows"]
    assert "never overwrites" in begun("casebook", "backup", str(copy), code=3)
    assert "not empty" in begun("casebook", "restore", str(copy), code=3)
    (tmp_path / "home" / "casebook.db").unlink()
    assert begun("casebook", "restore", str(copy))[0]["rows"] == rows
    assert len(begun("alerts", "--as", FINANCE)) == 1


def test_a_backup_that_was_changed_says_so_when_it_is_restored(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    """Whoever has the backup makes a reader of finance's alerts out of nobody."""
    copy = tmp_path / "copy.db"
    begun("casebook", "backup", str(copy))
    with closing(sqlite3.connect(copy)) as book, book:
        book.execute("UPDATE people SET role = 'psd' WHERE role = 'finance'")
    (tmp_path / "home" / "casebook.db").unlink()
    begun("casebook", "restore", str(copy), code=5)


def test_another_machine_cosigns_a_checkpoint_and_refuses_a_shorter_log(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    files = {name: tmp_path / name for name in ("w.key", "w.pub", "logs", "request", "note")}
    public = begun("audit", "witness-key", "audit.example", str(files["w.key"]))["key"]
    files["w.pub"].write_text(public)
    assert files["w.key"].stat().st_mode & 0o777 == 0o600
    assert "written" in begun("audit", "witness-key", "again", str(files["w.key"]), code=3)
    assert len(begun("audit", "log-keys", "--as", PSD)["keys"].splitlines()) == 2
    files["logs"].write_text(begun("audit", "log-keys", "--as", FINANCE)["keys"])
    assert "cardwatch/our-force/psd" not in files["logs"].read_text()
    request = begun("audit", "witness-request", "--as", FINANCE)["request"]
    files["request"].write_text(request)
    cosign = ("audit", "cosign", str(files["request"]), "--key", str(files["w.key"]),
              "--log-key", str(files["logs"]), "--state", str(tmp_path / "seen.json"))  # fmt: skip
    files["note"].write_text(begun(*cosign)["note"])
    check = ("audit", "verify", str(files["note"]), "--witness-key", str(files["w.pub"]))
    assert [row["fault"] for row in begun(*check, "--as", FINANCE)] == ["", ""]
    size = int(request.splitlines()[3])
    assert f"--since {size}" in begun(*cosign, code=3)  # it has moved on since
    later = begun("audit", "witness-request", "--since", str(size), "--as", FINANCE)["request"]
    files["request"].write_text(later)
    assert begun(*cosign)["note"].count("— audit.example") == 1
    assert "events" in begun("audit", "witness-request", "--since", "9999", "--as", FINANCE, code=3)
    assert "cannot read" in begun(
        "audit", "witness-request", "--lane", "psd", "--as", FINANCE, code=3
    )
    stamp = ("--timestamp", str(files["note"]))
    begun(*check, *stamp, "--as", FINANCE, code=2, json_out=False)
    assert begun("audit", "timestamp-request", str(files["note"]))[0]["file"].endswith("note.tsq")
    faults = begun(*check, *stamp, "--tsa", str(files["note"]), "--as", FINANCE, code=5)
    assert "time-stamp is not" in faults[2]["fault"]


def test_what_cannot_be_read_is_named_and_the_others_are_received(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("this is no statement\n", encoding="utf-8")
    good.write_text("\n".join([HEADINGS, *month(11), "soon,E1,SHOP,5.00,"]), encoding="utf-8")
    told = begun(
        "statements", "import", str(bad), str(good), "--as", FINANCE, code=4, json_out=False
    )
    assert "good.csv: received: 12 transactions" in told
    assert "1 row was not read" in told
    assert "bad.csv" in told
    assert [one["label"] for one in begun("statements", "--as", FINANCE)][-1] == "good.csv"


def test_a_case_is_opened_noted_and_closed(begun: Callable[..., Any]) -> None:
    alerts = begun("alerts", "--lane", "psd", "--as", PSD)
    new = ("case", "open", "Equal amounts", "--reason", "so", "--alert", alerts[0]["alert_id"])
    assert "cannot see cases" in begun(*new, "--as", FINANCE, code=3)
    opened = begun(*new, "--as", PSD)
    reference = opened["reference"]
    assert [one["alert_id"] for one in opened["alerts"]] == [alerts[0]["alert_id"]]
    assert opened["owner"] == PSD
    noted = begun("case", "note", reference, "Asked for the receipts", "--as", PSD)
    assert noted["chronology"][-1]["text"] == "Asked for the receipts"
    close = ("case", "close", reference, "--reason", "done", "--outcome")
    assert "one of no-further-action" in begun(*close, "guilty", "--as", PSD, code=2)
    shown = begun(*close, "no-further-action", "--as", PSD, json_out=False)
    assert reference in shown
    assert "closed" in shown
    assert "Reopen it" in begun("case", "note", reference, "late", "--as", PSD, code=3)


@needs_pdf
def test_cases_are_listed_shown_and_exported(begun: Callable[..., Any], tmp_path: Path) -> None:
    with open_context(PSD, None) as context:
        (alert,) = services.list_alerts(context, services.AlertFilter(lane="psd"))
        new_case = services.NewCase("Equal amounts", "so", (alert["alert_id"],))
        reference = services.open_case(context, new_case)["reference"]
    (listed,) = begun("case", "list", "--state", "open", "--as", PSD)
    assert (listed["reference"], listed["alerts_count"]) == (reference, 1)
    assert begun("case", "list", "--text", "nothing", "--as", PSD) == []
    assert "cannot see cases" in begun("case", "list", "--as", FINANCE, code=3)
    shown = begun("case", "show", reference, "--as", PSD, json_out=False)
    assert "Equal amounts" in shown
    assert "Case opened: so" in shown
    export = ("case", "export", reference, str(tmp_path), "--purpose", "misconduct", "--to", "AA")
    assert "show the names" in begun(*export, "--as", PSD, code=3)
    with open_context(PSD, None) as context:
        services.reveal_case(context, reference, reason="so")
    assert "Another person with your role" in begun(*export, "--as", PSD, code=3)
    begun("people", SECOND, "--name", "S", "--role", "psd", "--no-card")
    (asked,) = begun("approvals", "--as", SECOND)
    assert (asked["kind"], asked["scope"]["recipient"]) == ("export", "AA")
    request = ("approvals", asked["approval_id"], "--approve")
    assert "approve your request" in begun(*request, "--as", PSD, code=3)
    begun(*request, "--as", SECOND)
    (row,) = begun(*export, "--as", PSD)
    assert Path(row["file"]).name == f"psd case {reference}.zip"
    assert begun("audit", "verify", row["file"], "--as", PSD)


def test_what_a_register_takes_away_is_shown_before_it_is_approved(
    begun: Callable[..., Any], tmp_path: Path
) -> None:
    head = "Employee No,Date of offer,Donor,Details,Accepted or declined,Registered\n"
    lunch, cup = (
        f"E{n},05/09/2026,{donor},Lunch,Accepted,06/09/2026\n"
        for n, donor in enumerate(("Osprey Ltd", "Heron Ltd"))
    )
    for name, text in (("gifts.csv", head + lunch + cup), ("gifts2.csv", head + cup)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    begun("registers", "import", str(tmp_path / "gifts.csv"), "--as", PSD)
    later = ("registers", "import", str(tmp_path / "gifts2.csv"), "--replaces", "--as", PSD)
    assert "Another person with your role" in begun(*later, code=3)
    begun("people", SECOND, "--name", "S", "--role", "psd", "--no-card")
    (asked,) = begun("approvals", "--as", SECOND)
    shown = begun("approvals", asked["approval_id"], "--as", SECOND)
    (change,) = shown["changes"]
    assert (change["effect"], change["subject"]) == ("left-out", "e0")
    assert "Osprey Ltd" in begun("approvals", asked["approval_id"], "--as", SECOND, json_out=False)
    begun("approvals", asked["approval_id"], "--approve", "--as", SECOND)
    (receipt,) = begun(*later)
    assert "1 entry of earlier versions left out, 0 changed" in receipt["notes"]


ESCAPES = "a \x1b]0;TITLE\x07 \x1b[2J \x9b31m \u202e z"
"""What a terminal would obey, in a reason and a file's name."""


@pytest.mark.parametrize("json_out", [True, False])
def test_no_text_of_others_is_obeyed_by_the_terminal(
    begun: Callable[..., Any],
    tmp_path: Path,
    json_out: bool,  # noqa: FBT001  as pytest gives it
) -> None:
    """A reason, a merchant, a row's problem, a refused file: whoever runs the command reads it."""
    merchant = ESCAPES.replace("\x1b", "\x9b").replace("\x07", "")
    path = tmp_path / "november.csv"
    lines = [
        HEADINGS,
        *month(11),
        f"2026-11-20,E1,{merchant},2.00,X1",
        f"2026-11-21,E2,x,{merchant},X2",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    refused = tmp_path / f"{ESCAPES.replace('/', '')}.csv"
    refused.write_text("no statement", encoding="utf-8")
    alert_id = begun("alerts", "--as", FINANCE)[0]["alert_id"]
    printed = ""
    for arguments, code in (
        (("statements", "import", str(path), "--as", FINANCE), 5),
        (("statements", "import", str(refused), "--as", FINANCE), 3),
        (("alerts", "decide", alert_id, "asked", "--reason", ESCAPES, "--as", FINANCE), 0),
        (("alerts", alert_id, "--as", FINANCE), 0),
        (("case", "open", "t", "--reason", ESCAPES, "--as", PSD), 0),
        (("case", "show", "1", "--as", PSD), 0),
    ):
        words = [*arguments, *(["--json"] if json_out else [])]
        if "show" in words:
            words[2] = begun("case", "list", "--as", PSD)[0]["reference"]
        result = CliRunner().invoke(cli.app, words)
        printed += result.output + str(result.exception if code == 3 else "")
    assert "31m" in printed
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", printed)


@pytest.mark.parametrize("opened_by", ["upgrade", "service"])
def test_keys_of_people_that_another_version_made_are_made_anew_before_anybody_works(
    begun: Callable[..., Any], tmp_path: Path, opened_by: str
) -> None:
    """Before, the first statement after an upgrade did it, and until then an alert was seen."""
    path = tmp_path / "home" / "casebook.db"

    def keys() -> list[str]:
        with closing(sqlite3.connect(path)) as book:
            question = "SELECT subject_id FROM alert_subjects ORDER BY lane, alert_id, subject_id"
            return [key for (key,) in book.execute(question)]

    before = keys()
    with closing(sqlite3.connect(path)) as book, book:
        book.execute("UPDATE organisations SET person_keys = '0'")
        book.execute("UPDATE alert_subjects SET subject_id = 'old ' || subject_id")
        book.execute(
            "UPDATE alert_subjects SET subject_id = substr(subject_id, 5) "
            "WHERE kind IN ('merchant', 'cost-centre')"
        )
    assert keys() != before
    if opened_by == "upgrade":
        begun("casebook", "upgrade")
    else:
        with TestClient(create_app(Settings(), chores=False)):
            pass
    assert keys() == before
