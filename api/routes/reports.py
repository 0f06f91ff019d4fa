"""Routes that compare forces, and that publish payments of a period."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, get_args

from fastapi import APIRouter, File, Form, Response, UploadFile

from api.deps import AppStateDep, Context
from api.downloads import CONTENT_TYPES, publication_check, publication_response
from api.quotas import ExportContext
from api.schemas.reports import (
    ComparedPolicy,
    Comparison,
    ForceFigure,
    ForceShare,
    PublicationCheck,
    PublicationCreate,
    PublicationForm,
    PublicationPreview,
)
from api.state import UPLOAD_BYTES
from api.uploads import compare_uploads
from cardwatch.reports.benchmark import INDICATORS, Funnel, change_words
from cardwatch.reports.benchmark_document import NOT_SHOWN

if TYPE_CHECKING:
    from cardwatch.reports.aggregate import CommonPolicy

router = APIRouter(tags=["reports"])


@router.post("/benchmarks", response_model=Comparison, max_body_size=UPLOAD_BYTES)
def compare(
    files: Annotated[list[UploadFile], File(description="Aggregates of at least three forces.")],
    context: Context,
    service: AppStateDep,
    force: Annotated[
        str,
        Form(
            max_length=200,
            description="Your force, to be shown its peers by size.",
            examples=["Ashdown (invented)"],
        ),
    ] = "",
) -> Comparison:
    """Compare forces by their aggregates; the files are not kept."""
    benchmark = compare_uploads(service, context, files, force)
    return Comparison(
        quarter=benchmark.quarter,
        peers=list(benchmark.peers),
        not_meant=list(NOT_SHOWN),
        common_policy=_policy(benchmark.common_policy),
        figures=[_figure(funnel) for funnel in benchmark.funnels],
    )


def _policy(policy: CommonPolicy | None) -> ComparedPolicy | None:
    """Return the pack behind the figures by the common policy."""
    return ComparedPolicy(**asdict(policy)) if policy else None


def _figure(funnel: Funnel) -> ForceFigure:
    """Return one figure with every force that shares it."""
    forces = [
        ForceShare(
            organisation=point.organisation,
            count=point.count,
            total=point.total,
            share=point.share,
            low=point.low,
            high=point.high,
            position=point.verdict,
            change=change_words(point),
        )
        for point in funnel.points
    ]
    return ForceFigure(
        figure=funnel.indicator,
        title=INDICATORS[funnel.indicator],
        together=funnel.centre,
        widened=funnel.spread,
        forces=forces,
    )


@router.post("/publications/preview")
def preview_publication(
    body: PublicationPreview, context: Context, service: AppStateDep
) -> PublicationCheck:
    """Count what would be published of a period, redacted and left out."""
    return publication_check(context, service, **body.model_dump())


@router.post(
    "/publications", response_class=Response, status_code=200,
    responses={200: {"content": {
        CONTENT_TYPES[form]: {"schema": {"type": "string", "format": "binary"}}
        for form in get_args(PublicationForm)
    }}},
)  # fmt: skip
def publish(body: PublicationCreate, context: ExportContext, service: AppStateDep) -> Response:
    """Give the payments of a period as they are published, or answers to usual questions."""
    return publication_response(context, service, **body.model_dump())
