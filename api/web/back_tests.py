"""Pages of back-tests and evaluations."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.state import PACK_BYTES
from api.uploads import read_pack
from api.web.base import Files, FormFields, number, redirect, render, sent_form, shown_again
from api.web.charts import styles_of
from api.web.proposals import propose_page
from cardwatch import services
from cardwatch.casebook.jobs import DONE
from cardwatch.casebook.rows import JobState
from cardwatch.casebook.tables import POLICY_PACK, RECEIVES
from cardwatch.errors import CardwatchError, FileFaulty, NotFound
from cardwatch.policy_pack import MAX_POLICY_PACK_BYTES

router = APIRouter()
RULE_BYTES, MOST_RULES = 50_000, 200
USUAL_MONTHS = 3
TEMPLATES = {"back-test": "trial.html", "evaluation": "evaluation.html"}


@router.get("/settings/try")
def show_trying(request: Request, context: Context) -> Response:
    """Show the form for a back-test, filled with the active policy."""
    form = {"policy": services.get_policy(context)["text"], "months": str(USUAL_MONTHS)}
    jobs = _jobs(context, "back-test")
    return render(request, "try.html", form=form | sent_form(request), jobs=jobs)


@router.post("/settings/try")
@shown_again(show_trying, {"rules": "files"})
def try_change(
    request: Request, context: Context, service: AppStateDep, form: FormFields, files: Files
) -> Response:
    """Put a back-test in the queue; or go on to propose the policy without one."""
    if files:
        contents = {upload.filename or "": upload.file.read(RULE_BYTES + 1) for upload in files}
        texts = _texts(contents)
        service.check_texts(texts, "rules")
        kind, content = "rules", services.rules_with(context, texts)
    else:
        kind, content = "policy", (form.get("policy", "") + "\n").encode()
        service.check_texts({"policy.toml": form.get("policy", "")}, "policy")
        if "propose" in form:
            return propose_page(request, context, {"policy": form.get("policy", "")})
    months = number(form.get("months", ""))
    job = services.queue_back_test(context, kind, content, months, service.seal)
    return redirect(f"/trials/{job['job_id']}")


def _texts(contents: dict[str, bytes]) -> dict[str, str]:
    """Return files of rules as texts by their names.

    Raises:
        FileFaulty: they are not rules.
    """
    faults = [
        f"{name} is not a rule file. Choose a small file that ends in .toml"
        for name, data in contents.items()
        if not name.endswith(".toml") or len(data) > RULE_BYTES
    ]
    if faults or len(contents) > MOST_RULES:
        raise FileFaulty("rules", faults or ["Choose fewer files"], field="rules")
    return {name: data.decode("utf-8", "replace") for name, data in contents.items()}


@router.get("/settings/pack")
def show_pack(request: Request, context: Context) -> Response:
    """Show the active policy pack, what differs from it, and the form to test another."""
    return render(
        request, "pack.html", form={"months": str(USUAL_MONTHS)} | sent_form(request),
        active=services.get_pack(context), jobs=_jobs(context, "back-test"),
    )  # fmt: skip


@router.post("/settings/pack", max_body_size=PACK_BYTES)
@shown_again(show_pack, {"pack": "files"})
def try_pack(
    request: Request, context: Context, service: AppStateDep, form: FormFields, files: Files
) -> Response:
    """Put a back-test of a policy pack in the queue."""
    if not files:
        raise CardwatchError("Select a policy pack", field="files")
    content = read_pack(service, files[0].file.read(MAX_POLICY_PACK_BYTES + 1))
    months = number(form.get("months", ""))
    job = services.queue_back_test(context, POLICY_PACK, content, months, service.seal)
    return redirect(f"/trials/{job['job_id']}")


@router.get("/trials/{job_id}")
def show_trial(request: Request, context: Context, job_id: str) -> Response:
    """Show how far a trial of the caller's has come, or what came of it."""
    job = services.get_job(context, job_id)
    if job["kind"] not in TEMPLATES:
        raise NotFound("There is no such back-test.")
    if job["state"] != DONE:
        return render(request, "trial_waits.html", job=job)
    answer = job["answer"]
    page_values = (
        _evaluation(answer) if job["kind"] == "evaluation" else _back_test(context, answer)
    )
    return render(request, TEMPLATES[job["kind"]], job=job, answer=answer, **page_values)


def _back_test(context: Context, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a page says of a back-test, lane by lane."""
    lanes = [lane for lane in context.actor.lanes if lane in answer["units"]]
    both = ("newly_asked", "no_longer_asked")
    alerts_by_lane = {
        lane: {
            way: [alert for row in answer["statements"] for alert in row[lane][way]] for way in both
        }
        for lane in lanes
    }
    every = [
        alert for ways in alerts_by_lane.values() for group in ways.values() for alert in group
    ]
    pence = {
        lane: {way: sum(alert["at_stake_pence"] for alert in group) for way, group in ways.items()}
        for lane, ways in alerts_by_lane.items()
    }
    may = context.actor.role in RECEIVES and (
        answer["kind"] == "policy" or context.actor.role == "psd"
    )
    is_pack = answer["kind"] == POLICY_PACK
    names = services.names_for_display(context, services.people_of(every))
    return {
        "lanes": lanes,
        "found": alerts_by_lane,
        "pence": pence,
        "names": names,
        "may_propose": may,
        "change": services.preview_pack(context, answer["document"].encode()) if is_pack else None,
    }


def _evaluation(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a page says of an evaluation, style by style."""
    styles = styles_of(answer["rows"])
    lengths = [recall["per_1000"] for recall in answer["rows"][0]["recalls"]] if styles else []
    whole = next((chance for chance in answer["chance"] if chance["month"] == "all"), None)
    return {"styles": styles, "lengths": lengths, "whole": whole}


@router.get("/evaluations")
def show_evaluations(request: Request, context: Context) -> Response:
    """Show what an evaluation is, the form to ask for one, and the caller's own."""
    policy = services.get_policy(context)  # whoever may read settings may ask
    return render(request, "evaluations.html", policy=policy, jobs=_jobs(context, "evaluation"))


@router.post("/evaluations")
def evaluate(context: Context, service: AppStateDep) -> Response:
    """Put an evaluation in the queue."""
    return redirect(f"/trials/{services.queue_evaluation(context, service.seal)['job_id']}")


def _jobs(context: Context, kind: str) -> list[JobState]:
    return [trial for trial in services.list_trials(context) if trial["kind"] == kind]
