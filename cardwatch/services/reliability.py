"""The reliability statement of an evidence pack: fifteen questions that a hearing asks of it.

Every answer comes from a record or from a check made now; where there is neither, it says that the
answer is not known. The statement answers from the pack alone, without the installation.
"""

from __future__ import annotations

import json
import platform
import textwrap
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from cardwatch import __version__
from cardwatch.casebook import PSD
from cardwatch.casebook.checkpoints import public_text
from cardwatch.casebook.health import examine
from cardwatch.errors import CardwatchError
from cardwatch.independent import is_installed
from cardwatch.quantities import quantity
from cardwatch.reports import PURPOSES
from cardwatch.services.alerts import rule_precision
from cardwatch.services.people import display_names
from cardwatch.services.reperformance import verify_independently
from cardwatch.services.settings import list_active
from cardwatch.services.verification import StatementCheck, verify_statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from cardwatch.records import Alert, AlertList, Statements
    from cardwatch.reports import ExportCover
    from cardwatch.services.context import ServiceContext

TEXT_FILE, JSON_FILE, KEY_FILE = "reliability.txt", "reliability.json", "signing-key.pem"
MOST_CHECKED = 3
"""Statements whose alerts are made again for one pack: each takes as long as a scoring."""
NAMED_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "sqlalchemy")
METHOD_LIMITS = {
    "split": "It cannot see whether payments were for one need or several.",
    "repeat": "Many ordinary payments are for equal amounts: an equal amount is no proof of a "
    "charge taken twice.",
    "spend": "Small payments that add up are often a standing arrangement that was agreed.",
    "merchant": "Without merchant category codes, lists of categories find nothing.",
    "pattern": "In the first months of history much is new, and rarity is coarse.",
}
"""Known limits of the method by kind of alert, as docs/detection.md states them."""


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    Attributes:
        is_known: whether any record or check answers it.
        answer: its sentences; the first says so where it is not known.
    """

    number: int
    question: str
    is_known: bool
    answer: tuple[str, ...]


@dataclass(frozen=True)
class PackContent:
    """Content of a pack that the statement describes: lists, reading, cover and public key.

    Attributes:
        statement_ids: the statements whose lists it has alerts of.
    """

    lists: Mapping[str, AlertList]
    statement_ids: tuple[str, ...]
    reading: Statements
    cover: ExportCover
    key: Ed25519PublicKey

    @property
    def alerts(self) -> list[Alert]:
        """Every alert in it."""
        return [alert for alert_list in self.lists.values() for alert in alert_list.alerts]


def reliability_files(context: ServiceContext, content: PackContent) -> dict[str, bytes]:
    """Return the statement as text and JSON, and the public key, by file name.

    Alerts of the pack's statements are made again for it, those of at most `MOST_CHECKED`.

    Raises:
        NotAllowed: the role sees no alerts.
    """
    answers = [
        Answer(number, question, bool(sentences), tuple(sentences) or ("Not known.", unknown))
        for number, (question, sentences, unknown) in enumerate(_answers(context, content), start=1)
    ]
    about = {"made_at": content.cover.made_at, "organisation": content.cover.organisation}
    document = {**about, "questions": [asdict(answer) for answer in answers]}
    lines = [f"Reliability statement, made at {content.cover.made_at}", ""]
    for answer in answers:
        lines += [f"{answer.number}. {answer.question}", ""]
        for sentence in answer.answer:
            lines += textwrap.wrap(sentence, 92, initial_indent="   ", subsequent_indent="   ",
                                   break_long_words=False, break_on_hyphens=False)  # fmt: skip
        lines.append("")
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return {
        TEXT_FILE: "\n".join(lines).encode(),
        JSON_FILE: f"{text}\n".encode(),
        KEY_FILE: public_text(content.key).encode(),
    }


def _answers(context: ServiceContext, content: PackContent) -> Iterator[tuple[str, list[str], str]]:
    """Give each question, the sentences that answer it, and why there are none."""
    names = content.statement_ids[:MOST_CHECKED]
    checks = [verify_statement(context, name) for name in names]
    left = len(content.statement_ids) - len(checks)
    unchecked = [f"{quantity(left, 'further statement')} not checked for this pack."] * bool(left)
    yield "Which program and versions made the alerts?", _versions(content), ""
    yield "Which known limits or faults affect these alerts?", _limits(content), ""
    yield "Which tests were passed on this installation, and when?", _tests(context), ""
    yield "Are the statements as they were received?", _received(checks, content) + unchecked, ""
    yield "Were the alerts made again just now, and with what result?", [
        *map(_made_again, checks), *unchecked], ""  # fmt: skip
    yield (
        "Did anything independent come to the same result?",
        _independent(context, names),
        ("The independent run is not installed here (extra `evidence`)."),
    )
    yield "Which clock dates this pack, and how far is it off?", [
        f"The clock of the server said {content.cover.made_at} when the pack was made.",
        "Its source and its offset from another clock are not recorded.",
    ], ""  # fmt: skip
    yield (
        "Who changed the policy, the rules, the model or the registers?",
        _changes(context),
        "",
    )
    yield (
        "Who has seen the alerts?",
        _seen(content),
        ("The pack holds no record of who looked. Only professional standards can include it."),
    )
    yield "Who decided what, and when?", _decided(content), "No decision is in this pack."
    yield "What was left out?", _left_out(content), ""
    yield "How can it be checked by hand that nothing in the pack was changed?", _by_hand(), ""
    yield "What do the alerts not say?", [
        "An alert is a question, not a finding. Most have a good answer.",
        "It does not say that anybody did anything wrong, or what a person intended.",
        "It does not say that other payments are in order.",
    ], ""  # fmt: skip
    yield "How often are such alerts upheld, and where was that measured?", _accuracy(
        context, content
    ), ("No alert of these rules has been answered by a person here. Figures of the project's own "
        "tests, on published payments of two councils, are in docs/detection.md; they were not "
        "measured on this organisation.")  # fmt: skip
    yield "Who is responsible for this pack?", [
        (f"{content.cover.made_by} of {content.cover.organisation} made it for "
        f"{content.cover.recipient}. Purpose: {PURPOSES[content.cover.purpose]}."),
        "Each decision is its author's. Who owns the system is not recorded in it.",
    ], ""  # fmt: skip


def _versions(content: PackContent) -> list[str]:
    """The versions that made the lists, and those that made the pack."""
    lines = []
    for name, alert_list in content.lists.items():
        made_by = ", ".join(f"{part} {version}" for part, version in alert_list.made_by.items())
        lines.append(f"{name}: {made_by}. Long values are SHA-256 hashes.")
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in NAMED_LIBRARIES)
    return [
        *lines,
        (
            f"The pack was made by cardwatch {__version__} on Python {platform.python_version()} "
            f"with {libraries}."
        ),
    ]


def _limits(content: PackContent) -> list[str]:
    """The limits that this version states of these kinds of alert."""
    kinds = sorted({alert.kind for alert in content.alerts})
    return [
        *(METHOD_LIMITS[kind] for kind in kinds if kind in METHOD_LIMITS),
        "A practice that has always existed looks ordinary unless a limit or list covers it.",
        f"Faults found after cardwatch {__version__} was made are not known here.",
    ]


def _tests(context: ServiceContext) -> list[str]:
    """The checks of the database that are made now; no other test leaves a record."""
    findings = examine(context.casebook, quickly=True)
    failed = [finding.what for finding in findings if not finding.is_well]
    result = f"{len(findings) - len(failed)} of {len(findings)} checks of the database passed"
    return [
        f"{result} at {context.now.isoformat()}"
        + (f"; not passed: {', '.join(failed)}." if failed else "."),
        "Whether the project's own tests were run on this installation is not recorded.",
    ]


def _received(checks: Sequence[StatementCheck], content: PackContent) -> list[str]:
    """Whether the rows are as received, and the hash of each file as it came."""
    lines = [
        f"{check.label}: {check.fault}."
        if check.fault
        else f"{check.label}: count, sum and hash of its rows agree with those of the day it came."
        for check in checks
    ]
    files = [
        f"{report.file} as received has the SHA-256 hash {report.sha256}."
        for report in content.reading.reports
    ]
    return [*lines, *files]


def _made_again(check: StatementCheck) -> str:
    """The result of making a statement's alerts again."""
    if check.fault:
        return f"{check.label}: not confirmed: {check.fault}."
    if check.note:
        return f"{check.label}: not made again: {check.note}."
    return (
        f"{check.label}: every alert was made again from the payments, policy, rules and model of "
        "that day, exactly as before."
    )


