"""Pages of reports: the quarterly report, equality monitoring and the impact assessment."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import drawn
from api.state import UPLOAD_BYTES
from api.uploads import read_group_file
from api.web.base import Files, FormFields, field_errors, render
from cardwatch import services
from cardwatch.casebook import FINANCE, PSD
from cardwatch.casebook.tables import OVERSEES
from cardwatch.errors import CardwatchError
from cardwatch.reports import (
    IMPACT_FILENAME,
    Document,
    equality_filename,
    register_report_filename,
    report_filename,
)
from cardwatch.reports.formatting import quarter_title

router = APIRouter()
QUARTERS = 8
"""Number of past quarters offered."""


@router.get("/governance")
def show_governance(
    request: Request, context: Context, service: AppStateDep, quarter: str = ""
) -> Response:
    """Show the report on a quarter; the last one that is over, if none is said."""
    report, errors = None, {}
    quarters = _quarters(context)
    quarter = quarter or quarters[1]
    try:
        report = services.report_governance(context, quarter, marking=service.settings.marking)
    except CardwatchError as refusal:
        errors = field_errors(refusal)
    return render(
        request, "governance.html", errors=errors, document=report, quarter=quarter,
        quarters=_quarter_items(quarters), oversees=context.actor.role in OVERSEES,
        publishes=context.actor.role == FINANCE,
        is_psd=PSD in context.actor.lanes,
    )  # fmt: skip


def _quarter_items(quarters: list[str]) -> list[dict[str, str]]:
    """Return quarters as the items of a form."""
    return [{"value": period, "label": quarter_title(period)} for period in quarters]


def _quarters(context: Context) -> list[str]:
    """Return the quarters that are offered: this one so far, then those that are over."""
    year, number = map(int, services.last_quarter(context.now.date()).split("-Q"))
    offered = [4 * year + number - back for back in range(QUARTERS)]
    return [f"{ordinal // 4}-Q{ordinal % 4 + 1}" for ordinal in offered]


@router.get("/governance.pdf")
def get_governance(context: Context, service: AppStateDep, quarter: str) -> Response:
    """Give the report on a quarter as PDF."""

    def make() -> tuple[str, Document]:
        document = services.report_governance(context, quarter, marking=service.settings.marking)
        return report_filename(quarter), document

    return drawn(service, make)


@router.get("/governance/registers")
def show_register_report(
    request: Request, context: Context, service: AppStateDep, quarter: str = ""
) -> Response:
    """Show professional standards the report on registers of a quarter."""
    document, errors = None, {}
    quarters = _quarters(context)
    quarter = quarter or quarters[1]
    try:
        with service.scoring():
            document = services.report_registers(context, quarter, marking=service.settings.marking)
    except CardwatchError as refusal:
        errors = field_errors(refusal)
    return render(
        request, "register_report.html", errors=errors, document=document, quarter=quarter,
        quarters=_quarter_items(quarters),
    )  # fmt: skip


@router.get("/governance/registers.pdf")
def get_register_report(context: Context, service: AppStateDep, quarter: str) -> Response:
    """Give professional standards the report on registers of a quarter as PDF."""

    def make() -> tuple[str, Document]:
        document = services.report_registers(context, quarter, marking=service.settings.marking)
        return register_report_filename(quarter), document

    return drawn(service, make)


@router.get("/equality")
def show_equality(
    request: Request, context: Context, service: AppStateDep, quarter: str = ""
) -> Response:
    """Show rates by unit, and to who oversees the form for a file of groups."""
    document, errors = None, {}
    quarter = quarter or _quarters(context)[1]
    try:
        with service.scoring():
            document = services.report_equality(context, quarter, marking=service.settings.marking)
    except CardwatchError as refusal:
        errors = field_errors(refusal)
    return _equality_page(request, context, quarter, document, errors)


@router.post("/equality", max_body_size=UPLOAD_BYTES)
def compare_groups(
    request: Request, context: Context, service: AppStateDep, files: Files, form: FormFields
) -> Response:
    """Show rates by the groups in a file, or give them as PDF; the file is not kept."""
    quarter = form.get("until", "")

    def make() -> tuple[str, Document]:
        document = services.report_equality(
            context, quarter, groups, marking=service.settings.marking
        )
        return equality_filename(quarter), document

    services.check_oversees(context)  # before a file of personal data is read
    if not files:
        errors = {"files": "Select a file of groups"}
        return _equality_page(request, context, quarter, None, errors)
    try:
        groups = read_group_file(service, files[0])
        if form.get("form") == "pdf":
            return drawn(service, make)
        with service.scoring():
            document = make()[1]
    except CardwatchError as refusal:
        errors = field_errors(refusal, {"file": "files", "quarter": "until"})
        return _equality_page(request, context, quarter, None, errors)
    return _equality_page(request, context, quarter, document, {})


def _equality_page(
    request: Request,
    context: Context,
    quarter: str,
    document: Document | None,
    errors: dict[str, str],
) -> Response:
    return render(
        request, "equality.html", errors=errors, document=document, quarter=quarter,
        quarters=_quarter_items(_quarters(context)), oversees=context.actor.role in OVERSEES,
    )  # fmt: skip


@router.get("/impact")
def show_impact(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the template of an impact assessment, with what is so here in it."""
    return render(request, "impact.html", document=_impact(context, service))


@router.get("/impact.pdf")
def get_impact(context: Context, service: AppStateDep) -> Response:
    """Give the template of an impact assessment as PDF."""
    return drawn(service, lambda: (IMPACT_FILENAME, _impact(context, service)))


def _impact(context: Context, service: AppStateDep) -> Document:
    settings = service.settings
    facts = (
        ("Database", "SQLite" if service.casebook.is_sqlite else "PostgreSQL"),
        ("Sign-in", "the organisation's own" if settings.oidc_issuer else "password and code"),
        ("Notices to other systems", settings.webhook_hosts or "none"),
        ("Reminders by email", "without content, weekly" if settings.smtp else "none"),
    )
    return services.assess_impact(context, facts, marking=settings.marking)
