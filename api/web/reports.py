"""Pages of reports: the quarterly report and the impact assessment."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import drawn
from api.web.base import field_errors, render
from cardwatch import services
from cardwatch.errors import CardwatchError
from cardwatch.reports import IMPACT_FILENAME, Document, report_filename

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
        request, "governance.html", errors=errors,
        document=report, quarter=quarter,
        quarters=[{"value": period, "label": period.replace("-", ", ")} for period in quarters],
    )  # fmt: skip


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
        ("Database", service.casebook.engine.dialect.name),
        ("Sign-in", "the organisation's own" if settings.oidc_issuer else "password and code"),
        ("Notices to other systems", settings.webhook_hosts or "none"),
        ("Reminders by e-mail", "without content, weekly" if settings.smtp else "none"),
    )
    return services.assess_impact(context, facts, marking=settings.marking)