def _independent(context: ServiceContext, names: Sequence[str]) -> list[str]:
    """The result of the independent run for each statement."""
    lines = []
    for name in names if is_installed() else ():
        try:
            check = verify_independently(context, name)
        except (CardwatchError, TypeError, KeyError, ValueError) as error:
            lines.append(f"A statement could not be run ({type(error).__name__}).")
            continue
        if check.note:
            lines.append(f"{check.label}: not run: {check.note}.")
            continue
        differing = [rule.rule for rule in check.rules if not rule.agrees]
        compared = [rule.rule for rule in check.rules if not rule.note]
        lines.append(
            f"{check.label}: a second program does not agree on {', '.join(differing)}."
            if differing
            else f"{check.label}: a second program, which shares no code with the rules, found the "
            f"same limits, splits and duplicates ({quantity(len(compared), 'comparison')})."
        )
    more = "It does not repeat what rests on chance, on registers or on the words of merchants."
    return [*lines, more] if lines else []


def _changes(context: ServiceContext) -> list[str]:
    """Who activated which document, and when, as far as the reader may know."""
    names = display_names(context)
    lines = [
        f"{row['kind']} {row['sha256'][:16]}: effective from {row['effective_from']}, activated "
        f"at {row['activated_at']} by {names.get(row['activated_by'], 'somebody not named here')}."
        for row in list_active(context)
    ]
    if context.actor.role != PSD:
        lines.append("Changes of rule sets are shown to professional standards alone.")
    return [*lines, "Versions of registers other than the card register are not listed here."]


