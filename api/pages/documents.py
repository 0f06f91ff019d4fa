"""Pages of reports: the quarterly report and the impact assessment."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.handing import drawn
from api.pages.page import field_errors, render
from cardwatch import desk
from cardwatch.errors import CardwatchError
from cardwatch.reports import IMPACT_FILENAME, Document, report_filename

router = APIRouter()
QUARTERS = 8
"""Number of past quarters offered."""


@router.get("/governance")
def show_governance(request: Request, at: At, service: Serving, quarter: str = "") -> Response:
    """Show the report on a quarter; the last one that is over, if none is said."""
    held, errors = None, {}
    quarters = _quarters(at)
    quarter = quarter or quarters[1]
    try:
        held = desk.report_governance(at, quarter, marking=service.settings.marking)
    except CardwatchError as refusal:
        errors = field_errors(refusal)
    return render(
        request, "governance.html", errors=errors,
        document=held, quarter=quarter,
        quarters=[{"value": one, "label": one.replace("-", ", ")} for one in quarters],
    )  # fmt: skip


def _quarters(at: At) -> list[str]:
    """Return the quarters that are offered: this one so far, then those that are over."""
    year, number = map(int, desk.last_quarter(at.now.date()).split("-Q"))
    offered = [4 * year + number - back for back in range(QUARTERS)]
    return [f"{one // 4}-Q{one % 4 + 1}" for one in offered]


@router.get("/governance.pdf")
def get_governance(at: At, service: Serving, quarter: str) -> Response:
    """Give the report on a quarter as PDF."""

    def make() -> tuple[str, Document]:
        document = desk.report_governance(at, quarter, marking=service.settings.marking)
        return report_filename(quarter), document

    return drawn(service, make)


@router.get("/impact")
def show_impact(request: Request, at: At, service: Serving) -> Response:
    """Show the template of an impact assessment, with what is so here in it."""
    return render(request, "impact.html", document=_impact(at, service))


@router.get("/impact.pdf")
def get_impact(at: At, service: Serving) -> Response:
    """Give the template of an impact assessment as PDF."""
    return drawn(service, lambda: (IMPACT_FILENAME, _impact(at, service)))


def _impact(at: At, service: Serving) -> Document:
    settings = service.settings
    facts = (
        ("Database", service.casebook.engine.dialect.name),
        ("Sign-in", "the organisation's own" if settings.oidc_issuer else "password and code"),
        ("Notices to other systems", settings.webhook_hosts or "none"),
        ("Reminders by e-mail", "without content, weekly" if settings.smtp else "none"),
    )
    return desk.assess_impact(at, facts, marking=settings.marking)
