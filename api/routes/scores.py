"""Routes that score transactions or statements without storing them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from api.deps import AppStateDep, Context
from api.schemas.base import DateOrder, Short
from api.schemas.scores import ScoreCreate
from api.state import ROWS_BYTES, UPLOAD_BYTES
from api.uploads import read_upload
from cardwatch import services
from cardwatch.services import answers
from cardwatch.statements import read_rows

router = APIRouter(tags=["scores"])


@router.post("/scores", max_body_size=ROWS_BYTES)
def score_transactions(body: ScoreCreate, context: Context, service: AppStateDep) -> answers.Scores:
    """Score transactions without storing them; only the audit event is recorded."""
    rows = [transaction.model_dump(exclude_defaults=True) for transaction in body.transactions]
    read = read_rows("transactions", rows, service.choices([], "decide"))
    with service.scoring():
        return services.score_only(
            context, read, policy=body.policy, model=body.model, with_history=body.history
        )


@router.post("/scores/file", max_body_size=UPLOAD_BYTES)
def score_file(
    context: Context,
    service: AppStateDep,
    file: Annotated[UploadFile, File(description="A statement: CSV, XLS, XLSX or ODS.")],
    history: Annotated[bool, Form()] = True,
    policy: Annotated[Short, Form()] = services.ACTIVE,
    model: Annotated[Short, Form()] = services.ACTIVE,
    columns: Annotated[str, Form(max_length=20_000)] = "",
    date_order: Annotated[DateOrder, Form(examples=["day-first"])] = "decide",
) -> answers.Scores:
    """Score a statement without storing it; only the audit event is recorded."""
    read = read_upload(service, context, file, columns, date_order)
    with service.scoring():
        return services.score_only(context, read, policy=policy, model=model, with_history=history)