def _seen(content: PackContent) -> list[str]:
    """Who did what with each alert of a case, as far as the reader may know."""
    return [
        f"{case['alert_id']}: {event['at']} {event['actor']} ({event['role']}): {event['action']}."
        for case in content.cover.cases
        for event in case["seen"]
    ]


def _decided(content: PackContent) -> list[str]:
    """The decisions of each alert of a case."""
    return [
        f"{case['alert_id']}: {decision['decided_at']} {decision['decided_by']}: "
        f"{decision['state'] or 'note'}."
        for case in content.cover.cases
        for decision in case["decisions"]
    ]


def _left_out(content: PackContent) -> list[str]:
    """Parts of the statements that were not read, and of the lists that are not in the pack."""
    lines = [
        f"{report.file}: {quantity(len(report.problems), 'row')} could not be read, and "
        f"{quantity(report.not_booked, 'payment was', 'payments were')} pending or declined."
        for report in content.reading.reports
    ]
    if content.cover.is_part:
        lines.append("The pack holds chosen alerts of its statements, not all of them.")
    return [*lines, "Payments of statements that were never uploaded are not known."]


def _by_hand() -> list[str]:
    """How to check hashes and signature with ordinary tools."""
    hashes = (
        "Unpack the pack. manifest.json lists the SHA-256 hash of every other file. Compare each "
        "with that of: sha256sum FILE"
    )
    signature = (
        "manifest.sig is the Ed25519 signature of manifest.json in hexadecimal. Check it with: "
        "xxd -r -p manifest.sig signature.bin && openssl pkeyutl -verify -pubin -inkey "
        f"{KEY_FILE} -rawin -in manifest.json -sigfile signature.bin"
    )
    key = (
        f"Compare {KEY_FILE} with the public key that the organisation published before: a key "
        "in the pack alone shows only that the pack is whole."
    )
    return [hashes, signature, key]


def _accuracy(context: ServiceContext, content: PackContent) -> list[str]:
    """How often a person here upheld alerts of these rules, with the exact interval."""
    rules = {alert.reasons[0].rule for alert in content.alerts}
    rows = [
        row
        for lane_rows in rule_precision(context).values()
        for row in lane_rows
        if row.rule in rules and row.answered
    ]
    lines = [
        f"{row.rule}, band {row.band}: {row.upheld} of {row.answered} answered alerts were upheld "
        f"here (exact 95 % interval {row.low:.0%} to {row.high:.0%})."
        for row in rows
    ]
    more = "Alerts that nobody answered, and matters that raised no alert, are in no such figure."
    return [*lines, more] if lines else []
