"""Page on which forces are compared by their aggregates; the files are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from api.deps import AppStateDep, Context
from api.downloads import as_file, drawn
from api.state import UPLOAD_BYTES
from api.uploads import compare_uploads
from api.web.base import LargeForm, field_errors, form_parts, render
from cardwatch import services
from cardwatch.errors import CardwatchError
from cardwatch.reports import benchmark_filename
from cardwatch.reports.benchmark import INDICATORS
from cardwatch.reports.document_xlsx import document_xlsx
from cardwatch.reports.funnel_plot import funnel_svg

if TYPE_CHECKING:
    from cardwatch.services.benchmarks import Benchmark

router = APIRouter()


@router.get("/benchmark")
def show_benchmark(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the form for aggregates of forces."""
    services.check_compares(context)
    force = service.name_of(context.actor.organisation_id)
    return _page(request, None, {"force": force}, {})


@router.post("/benchmark", max_body_size=UPLOAD_BYTES)
def compare_forces(
    request: Request, context: Context, service: AppStateDep, form: LargeForm
) -> Response:
    """Show forces compared, or give the comparison as PDF or XLSX; the files are not kept."""
    fields, uploads = form_parts(form)
    try:
        benchmark = compare_uploads(service, context, uploads, fields.get("force", ""))
    except CardwatchError as refusal:
        return _page(request, None, fields, field_errors(refusal, otherwise="files"))
    match fields.get("form", "page"):
        case "pdf":
            name = benchmark_filename(benchmark.quarter, ".pdf")
            return drawn(service, lambda: (name, benchmark.document))
        case "xlsx":
            content = document_xlsx(benchmark.document)
            return as_file(content, benchmark_filename(benchmark.quarter, ".xlsx"))
    return _page(request, benchmark, fields, {})


def _page(
    request: Request, benchmark: Benchmark | None, fields: dict[str, str], errors: dict[str, str]
) -> Response:
    values: dict[str, Any] = {"document": None, "plots": []}
    if benchmark:
        # The plot escapes the names of forces itself, as it is a file of its own as well.
        plots = [
            (INDICATORS[funnel.indicator], Markup(funnel_svg(funnel)))  # noqa: S704  see above
            for funnel in benchmark.funnels
        ]
        values = {"document": benchmark.document, "plots": plots}
    return render(request, "benchmark.html", errors=errors, form=fields, **values)
