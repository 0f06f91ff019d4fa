"""From an upload to a decision, as a finance officer's system goes through the service."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from book_fixtures import database_url  # noqa: F401  both databases
from books import SPLIT, month
from openpyxl import load_workbook
from services import OCTOBER, OTHER, OWN, Running, text

from api.downloads import content_disposition
from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.casebook.unit_of_work import SYSTEM


def test_a_statement_becomes_alerts_that_are_decided_once(running: Running) -> None:
    sent = running.send(OCTOBER)
    assert (sent.status_code, sent.json()["outcome"]) == (201, "received")
    assert running.ask("GET", sent.headers["location"]).json()["transactions"] == 18
    page = running.ask("GET", "/v1/alerts", params={"state": "open"}).json()
    assert page["next"] is None
    (alert,) = page["alerts"]
    assert (alert["lane"], alert["at_stake_pence"]) == ("finance", 185_000)
    path = f"/v1/alerts/{alert['alert_id']}"
    whole = running.ask("GET", path)
    assert len(whole.json()["raised"]["payments"]) == 2
    assert whole.json()["made_by"]["rules"]
    said = {"reason": "two sites, two orders", "state": "explained"}
    assert running.ask("POST", f"{path}/decisions", json=said).status_code == 428
    match = {"If-Match": whole.headers["etag"]}
    done = running.ask("POST", f"{path}/decisions", json=said, headers=match)
    assert (done.status_code, done.json()["state"]) == (201, "explained")
    again = running.ask("POST", f"{path}/decisions", json=said, headers=match)
    assert (again.status_code, again.json()["code"]) == (412, "changed")
    match = {"If-Match": done.headers["etag"]}
    more = running.ask("POST", f"{path}/decisions", json={"reason": "a note"}, headers=match)
    assert [one["reason"] for one in more.json()["decisions"]] == [
        "two sites, two orders",
        "a note",
    ]


def test_the_same_bytes_under_any_name_are_one_statement(running: Running) -> None:
    first = running.send(OCTOBER)
    again = running.send(OCTOBER, name="renamed.csv")
    assert (again.status_code, again.json()["outcome"]) == (200, "held")
    assert again.headers["location"] == first.headers["location"]
    assert len(running.ask("GET", "/v1/statements").json()) == 1


def test_an_idempotency_key_names_one_request(running: Running) -> None:
    key = {"Idempotency-Key": "month-10"}

    def send(content: str) -> Any:
        files = {"file": ("october.csv", content)}
        return running.ask("POST", "/v1/statements", files=files, headers=key)

    first, again = send(OCTOBER), send(OCTOBER)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = send(text(*month(11)))
    assert (other.status_code, other.json()["code"]) == (422, "refused")
    assert "Idempotency-Key" in other.json()["detail"]
    assert len(running.ask("GET", "/v1/statements").json()) == 1


def test_who_does_not_wait_gets_a_job_to_follow(running: Running) -> None:
    files = {"file": ("october.csv", OCTOBER)}
    sent = running.ask("POST", "/v1/statements", files=files, headers={"Prefer": "respond-async"})
    assert sent.status_code == 202
    place = sent.headers["location"]
    while (job := running.ask("GET", place).json())["state"] in {"queued", "running"}:
        assert 0 <= job["percent"] < 100
    assert (job["state"], job["percent"], job["answer"]["outcome"]) == ("done", 100, "received")
    assert running.ask("GET", place, role="auditor").status_code == 404
    assert running.ask("GET", place, organisation=OTHER).status_code == 404


def test_a_correction_takes_the_place_of_a_statement(running: Running) -> None:
    old = running.send(OCTOBER).json()["statement_id"]
    shorter = text(*month(10), *SPLIT)
    asked = running.send(shorter, name="corrected.csv", corrects=old)
    assert (asked.status_code, asked.json()["outcome"]) == (202, "second-person")
    admin = services.ServiceContext(running.book, Actor(OWN, SYSTEM, "admin"), running.clock())
    running.keys[OWN, "finance"] = services.create_key(
        admin, name="two", role="finance", days=9, can_decide=True
    )
    new = running.send(shorter, name="corrected.csv", corrects=old)
    assert new.status_code == 201
    assert running.ask("GET", f"/v1/statements/{old}").json()["superseded_by"] is not None
    late = running.send(text(*month(9)), name="late.csv", corrects=old)
    assert (late.status_code, late.json()["code"]) == (422, "refused")
    both = running.send(text(*month(8)), name="both.csv", corrects=old, history="true")
    assert both.status_code == 422


def test_rows_that_cannot_be_read_are_named_and_given_as_csv(running: Running) -> None:
    bad = text(*month(10), "2026-10-40,E1,=SHOP,1.00,X1", "2026-10-04,E1,SHOP,one,X2")
    name = running.send(bad).json()["statement_id"]
    report = running.ask("GET", f"/v1/statements/{name}").json()["report"]
    assert [(one["row"], one["code"]) for one in report["problems"]] == [
        (14, "bad_date"), (15, "bad_amount")
    ]  # fmt: skip
    given = running.ask("GET", f"/v1/statements/{name}/problems.csv")
    named = f"statement {name} rows not read.csv"
    assert given.headers["content-disposition"] == content_disposition(named)
    rows = list(csv.reader(io.StringIO(given.text.removeprefix("\ufeff"))))
    assert [row[1] for row in rows] == ["row", "14", "15"]


def test_unknown_headings_are_answered_with_a_profile_to_be_filled_and_then_remembered(
    running: Running,
) -> None:
    strange = "Wann,Wer,Wo,Wieviel\n2026-10-01,E1,SHOP,5.00\n2026-10-02,E2,SHOP,6.00\n"
    refused = running.send(strange, name="strange.csv")
    told = refused.json()
    assert (refused.status_code, told["code"]) == (422, "columns_unknown")
    assert told["headings"] == ["Wann", "Wer", "Wo", "Wieviel"]
    assert {"date", "merchant"} <= set(told["missing"])
    profile = (
        'name = "strange"\nrecognise = ["Wann", "Wer", "Wo", "Wieviel"]\n[columns]\n'
        'date = ["Wann"]\n'
        'employee_id = ["Wer"]\nmerchant = ["Wo"]\namount = ["Wieviel"]\n'
    )
    assert running.send(strange, name="strange.csv", columns=profile).status_code == 201
    later = strange.replace("2026-10", "2026-11")
    assert running.send(later, name="later.csv").status_code == 201
    pattern = running.send(later, name="p.csv", columns='holder_strip = "(a+)+$"\n' + profile)
    assert "holder_strip" in pattern.json()["faults"][0]


def test_scoring_without_keeping_leaves_nothing_but_its_event(running: Running) -> None:
    running.send(text(*month(9)))
    before = running.ask("GET", "/v1/audit/events", "auditor").json()
    rows = [dict(zip(("date", "employee_id", "merchant", "amount", "transaction_id"),
                     line.split(","), strict=True)) for line in SPLIT]  # fmt: skip
    sent = running.ask("POST", "/v1/scores", "auditor", json={"transactions": rows})
    assert sent.status_code == 200, sent.text
    told = sent.json()
    assert set(told["lists"]) == {"finance"}
    assert told["lists"]["finance"]["alerts"][0]["at_stake_pence"] == 185_000
    assert told["report"]["transactions"] == 2
    assert {"policy", "rules", "model", "cards", "cardwatch", "input"} == set(told["made_with"])
    again = running.ask("POST", "/v1/scores", "auditor", json={"transactions": rows})
    assert again.content == sent.content
    after = running.ask("GET", "/v1/audit/events", "auditor").json()
    new = after[: len(after) - len(before)]
    assert [one["object"] for one in new] == ["score", "score", "audit"]
    assert len(running.ask("GET", "/v1/statements").json()) == 1
    assert running.ask("GET", "/v1/alerts").json()["alerts"] == []


def test_a_file_is_scored_as_its_rows_are_even_where_it_is_held(running: Running) -> None:
    running.send(OCTOBER)
    files = {"file": ("again.csv", OCTOBER)}
    told = running.ask("POST", "/v1/scores/file", files=files)
    assert told.status_code == 200
    assert told.json()["lists"]["finance"]["payments_count"] == 18
    alone = running.ask("POST", "/v1/scores/file", files=files, data={"history": "false"})
    assert alone.json()["lists"]["finance"]["alerts"]
    both = running.ask("POST", "/v1/scores/file", "psd", files=files)
    assert set(both.json()["lists"]) == {"finance", "psd"}
    wrong = running.ask("POST", "/v1/scores/file", files=files, data={"policy": "0000"})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "not_found")


def test_pages_of_alerts_stay_where_they_are_while_new_ones_come(running: Running) -> None:
    lines = [f"2026-10-{1 + n:02},E{n},{chr(65 + n) * 5} WORKS,{sum_}.00,X{n}{sum_}"
             for n in range(9) for sum_ in (900, 950 + n)]  # fmt: skip
    running.send(text(*month(10), *lines))
    for order in ("evidence", "money", "age"):
        every = running.ask("GET", "/v1/alerts", params={"order": order, "limit": 200}).json()
        names = [one["alert_id"] for one in every["alerts"]]
        assert len(names) == 9
        seen, cursor = [], ""
        while cursor is not None:
            asked = {"order": order, "limit": 2, "cursor": cursor}
            page = running.ask("GET", "/v1/alerts", params=asked).json()
            seen += [one["alert_id"] for one in page["alerts"]]
            cursor = page["next"]
            if len(seen) == 4 and order == "age":
                running.send(text(*(line.replace("-10-11", "-09-01") for line in SPLIT)))
        assert seen == names
    wrong = running.ask("GET", "/v1/alerts", params={"order": "age", "cursor": "bm8="})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "refused")


def test_alerts_are_found_by_what_they_are_about_without_a_name_in_the_address(
    running: Running,
) -> None:
    running.send(OCTOBER)
    one = running.ask("GET", "/v1/alerts").json()["alerts"][0]
    for asked, count in (
        ({"same_holder_as": one["alert_id"]}, 1), ({"same_merchant_as": one["alert_id"]}, 1),
        ({"tier": one["tier"]}, 1), ({"kind": "spend"}, 0), ({"rule": one["rule"]}, 1),
        ({"since": "2026-10-12"}, 0), ({"until": "2026-10-11"}, 1),
        ({"at_least_pence": 185_001}, 0),
        ({"statement_id": one["statement_id"]}, 1), ({"assigned_to": "me"}, 0),
        ({"lane": "psd"}, 0),
    ):  # fmt: skip
        found = running.ask("GET", "/v1/alerts", params=asked).json()["alerts"]
        assert len(found) == count, asked


def test_a_suppression_and_a_hold_begin_and_end(running: Running) -> None:
    running.send(OCTOBER)
    name = running.ask("GET", "/v1/alerts").json()["alerts"][0]["alert_id"]
    sent = {"until": "2027-03-31", "reason": "contract 17"}
    made = running.ask("POST", f"/v1/alerts/{name}/suppressions", json=sent)
    assert made.status_code == 201
    again = running.ask("POST", f"/v1/alerts/{name}/suppressions", json=sent)
    assert again.status_code == 409
    assert len(running.ask("GET", "/v1/suppressions", "auditor").json()) == 1
    gone = f"/v1/suppressions/{made.json()['suppression_id']}"
    assert running.ask("DELETE", gone).status_code == 204
    assert running.ask("DELETE", gone).status_code in {204, 404}
    (hold,) = running.ask("POST", f"/v1/alerts/{name}/holds", json={"reason": "case 12"}).json()
    assert running.ask("GET", "/v1/holds").json() == [hold]
    assert running.ask("DELETE", f"/v1/holds/{hold['hold_id']}").status_code == 204


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_a_list_is_handed_over_and_it_is_kept_why_and_to_whom(running: Running, form: str) -> None:
    name = running.send(OCTOBER).json()["statement_id"]
    sent = {"statement_id": name, "form": form, "purpose": "finance-assurance", "recipient": "CFO"}
    given = running.ask("POST", "/v1/exports", json=sent)
    assert given.status_code == 200
    assert given.headers["content-disposition"] == content_disposition(f"2026-10 alerts.{form}")
    if form == "xlsx":
        rows = list(load_workbook(io.BytesIO(given.content))["Alerts"].values)
        assert len(rows) == 2
    elif form == "json":
        assert len(json.loads(given.content)["lists"]["finance"]["alerts"]) == 1
    else:
        assert given.content.count(b"NEW FIRM") >= 2
    (told,) = running.ask("GET", "/v1/exports", "auditor").json()
    assert (told["recipient"], told["purpose"]) == ("CFO", "finance-assurance")
    theirs = running.ask("POST", "/v1/exports", json=sent | {"lane": "psd"})
    assert theirs.status_code == 403


def test_an_auditor_makes_a_statements_alerts_again_and_verifies_the_chain(
    running: Running,
) -> None:
    name = running.send(OCTOBER).json()["statement_id"]
    check = running.ask("POST", f"/v1/statements/{name}/verification", "auditor").json()
    assert (check["fault"], check["alerts"]) == ("", 1)
    again = running.ask("POST", f"/v1/statements/{name}/verification/independent", "auditor").json()
    assert (again["agrees"], again["label"]) == (True, check["label"])
    results = {rule["rule"]: (rule["firings"], rule["result"]) for rule in again["rules"]}
    assert results["split-same-day"] == (2, "agreed")
    (chain,) = running.ask("GET", "/v1/audit/verification", "auditor").json()
    assert (chain["lane"], chain["fault"]) == ("finance", "")
    both = running.ask("GET", "/v1/audit/verification", "psd").json()
    assert [one["lane"] for one in both] == ["finance", "psd"]
    assert running.ask("GET", "/v1/audit/events?lane=psd", "auditor").status_code == 403


def test_what_one_proposes_holds_once_another_agrees(running: Running) -> None:
    running.send(OCTOBER)
    sent = {"kind": "policy", "reason": "fewer", "policy": "alerts_per_1000 = 1\n"}
    made = running.ask("POST", "/v1/proposals", json=sent).json()
    path = f"/v1/proposals/{made['proposal_id']}"
    own = running.ask("POST", f"{path}/agreement")
    assert (own.status_code, own.json()["code"]) == (403, "not_allowed")
    assert running.ask("POST", f"{path}/agreement", "auditor").status_code == 403
    assert running.ask("POST", f"{path}/agreement", organisation=OTHER).status_code == 404
    assert running.ask("GET", "/v1/policy").json()["is_shipped"]
    wanted = {"name": "b", "role": "finance"}
    only_reads = running.ask("POST", "/v1/keys", "admin", json=wanted).json()["key"]
    reader = {"Authorization": f"Bearer {only_reads}"}
    assert running.client.post(f"{path}/agreement", headers=reader).status_code == 403
    wanted_to_decide = wanted | {"can_decide": True}
    decides = running.ask("POST", "/v1/keys", "admin", json=wanted_to_decide).json()["key"]
    second = {"Authorization": f"Bearer {decides}"}
    agreed = running.client.post(f"{path}/agreement", headers=second)
    assert (agreed.status_code, agreed.json()["state"]) == (200, "agreed")
    assert running.client.post(f"{path}/refusal", headers=second).status_code == 409
    policy = running.ask("GET", "/v1/policy").json()
    assert (policy["sha256"], policy["figures"]["alerts_per_1000"]) == (made["sha256"], 1)
    assert [one["kind"] for one in running.ask("GET", "/v1/settings").json()] == ["policy"]
    wrong = running.ask("POST", "/v1/proposals", json=sent | {"policy": "alerts = 'x'\n"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "faulty")
    assert wrong.json()["faults"] == ["unknown setting 'alerts'"]
    rules = running.ask("POST", "/v1/proposals", json={"kind": "rules", "reason": "x", "rules": {}})
    assert rules.status_code == 403


def test_a_back_test_says_who_would_newly_be_asked(running: Running) -> None:
    running.send(OCTOBER)
    policy = '[[single_purchase]]\nfrom = 2020-01-01\npounds = 10000\nvat = "included"\n'
    sent = {"kind": "policy", "months": 1, "policy": policy}
    begun = running.ask("POST", "/v1/back-tests", "auditor", json=sent)
    assert begun.status_code == 202
    place = begun.headers["location"]
    while (job := running.ask("GET", place, "auditor").json())["state"] in {"queued", "running"}:
        pass
    (tried,) = job["answer"]["statements"]
    assert tried["finance"]["before"] >= 1
    gone = [one["fact"] for one in tried["finance"]["no_longer_asked"]]
    assert gone, job
    assert tried["psd"] is None
    assert running.ask("GET", "/v1/policy").json()["is_shipped"]


def test_rules_policy_and_model_are_shown(running: Running) -> None:
    rules = running.ask("GET", "/v1/rules").json()
    assert {one["lane"] for one in rules} == {"finance"}
    both = running.ask("GET", "/v1/rules", "psd").json()
    assert {one["lane"] for one in both} == {"finance", "psd"}
    theirs = next(one["id"] for one in both if one["lane"] == "psd")
    assert running.ask("GET", f"/v1/rules/{theirs}").status_code == 404
    assert running.ask("GET", f"/v1/rules/{theirs}", "psd").status_code == 200
    assert running.ask("GET", "/v1/model").json()["status"] == "none"
    assert running.ask("GET", "/v1/version").json()["database"] in {"sqlite", "postgresql"}


def test_a_preview_stores_nothing_and_gives_a_profile(running: Running) -> None:
    strange = "Wann,Wer,Wo,Wieviel\n" + "2026-10-01,E1,SHOP,5.00\n2026-10-02,E1,SHOP,-6.00\n"
    file = {"file": ("strange.csv", strange)}
    preview = running.ask("POST", "/v1/statements/preview", files=file).json()
    assert preview["is_guessed"]
    assert [row["direction"] for row in preview["payments"]] == ["charge", "refund or credit"]
    assert preview["refunds"] == {"payments": 1, "pence": -600}
    assert {row["field"]: row["heading"] for row in preview["columns"]}["merchant"] == "Wo"
    assert running.ask("GET", "/v1/statements").json() == []
    unclear = {"file": ("strange.csv", strange.replace("E1", ""))}
    refused = running.ask("POST", "/v1/statements/preview", files=unclear).json()
    assert refused["refusal"]["code"] == "columns_unknown"
    profile = {"columns": preview["profile"]}
    stored = running.ask("POST", "/v1/statements", files=file, data=profile)
    assert stored.status_code == 201
