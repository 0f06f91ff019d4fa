"""Every route of the service: who may ask for it, and what is sent.

The table is held against the app's own routes in tests/api/test_matrix.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from books import PACK_KEY, policy_pack
from conftest import ROOT
from services import OCTOBER

from cardwatch.policy_pack import make_pack
from cardwatch.rules import rule_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

SUBJECT = "subject"
"""A finance person who is signed in, and about whom and whose card there are alerts."""
EVERYBODY = "finance auditor psd admin subject"
READERS = "finance auditor psd subject"
RECEIVERS = "finance psd subject"
KEEPERS = "admin psd"
ROWS = [
    {"date": "2026-10-11", "employee_id": "E1", "merchant": "NEW FIRM", "amount": sum_}
    for sum_ in ("900.00", "950.00")
]
FILE = {"file": ("october.csv", OCTOBER)}
CARDS = {"file": ("cards.csv", "card_last4,employee_id,single_limit\n1234,E1,500\n")}
CONTRACTS = {"file": ("contracts.csv", "Supplier,Reference,Start date\nNew Firm,C1,2026-01-01\n")}
GIFT = "E1,2026-09-05,New Firm Ltd,Accepted\n"
GIFTS = {"file": ("gifts.csv", f"Employee No,Date of offer,Donor,Accepted or declined\n{GIFT}")}
RECEIVED = "2026-10-20"
AGGREGATES = [
    ("files", (path.name, path.read_bytes()))
    for path in sorted((ROOT / "sample_data" / "aggregates").glob("*2026-Q3.json"))
]
COMPLAINT = {"kind": "complaint", "person": "them", "subject": "so", "received_on": RECEIVED}
GROUPS = ("groups.csv", "Staff Number,Sex\nE1,F\nE2,M\n")
COLUMNS = {"date": "A", "merchant": "B", "amount": "C", "employee_id": "D"}
UNKNOWN_LAYOUT = "A,B,C,D\n2026-10-01,SHOP,5.00,E1\n"
ONE_RULE = {name: text for name, text in rule_texts().items() if name == "split-same-day.toml"}
SMALL_PACK = make_pack(replace(policy_pack(), rules=ONE_RULE), PACK_KEY).decode()
POLICY = {"kind": "policy", "policy": "alerts_per_1000 = {n}\n"}
EXPORT = {"statement_id": "{id}", "form": "json", "purpose": "misconduct", "recipient": "{n}"}
CASE = {"alert_ids": ["{id}"]} | {k: v for k, v in EXPORT.items() if k != "statement_id"}
SUPPRESSED = {"until": "2027-03-31", "reason": "so"}
SCIM = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x",
        "displayName": "x"}  # fmt: skip
NOTE_FILE = ("note.txt", "a file")
OPENED = {"title": "Case {n}", "reason": "so"}
SEEN = {"headers": {"If-Match": '"2"'}}
"""The version of a case that was opened with an alert."""
HANDED = {"form": "json", "purpose": "misconduct", "recipient": "{n}"}


@dataclass(frozen=True)
class May:
    """Who may ask for one thing of a route.

    Attributes:
        finance: who may, where it is finance's or nobody's own.
        psd: who may, where it is professional standards' own.
        of: the kind of thing whose id is asked for, if any.
        sent: what is sent; `{id}` is the thing's, `{version}` an alert's, `{n}` a new number.
        is_used: whether the thing is not as it was once somebody has asked.
        opens: what it answers whoever comes, where no key is asked for.
        refused: what it answers whoever may, where this world has not what it takes.
        draws: whether it makes a PDF, which takes libraries that a machine may lack.
    """

    finance: str = ""
    psd: str = ""
    of: str = ""
    sent: dict[str, Any] = field(default_factory=dict)
    is_used: bool = False
    opens: int = 0
    refused: int = 0
    draws: bool = False

    def request(
        self, route: str, thing_id: str, version: int, number: int, alert_ids: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return what to send for one thing: the arguments of a client's request.

        Beside the thing, `{alert}` and `{theirs}` are an alert of either lane.
        """
        method, _, path = route.partition(" ")
        sent = json.dumps({k: v for k, v in self.sent.items() if k != "files"})
        words = {"{id}": thing_id, "{n}": str(number), "{version}": str(version),
                 '"{version_number}"': str(version)}  # fmt: skip
        words |= dict(zip(("{alert}", "{theirs}"), alert_ids, strict=False))
        for word, value in words.items():
            sent = sent.replace(word, value)
        more = json.loads(sent) | {k: v for k, v in self.sent.items() if k == "files"}
        if self.of and "{" in path:
            path = path.partition("{")[0] + thing_id + path.partition("}")[2]
            path = path.replace("{row}", "2")
        return more | {"method": method, "url": path}


def _json(**sent: Any) -> dict[str, Any]:
    return {"json": sent}


