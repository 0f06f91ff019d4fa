"""Pages of back-tests and evaluations."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.pages.charts import styles_of
from api.pages.page import Files, Sent, field_errors, go, number, render
from api.pages.proposing import propose_page
from cardwatch import desk
from cardwatch.casebook.jobs import DONE
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, FileFaulty, NotFound

router = APIRouter()
RULE_BYTES, MOST_RULES = 50_000, 200
USUAL_MONTHS = 3
TEMPLATES = {"back-test": "trial.html", "evaluation": "evaluation.html"}


@router.get("/settings/try")
def show_trying(request: Request, at: At) -> Response:
    """Show the form for a back-test, filled with the active policy."""
    return _trying_page(request, at, {}, {})


def _trying_page(
    request: Request, at: At, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    sent = {"policy": desk.get_policy(at)["text"], "months": str(USUAL_MONTHS)} | sent
    return render(
        request, "try.html", errors=errors, sent=sent,
        jobs=_jobs(at, "back-test"), may_propose=at.actor.role in RECEIVES,
    )  # fmt: skip


@router.post("/settings/try")
def try_change(request: Request, at: At, service: Serving, sent: Sent, files: Files) -> Response:
    """Put a back-test in the queue; or go on to propose the policy without one."""
    try:
        if files:
            given = {one.filename or "": one.file.read(RULE_BYTES + 1) for one in files}
            texts = _texts(given)
            service.check_texts(texts, "rules")
            kind, content = "rules", desk.rules_with(at, texts)
        else:
            kind, content = "policy", (sent.get("policy", "") + "\n").encode()
            service.check_texts({"policy.toml": sent.get("policy", "")}, "policy")
            if "propose" in sent:
                return propose_page(request, at, {"policy": sent.get("policy", "")}, {})
        job = desk.ask_back_test(at, kind, content, number(sent.get("months", "")))
    except CardwatchError as refusal:
        return _trying_page(request, at, sent, field_errors(refusal, {"rules": "files"}))
    return go(f"/trials/{job['job_id']}")


def _texts(given: dict[str, bytes]) -> dict[str, str]:
    """Return files of rules as texts by their names.

    Raises:
        FileFaulty: they are none.
    """
    faults = [
        f"{name} is not a rule file. Choose a small file that ends in .toml"
        for name, data in given.items()
        if not name.endswith(".toml") or len(data) > RULE_BYTES
    ]
    if faults or len(given) > MOST_RULES:
        raise FileFaulty("rules", faults or ["Choose fewer files"], field="rules")
    return {name: data.decode("utf-8", "replace") for name, data in given.items()}


@router.get("/trials/{job_id}")
def show_trial(request: Request, at: At, job_id: str) -> Response:
    """Show how far a trial of the caller's has come, or what came of it."""
    job = desk.get_job(at, job_id)
    if job["kind"] not in TEMPLATES:
        raise NotFound("There is no such back-test.")
    if job["state"] != DONE:
        return render(request, "trial_waits.html", job=job)
    answer = job["answer"]
    given = _evaluation(answer) if job["kind"] == "evaluation" else _back_test(at, answer)
    return render(request, TEMPLATES[job["kind"]], job=job, answer=answer, **given)


def _back_test(at: At, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a page says of a back-test, lane by lane."""
    lanes = [lane for lane in at.actor.lanes if lane in answer["statements"][0]]
    both = ("newly_asked", "no_longer_asked")
    found = {
        lane: {way: [one for row in answer["statements"] for one in row[lane][way]] for way in both}
        for lane in lanes
    }
    every = [one for ways in found.values() for some in ways.values() for one in some]
    pence = {
        lane: {way: sum(one["at_stake_pence"] for one in some) for way, some in ways.items()}
        for lane, ways in found.items()
    }
    may = at.actor.role in RECEIVES and (answer["kind"] != "rules" or at.actor.role == "psd")
    names = desk.mask(at, desk.people_of(every))
    return {"lanes": lanes, "found": found, "pence": pence, "names": names, "may_propose": may}


def _evaluation(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a page says of an evaluation, style by style."""
    styles = styles_of(answer["rows"])
    lengths = [one["per_1000"] for one in answer["rows"][0]["recalls"]] if styles else []
    whole = next((one for one in answer["chance"] if one["month"] == "all"), None)
    return {"styles": styles, "lengths": lengths, "whole": whole}


@router.get("/evaluations")
def show_evaluations(request: Request, at: At) -> Response:
    """Show what an evaluation is, the form to ask for one, and the caller's own."""
    policy = desk.get_policy(at)  # whoever may read settings may ask
    return render(request, "evaluations.html", policy=policy, jobs=_jobs(at, "evaluation"))


@router.post("/evaluations")
def evaluate(at: At) -> Response:
    """Put an evaluation in the queue."""
    return go(f"/trials/{desk.ask_evaluation(at)['job_id']}")


def _jobs(at: At, kind: str) -> list[dict[str, Any]]:
    return [one for one in desk.list_trials(at) if one["kind"] == kind]