NEEDS_CODE = frozenset({
    "POST /v1/exports", "POST /v1/publications", "POST /publication/file", "POST /subject-access",
    "GET /payments.csv", "GET /samples.csv",
    "POST /v1/cases/{case_id}/exports", "POST /cases/{case_id}/hand-over",
    "GET /v1/attachments/{attachment_id}", "GET /attachments/{attachment_id}",
    "POST /v1/attachments/{attachment_id}/removal", "POST /attachments/{attachment_id}/removal",
    "POST /v1/cases/{case_id}/names", "POST /cases/{case_id}/names", "POST /account/mine/code",
    "POST /alerts/export", "POST /alerts/{alert_id}/hand-over",
    "POST /statements/{statement_id}/hand-over",
    "POST /v1/alerts/{alert_id}/names", "POST /alerts/{alert_id}/name",
    "POST /v1/people", "DELETE /v1/people/{person_id}", "PUT /v1/people/{person_id}/cardholder",
    "POST /v1/people/{person_id}/invitation", "POST /people", "POST /people/{person_id}/cardholder",
    "POST /people/{person_id}/invitation", "POST /people/{person_id}/end",
    "POST /v1/keys", "DELETE /v1/keys/{key_id}", "POST /keys", "POST /keys/{key_id}/end",
    "DELETE /v1/sessions/{session_id}", "POST /account/mine/sessions/{session_id}/end",
    "POST /v1/proposals/{proposal_id}/agreement",
    "POST /v1/approvals/{approval_id}/agreement", "POST /approvals/{approval_id}/agreement",
    "POST /settings/proposals/{proposal_id}/agreement",
    "PUT /v1/directory/groups/{group_id}/role", "POST /people/directory",
    "PUT /v1/retention", "POST /v1/erasures", "POST /retention", "POST /retention/erasure",
})  # fmt: skip
"""What needs a code of the last five minutes; so do corrections, by either way of uploading."""
TABLE: tuple[tuple[str, May], ...] = (
    ("GET /health/live", May(opens=200)),
    ("GET /health/ready", May(opens=200)),
    ("GET /metrics", May(opens=404)),  # its key is none of theirs
    ("GET /sign-in/elsewhere", May(opens=404)),  # no provider is set
    ("GET /sign-in/back", May(opens=401)),
    ("POST /v1/session", May(opens=422)),
    ("POST /v1/account/secret", May(opens=422)),
    ("POST /v1/account", May(opens=422)),
    ("PUT /v1/account",  # with a password that is not theirs
     May(sent={"json": dict.fromkeys(("password", "code", "new"), "x")})),
    ("GET /v1/openapi.json", May(EVERYBODY)),
    ("HEAD /v1/openapi.json", May(EVERYBODY)),
    ("GET /v1/version", May(EVERYBODY)),
    ("GET /v1/session", May(EVERYBODY)),
    ("DELETE /v1/session", May(EVERYBODY)),
    ("POST /v1/session/code", May(sent=_json(code="x"))),  # which is nobody's
    ("GET /v1/sessions", May(EVERYBODY)),
    ("DELETE /v1/sessions/{session_id}", May(SUBJECT, of="session", is_used=True)),
    ("POST /v1/scores", May(READERS, sent=_json(transactions=ROWS, history=False))),
    ("POST /v1/scores/file", May(READERS, sent={"files": FILE})),
    ("POST /v1/statements",
     May(RECEIVERS, sent={"files": FILE, "headers": {"Prefer": "respond-async"}})),
    ("POST /v1/statements/preview", May(RECEIVERS, sent={"files": FILE})),
    ("GET /v1/jobs/{job_id}", May("finance", "psd", of="job")),
    ("GET /v1/statements", May(EVERYBODY)),
    ("GET /v1/refused-files", May(RECEIVERS)),
    ("POST /v1/refused-files/{refusal_id}/settlement",
     May("finance subject", "psd", of="refusal", is_used=True)),
    ("GET /v1/statements/{statement_id}", May(EVERYBODY, of="statement")),
    ("GET /v1/statements/{statement_id}/problems.csv", May(EVERYBODY, of="statement")),
    ("POST /v1/statements/{statement_id}/verification", May(EVERYBODY, of="statement")),
    ("POST /v1/statements/{statement_id}/verification/independent",
     May(READERS, of="statement")),
    ("GET /v1/payments", May(READERS)),
    ("GET /v1/payments",
     May("finance auditor psd", "psd", of="alert", sent={"params": {"same_holder_as": "{id}"}})),
    ("GET /v1/payments",
     May("finance auditor psd", "psd", of="alert", sent={"params": {"same_merchant_as": "{id}"}})),
    ("POST /v1/payments/search", May(READERS, sent=_json(text="shop"))),
    ("GET /v1/payments/{statement_id}/{row}", May(READERS, of="statement")),
    ("GET /v1/payments/{statement_id}/{row}/rules", May(READERS, of="statement")),
    ("GET /v1/alerts", May(READERS)),
    ("GET /v1/alerts",
     May("finance auditor psd", "psd", of="alert", sent={"params": {"same_holder_as": "{id}"}})),
    ("GET /v1/alerts",
     May("finance auditor psd", "psd", of="alert", sent={"params": {"same_merchant_as": "{id}"}})),
    ("POST /v1/alerts",
     May(RECEIVERS, of="statement", sent=_json(
         payments=[{"statement_id": "{id}", "row": 2}], question="so"), refused=409)),
    ("POST /v1/alerts/search", May(READERS, sent=_json(text="firm"))),
    ("POST /v1/alerts/decisions",
     May("finance", "psd", of="alert",
         sent=_json(alerts=[{"alert_id": "{id}", "version": "{version_number}"}], reason="so",
                    state="asked"))),
    ("GET /v1/alerts/{alert_id}", May("finance auditor psd", "psd", of="alert")),
    ("POST /v1/alerts/{alert_id}/decisions",
     May("finance", "psd", of="alert",
         sent=_json(reason="so") | {"headers": {"If-Match": '"{version}"'}})),
    ("POST /v1/alerts/{alert_id}/suppressions",
     May("finance", "psd", of="alert", is_used=True, sent=_json(until="2027-03-31", reason="so"))),
    ("POST /v1/alerts/{alert_id}/holds",
     May("finance", "psd", of="alert", is_used=True, sent=_json(reason="so"))),
    ("POST /v1/alerts/{alert_id}/names", May("psd", "psd", of="alert", sent=_json(reason="so"))),
    ("POST /v1/alerts/{alert_id}/queries",  # no mail server listens
     May("finance", of="alert", refused=422, draws=True,
         sent=_json(recipient="Them", email="them@force.example", due_on="2026-12-04"))),
    ("GET /v1/queries", May(READERS)),
    ("GET /v1/queries/{query_id}", May("finance auditor psd", of="query")),
    ("POST /v1/queries/{query_id}/replies",
     May("finance", of="query", sent=_json(replied_by="Them", text="so"))),
    ("POST /v1/alerts/{alert_id}/referrals",  # it is not confirmed
     May("finance", of="alert", sent=_json(reason="so"), refused=409)),
    ("POST /v1/cases/search", May("psd", sent=_json(text="case"))),
    ("POST /v1/cases", May("psd", sent={"json": OPENED | {"alert_ids": ["{alert}"]}})),
    ("GET /v1/cases/{case_id}", May("", "psd", of="case")),
    ("PUT /v1/cases/{case_id}",
     May("", "psd", of="case", is_used=True, sent=_json(reason="so", title="New {n}") | SEEN)),
    ("POST /v1/cases/{case_id}/alerts",
     May("", "psd", of="case", is_used=True, sent=_json(reason="so", alert_id="{theirs}"))),
    ("POST /v1/cases/{case_id}/removals",
     May("", "psd", of="case", is_used=True, sent=_json(reason="so", alert_id="{alert}"))),
    ("POST /v1/cases/{case_id}/notes", May("", "psd", of="case", sent=_json(text="note {n}"))),
    ("POST /v1/cases/{case_id}/attachments",
     May("", "psd", of="case", is_used=True, sent={"files": {"file": NOTE_FILE}})),
    ("POST /v1/cases/{case_id}/closure",
     May("", "psd", of="case", is_used=True, sent=_json(reason="so", outcome="passed-on") | SEEN)),
    ("POST /v1/cases/{case_id}/reopening",  # it is open
     May("", "psd", of="case", is_used=True, sent=_json(reason="so") | SEEN, refused=409)),
    ("POST /v1/cases/{case_id}/names", May("", "psd", of="case", sent=_json(reason="so"))),
    ("POST /v1/cases/{case_id}/exports",
     May("", "psd", of="case", sent=_json(purpose="misconduct", recipient="{n}"), draws=True,
         refused=409)),
    ("GET /v1/attachments/{attachment_id}", May("", "psd", of="attachment")),
    ("POST /v1/attachments/{attachment_id}/removal",
     May("", "psd", of="attachment", is_used=True, sent=_json(reason="so"))),
    ("GET /v1/referrals", May("psd")),
    ("POST /v1/referrals/{referral_id}/refusal",
     May("", "psd", of="referral", is_used=True, sent=_json(reason="so"))),
    ("GET /v1/registers", May(READERS)),
    ("POST /v1/registers", May(RECEIVERS, sent={"files": CONTRACTS})),
    ("POST /v1/registers", May("psd", sent={"files": GIFTS})),
    ("GET /v1/registers/{kind}", May(READERS, "psd", of="register")),
    ("GET /v1/register-versions/{version_id}", May(READERS, "psd", of="version")),
    ("GET /v1/matches", May("psd")),
    ("POST /v1/matches/decisions",
     May("psd", sent=_json(organisation="New Firm", merchant="NEW FIRM", decision="same",
                           reason="so"))),
    ("GET /v1/subjects", May("psd", "psd", of="alert", sent={"params": {"same_as": "{id}"}})),
    ("GET /v1/suppliers/{supplier_id}", May("", "psd", of="supplier")),
    ("GET /v1/cardholders/{cardholder_id}", May("", "psd", of="cardholder")),
    ("GET /v1/units/{unit_id}", May("", "psd", of="unit")),
    ("GET /v1/suppressions", May(READERS)),
    ("DELETE /v1/suppressions/{suppression_id}",
     May("finance", "psd", of="suppression", is_used=True)),
    ("GET /v1/holds", May(READERS)),
    ("DELETE /v1/holds/{hold_id}", May("finance", "psd", of="hold", is_used=True)),
    ("POST /v1/exports", May(READERS, of="statement", sent={"json": EXPORT}, refused=409)),
    ("POST /v1/exports",
     May("psd", of="statement", sent={"json": EXPORT | {"lane": "psd"}}, refused=409)),
    ("POST /v1/exports",
     May("finance auditor psd", "psd", of="alert", sent={"json": CASE}, refused=409)),
    ("GET /v1/exports", May(READERS)),
    ("GET /v1/precision", May(READERS)),
    ("GET /v1/order", May(READERS)),
    ("GET /v1/reconciliation", May(READERS)),
    ("GET /v1/rules", May(READERS)),
    ("GET /v1/rules/{rule_id}", May(READERS, "psd", of="rule")),
    ("GET /v1/policy", May(READERS)),
    ("GET /v1/model", May(READERS)),
    ("GET /v1/settings", May(READERS)),
    ("POST /v1/back-tests", May(READERS, sent={"json": POLICY | {"months": 1}})),
    ("POST /v1/evaluations", May(READERS)),
    ("GET /v1/pack", May(READERS, refused=404)),  # no pack was taken
    ("POST /v1/pack/preview", May(READERS, sent=_json(pack=SMALL_PACK))),
    ("POST /v1/pack/proposals",  # no pack was tested
     May("psd", sent=_json(job_id="000000000000", reason="so"), refused=404)),
    ("GET /v1/proposals", May(READERS)),
    ("POST /v1/proposals", May(RECEIVERS, sent={"json": POLICY | {"reason": "so"}})),
    ("POST /v1/proposals",
     May("psd", sent=_json(kind="rules", reason="so", rules=rule_texts()))),
    ("POST /v1/proposals/cards", May(RECEIVERS, sent={"files": CARDS, "data": {"reason": "so"}})),
    ("POST /v1/proposals/{proposal_id}/agreement",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("POST /v1/proposals/{proposal_id}/refusal",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("GET /v1/people", May(KEEPERS)),
    ("POST /v1/people",
     May("admin", sent=_json(
         name="x", email="{n}@x.example", role="finance", holds_no_card=True))),
    ("POST /v1/people", May("psd", refused=409, sent=_json(  # nobody has approved it, as below
        name="x", email="{n}@x.example", role="psd", holds_no_card=True))),
    ("DELETE /v1/people/{person_id}",
     May("admin", "psd", of="person", is_used=True, refused=409)),
    ("GET /v1/approvals", May(KEEPERS)),
    ("GET /v1/approvals/{approval_id}", May("admin", "psd", of="approval")),
    ("POST /v1/approvals/{approval_id}/agreement",  # no key approves
     May("admin", "psd", of="approval", refused=403)),
    ("POST /v1/approvals/{approval_id}/refusal",
     May("admin", "psd", of="approval", is_used=True)),
    ("PUT /v1/people/{person_id}/cardholder",
     May("admin", "psd", of="person", sent=_json(holds_no_card=True), refused=409)),
    ("POST /v1/people/{person_id}/invitation", May("admin", "psd", of="person")),
    ("GET /v1/keys", May(KEEPERS)),
    ("POST /v1/keys", May("admin", sent=_json(name="x", role="auditor"))),
    ("POST /v1/keys", May("psd", sent=_json(name="x", role="psd"))),
    ("DELETE /v1/keys/{key_id}", May("admin", "psd", of="key", is_used=True)),
    ("GET /v1/directory/users", May("admin")),
    ("GET /v1/directory/groups", May("admin")),
    ("PUT /v1/directory/groups/{group_id}/role",
     May("admin", of="group", sent=_json(role="auditor"))),
    ("GET /v1/webhook", May(KEEPERS)),
    ("PUT /v1/webhook", May(KEEPERS, sent=_json(url="http://127.0.0.1:9/"))),
    ("DELETE /v1/webhook", May(KEEPERS)),
    ("GET /v1/audit/events", May(EVERYBODY)),
    ("GET /v1/audit/events", May("psd", sent={"params": {"lane": "psd"}})),
    ("GET /v1/audit/verification", May("finance auditor psd admin")),  # who holds no card
    ("POST /v1/samples", May(READERS, sent=_json(seed=7, since="2026-10-01", until="2026-10-31"))),
    ("POST /v1/benchmarks", May(READERS, sent={"files": AGGREGATES})),
    ("POST /v1/publications/preview",
     May("finance subject", sent=_json(period="2026-Q3"), refused=422)),
    ("POST /v1/publications",
     May("finance subject", sent=_json(period="2026-Q3", form="csv"), refused=422)),
    ("GET /v1/complaints", May("auditor")),
    ("POST /v1/complaints", May("auditor", sent={"json": COMPLAINT})),
    ("GET /v1/complaints/{complaint_id}", May("auditor", of="complaint")),
    ("POST /v1/complaints/{complaint_id}/acknowledgement",
     May("auditor", of="complaint", is_used=True, sent=_json(acknowledged_on=RECEIVED))),
    ("POST /v1/complaints/{complaint_id}/answer",
     May("auditor", of="complaint", is_used=True, sent=_json(answered_on=RECEIVED, answer="so"))),
    ("GET /v1/retention", May(EVERYBODY)),
    ("PUT /v1/retention", May("admin", sent=_json(kind="alerts", days=2_557))),
    ("POST /v1/erasures", May("admin", refused=409)),
    # An identity provider's key alone reaches these: tests/api/test_scim.py.
    ("GET /scim/v2/ServiceProviderConfig", May()),
    ("GET /scim/v2/ResourceTypes", May()),
    ("GET /scim/v2/ResourceTypes/{name}", May()),
    ("GET /scim/v2/Schemas", May()),
    ("GET /scim/v2/Schemas/{name}", May()),
    ("POST /scim/v2/.search", May(sent={"json": {}})),
    ("GET /scim/v2/Users", May()),
    ("POST /scim/v2/Users", May(sent={"json": SCIM})),
    ("GET /scim/v2/Groups", May()),
    ("POST /scim/v2/Groups", May(sent={"json": SCIM})),
    ("POST /scim/v2/Users/.search", May(sent={"json": {}})),
    ("POST /scim/v2/Groups/.search", May(sent={"json": {}})),
    ("GET /scim/v2/Users/{user_id}", May()),
    ("PUT /scim/v2/Users/{user_id}", May(sent={"json": SCIM})),
    ("PATCH /scim/v2/Users/{user_id}", May(sent={"json": SCIM})),
    ("DELETE /scim/v2/Users/{user_id}", May()),
    ("GET /scim/v2/Groups/{group_id}", May()),
    ("PUT /scim/v2/Groups/{group_id}", May(sent={"json": SCIM})),
    ("PATCH /scim/v2/Groups/{group_id}", May(sent={"json": SCIM})),
    ("DELETE /scim/v2/Groups/{group_id}", May()),
    ("POST /sign-in/provider-logout", May(opens=422)),
    ("GET /static/{name}", May(opens=404)),
    ("GET /help", May(opens=200)),
    ("GET /accessibility", May(opens=200)),
    ("GET /privacy", May(opens=200)),
    ("GET /reference", May(opens=200)),
    ("GET /sign-in", May(opens=200)),
    ("POST /sign-in", May(opens=401)),
    ("GET /account", May(opens=200)),
    ("POST /account", May(opens=422)),
    ("POST /account/password", May(opens=422)),
    ("GET /", May(EVERYBODY)),
    ("POST /sign-out", May(EVERYBODY)),
    ("GET /statements", May(EVERYBODY)),
    ("GET /statements/new", May(RECEIVERS)),
    ("POST /statements/new", May(RECEIVERS, sent={"files": {"files": FILE["file"]}})),
    ("GET /statements/columns",
     May("finance", "psd", of="upload", sent={"params": {"upload": "{id}"}})),
    ("POST /statements/columns",
     May("finance", "psd", of="upload", sent={"data": COLUMNS | {"uploads": "{id}"}})),
    ("GET /statements/profiles", May(RECEIVERS)),
    ("GET /statements/profiles/{profile_id}", May("finance subject", "psd", of="profile")),
    ("POST /statements/profiles/{profile_id}",
     May("finance subject", "psd", of="profile", sent={"data": COLUMNS | {"name": "x"}},
         is_used=True)),
    ("GET /statements/profiles/{profile_id}/removal", May("finance subject", "psd", of="profile")),
    ("POST /statements/profiles/{profile_id}/removal",
     May("finance", "psd", of="profile", is_used=True)),  # whoever saved it
    ("GET /statements/jobs", May("finance", "psd", of="job", sent={"params": {"job": "{id}"}})),
    ("POST /statements/refused/{refusal_id}/columns",
     May("finance subject", "psd", of="refusal", is_used=True)),
    ("POST /statements/refused/{refusal_id}/settlement",
     May("finance subject", "psd", of="refusal", is_used=True)),
    ("GET /statements/{statement_id}", May(EVERYBODY, of="statement")),
    ("GET /payments", May(READERS)),
    ("POST /payments/search", May(READERS, sent={"data": {"text": "shop"}})),
    ("GET /payments.csv", May(READERS)),
    ("GET /payments/{statement_id}/{row}", May(READERS, of="statement")),
    ("GET /payments/{statement_id}/{row}/rules", May(READERS, of="statement")),
    ("GET /registers", May(READERS)),
    ("GET /registers/new", May(RECEIVERS)),
    ("POST /registers/new", May(RECEIVERS, sent={"files": {"files": CONTRACTS["file"]}})),
    ("POST /registers/new", May("psd", sent={"files": {"files": GIFTS["file"]}})),
    ("GET /registers/columns",
     May("finance", "psd", of="register_upload", sent={"params": {"upload": "{id}"}})),
    ("POST /registers/columns",
     May("finance", "psd", of="register_upload", is_used=True,
         sent={"data": {"upload": "{id}", "action": "discard"}})),
    ("GET /registers/versions/{version_id}", May(READERS, "psd", of="version")),
    ("GET /registers/matches", May("psd")),
    ("POST /registers/matches",
     May("psd", sent={"data": {"organisation": "New Firm", "merchant": "NEW FIRM",
                               "decision": "same", "reason": "so"}})),
    ("GET /registers/{kind}", May(READERS, "psd", of="register")),
    ("GET /registers/{kind}/template.csv", May(RECEIVERS, RECEIVERS, of="register")),
    ("GET /suppliers/{supplier_id}", May("", "psd", of="supplier")),
    ("GET /cardholders/{cardholder_id}", May("", "psd", of="cardholder")),
    ("GET /units/{unit_id}", May("", "psd", of="unit")),
    ("GET /alerts", May(READERS)),
    ("POST /alerts/search", May(READERS, sent={"data": {"text": "firm"}})),
    ("GET /alerts/new",
     May(RECEIVERS, of="statement", sent={"params": {"payment": "{id}:2"}})),
    ("POST /alerts/new",
     May(RECEIVERS, of="statement", sent={"data": {"payment": "{id}:4", "question": "so"}},
         refused=422)),
    ("GET /alerts/decisions",
     May("finance", "psd", of="alert", sent={"params": {"alert": "{id}"}})),
    ("POST /alerts/decisions",
     May("finance", "psd", of="alert",
         sent={"data": {"alert": "{id}:{version}", "reason": "so", "state": "asked"}})),
    ("GET /alerts/export", May(READERS, sent={"params": {"lane": "finance"}})),
    ("POST /alerts/export",  # professional standards ask first to see the names
     May("finance auditor subject", sent={"params": {"lane": "finance"}, "data": HANDED})),
    ("GET /alerts/{alert_id}", May("finance auditor psd", "psd", of="alert")),
    ("GET /alerts/{alert_id}/holder", May("finance auditor psd", "psd", of="alert")),
    ("GET /alerts/{alert_id}/merchant", May("finance auditor psd", "psd", of="alert")),
    ("POST /alerts/{alert_id}/decision",
     May("finance", "psd", of="alert", sent={"data": {"reason": "so", "seen": "{version}"}})),
    ("POST /alerts/{alert_id}/name",
     May("psd", "psd", of="alert", sent={"data": {"why": "so"}})),
    ("GET /alerts/{alert_id}/hand-over", May("finance auditor psd", "psd", of="alert")),
    ("POST /alerts/{alert_id}/hand-over",
     May("finance auditor psd", "psd", of="alert", sent={"data": HANDED}, refused=409)),
    ("GET /alerts/{alert_id}/referral", May("finance", of="alert")),
    ("POST /alerts/{alert_id}/referral",  # it is not confirmed
     May("finance", of="alert", sent={"data": {"reason": "so"}}, refused=422)),
    ("GET /alerts/{alert_id}/case", May("psd", "psd", of="alert")),
    ("POST /alerts/{alert_id}/case",
     May("psd", "psd", of="alert", sent={"data": OPENED | {"choice": "new"}})),
    ("GET /cases", May("psd")),
    ("POST /cases/search", May("psd", sent={"data": {"text": "case"}})),
    ("GET /cases/new", May("psd")),
    ("POST /cases/new", May("psd", sent={"data": OPENED})),
    ("GET /cases/{case_id}", May("", "psd", of="case")),
    ("GET /cases/{case_id}/change", May("", "psd", of="case")),
    ("POST /cases/{case_id}/change",
     May("", "psd", of="case", is_used=True, sent={"data": OPENED | {"seen": "2"}})),
    ("POST /cases/{case_id}/notes", May("", "psd", of="case", sent={"data": {"note": "n {n}"}})),
    ("POST /cases/{case_id}/attachments",
     May("", "psd", of="case", is_used=True, sent={"files": {"files": NOTE_FILE}})),
    ("POST /cases/{case_id}/names", May("", "psd", of="case", sent={"data": {"why": "so"}})),
    ("POST /cases/{case_id}/removals",
     May("", "psd", of="case", is_used=True,
         sent={"data": {"removal": "so", "alert": "{alert}"}})),
    ("POST /cases/{case_id}/closure",
     May("", "psd", of="case", is_used=True,
         sent={"data": {"closing": "so", "outcome": "passed-on", "seen": "2"}})),
    ("POST /cases/{case_id}/reopening",  # it is open
     May("", "psd", of="case", is_used=True, sent={"data": {"reopening": "so", "seen": "2"}},
         refused=422)),
    ("GET /cases/{case_id}/hand-over", May("", "psd", of="case")),
    ("POST /cases/{case_id}/hand-over",
     May("", "psd", of="case", sent={"data": HANDED}, draws=True, refused=409)),
    ("GET /attachments/{attachment_id}", May("", "psd", of="attachment")),
    ("GET /attachments/{attachment_id}/removal", May("", "psd", of="attachment")),
    ("POST /attachments/{attachment_id}/removal",
     May("", "psd", of="attachment", is_used=True, sent={"data": {"reason": "so"}})),
    ("GET /referrals", May("psd")),
    ("GET /statements/{statement_id}/hand-over", May(READERS, of="statement")),
    ("POST /statements/{statement_id}/hand-over",
     May(READERS, of="statement", sent={"data": HANDED}, refused=409)),
    ("POST /statements/{statement_id}/hand-over",
     May("psd", of="statement", sent={"data": HANDED | {"lane": "psd"}}, refused=409)),
    ("GET /alerts/{alert_id}/questions", May("finance", of="alert")),
    ("POST /alerts/{alert_id}/questions",
     May("finance", of="alert", sent={"data": {"recipient": "Them"}}, draws=True)),
    ("GET /review", May(READERS)),
    ("GET /rules", May(READERS)),
    ("GET /rules/{rule_id}", May(READERS, "psd", of="rule")),
    ("GET /settings", May(READERS)),
    ("GET /settings/model", May(READERS)),
    ("GET /settings/pack", May(READERS)),
    ("POST /settings/pack",
     May(READERS, sent={"files": {"files": ("pack.json", SMALL_PACK)}, "data": {"months": "1"}})),
    ("GET /precision", May(READERS)),
    ("GET /settings/try", May(READERS)),
    ("POST /settings/try",
     May(READERS, sent={"data": {"policy": "alerts_per_1000 = {n}", "months": "1"}})),
    ("GET /trials/{job_id}", May("finance", "psd", of="job")),
    ("GET /evaluations", May(READERS)),
    ("POST /evaluations", May(READERS)),
    ("GET /settings/policy", May(RECEIVERS)),
    ("POST /settings/policy", May(RECEIVERS, sent={"data": {"alerts_at_least": "1{n}"}})),
    ("GET /settings/propose", May(RECEIVERS)),
    ("POST /settings/propose",
     May(RECEIVERS, sent={"data": {"policy": "alerts_per_1000 = {n}", "reason": "so"}})),
    ("GET /settings/propose/model", May(RECEIVERS)),
    ("POST /settings/propose/model",  # a month is too little for a model
     May(RECEIVERS, sent={"data": {"reason": "so"}}, refused=422)),
    ("POST /settings/propose/order",  # no rule has been answered often enough
     May(RECEIVERS, sent={"data": {"kind": "order-by-answers", "reason": "so"}}, refused=422)),
    ("GET /settings/propose/cards", May(RECEIVERS)),
    ("POST /settings/propose/cards",
     May(RECEIVERS, sent={"files": {"files": CARDS["file"]}, "data": {"reason": "so"}})),
    ("GET /settings/proposals/{proposal_id}",
     May("finance auditor subject", "psd", of="proposal")),
    ("POST /settings/proposals/{proposal_id}/agreement",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("POST /settings/proposals/{proposal_id}/refusal",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("GET /samples", May(READERS)),
    ("GET /samples", May(READERS, of="statement",
                         sent={"params": {"seed": "7", "statement_id": "{id}"}})),
    ("GET /samples.csv", May(READERS, of="statement",
                             sent={"params": {"seed": "7", "statement_id": "{id}"}})),
    ("GET /governance", May(READERS)),
    ("GET /governance.pdf",
     May(READERS, sent={"params": {"quarter": "2026-Q3"}}, draws=True)),
    ("GET /governance/registers", May("psd", sent={"params": {"quarter": "2026-Q3"}})),
    ("GET /governance/registers.pdf",
     May("psd", sent={"params": {"quarter": "2026-Q3"}}, draws=True)),
    ("GET /equality", May(READERS, sent={"params": {"quarter": "2026-Q4"}})),
    ("POST /equality",
     May("auditor", sent={"files": {"files": GROUPS}, "data": {"until": "2026-Q4"}})),
    ("GET /benchmark", May(READERS)),
    ("POST /benchmark", May(READERS, refused=422)),  # no file is sent
    ("GET /publication", May("finance subject")),
    ("POST /publication",
     May("finance subject", sent={"data": {"period": "2026-Q3"}}, refused=422)),
    ("POST /publication/file",
     May("finance subject", sent={"data": {"period": "2026-Q3", "form": "csv"}}, refused=422)),
    ("GET /subject-access", May("auditor")),
    ("POST /subject-access",
     May("auditor", sent={"data": {"identifiers": "E1"}}, draws=True)),
    ("GET /complaints", May("auditor")),
    ("POST /complaints", May("auditor", sent={"data": COMPLAINT})),
    ("GET /complaints/{complaint_id}", May("auditor", of="complaint")),
    ("POST /complaints/{complaint_id}/acknowledgement",
     May("auditor", of="complaint", is_used=True, sent={"data": {"acknowledged_on": RECEIVED}})),
    ("POST /complaints/{complaint_id}/answer",
     May("auditor", of="complaint", is_used=True,
         sent={"data": {"answered_on": RECEIVED, "answer": "so"}})),
    ("GET /impact", May(EVERYBODY)),
    ("GET /impact.pdf", May(EVERYBODY, draws=True)),
    ("GET /audit", May(EVERYBODY)),
    ("GET /audit/events", May(EVERYBODY)),
    ("GET /audit/events", May("psd", sent={"params": {"lane": "psd"}})),
    ("POST /audit/statements/{statement_id}/verification", May(EVERYBODY, of="statement")),
    ("POST /audit/statements/{statement_id}/verification/independent",
     May(READERS, of="statement")),
    ("GET /people/directory", May("admin")),
    ("POST /people/directory",
     May("admin", of="group", sent={"data": {"group_id": "{id}", "role": "auditor"}})),
    ("GET /people", May(KEEPERS)),
    ("POST /people",
     May("admin", sent={"data": {"name": "x", "email": "{n}@y.example", "role": "finance",
                             "holds_no_card": "true"}})),
    ("POST /people",
     May("psd", refused=409,
         sent={"data": {"name": "x", "email": "{n}@y.example", "role": "psd",
                        "holds_no_card": "true"}})),
    ("GET /people/{person_id}", May(KEEPERS, "psd", of="person")),
    ("POST /people/{person_id}/cardholder",
     May("admin", "psd", of="person", sent={"data": {"holds_no_card": "true"}}, refused=409)),
    ("POST /people/{person_id}/invitation", May("admin", "psd", of="person")),
    ("GET /people/{person_id}/end", May("admin", "psd", of="person")),
    ("POST /people/{person_id}/end",
     May("admin", "psd", of="person", is_used=True, refused=409)),
    ("GET /approvals", May(KEEPERS)),
    ("GET /approvals/{approval_id}", May("admin", "psd", of="approval")),
    ("POST /approvals/{approval_id}/agreement",
     May("admin", "psd", of="approval", refused=403)),
    ("POST /approvals/{approval_id}/refusal",
     May("admin", "psd", of="approval", is_used=True)),
    ("GET /keys", May(KEEPERS)),
    ("POST /keys", May("admin", sent={"data": {"name": "x", "role": "auditor"}})),
    ("POST /keys", May("psd", sent={"data": {"name": "x", "role": "psd"}})),
    ("GET /keys/{key_id}/end", May("admin", "psd", of="key")),
    ("POST /keys/{key_id}/end", May("admin", "psd", of="key", is_used=True)),
    ("GET /alerts/{alert_id}/hold", May("finance", "psd", of="alert")),
    ("POST /alerts/{alert_id}/hold",
     May("finance", "psd", of="alert", is_used=True, sent={"data": {"reason": "so"}})),
    ("GET /alerts/{alert_id}/suppression", May("finance", "psd", of="alert")),
    ("POST /alerts/{alert_id}/suppression",
     May("finance", "psd", of="alert", is_used=True, sent={"data": SUPPRESSED})),
    ("POST /alerts/{alert_id}/suppression",
     May("finance", "psd", of="alert", is_used=True,
         sent={"data": SUPPRESSED | {"confirmed": "yes"}})),
    ("GET /queries", May(READERS)),
    ("GET /queries/{query_id}", May("finance auditor psd", of="query")),
    ("POST /queries/{query_id}",
     May("finance", of="query", sent={"data": {"replied_by": "Them", "text": "so"}})),
    ("GET /holds", May(READERS)),
    ("GET /holds/{hold_id}/end", May("finance", "psd", of="hold")),
    ("POST /holds/{hold_id}/end", May("finance", "psd", of="hold", is_used=True)),
    ("GET /suppressions", May(READERS)),
    ("GET /suppressions/{suppression_id}/end", May("finance", "psd", of="suppression")),
    ("POST /suppressions/{suppression_id}/end",
     May("finance", "psd", of="suppression", is_used=True)),
    ("GET /retention", May(EVERYBODY)),
    ("POST /retention", May("admin", sent={"data": {"transactions": "2557", "alerts": "2557",
                                                    "cases": "2557", "registers": "2557",
                                                    "notices": "90",
                                                    "complaints": "2557"}})),
    ("GET /retention/erasure", May("admin")),
    ("POST /retention/erasure", May("admin", refused=409)),
    ("GET /webhook", May(KEEPERS)),
    ("POST /webhook", May(KEEPERS, sent={"data": {"url": "http://127.0.0.1:9/"}})),
    ("GET /webhook/end", May(KEEPERS)),
    ("POST /webhook/end", May(KEEPERS)),
    ("GET /health", May("admin")),
    ("GET /account/mine", May(EVERYBODY)),
    ("POST /account/mine/code", May(EVERYBODY, sent={"data": {"next": "/statements"}})),
    ("POST /account/mine/password", May(sent={"data": {"password": "x", "code": "x", "new": "x"}})),
    ("POST /account/mine/sessions/{session_id}/end", May(SUBJECT, of="session", is_used=True)),
)  # fmt: skip
