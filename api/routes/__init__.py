"""Routes, one file per noun; each translates a request into one service call."""

from fastapi import APIRouter

from api.routes.access import open_access
from api.routes.access import router as access
from api.routes.alerts import router as alerts
from api.routes.approvals import router as approvals
from api.routes.audit import router as audit
from api.routes.cases import router as cases
from api.routes.complaints import router as complaints
from api.routes.health import open_health
from api.routes.health import router as health
from api.routes.payments import router as payments
from api.routes.people import router as people
from api.routes.queries import router as queries
from api.routes.registers import router as registers
from api.routes.reports import router as reports
from api.routes.scim import router as scim
from api.routes.scores import router as scores
from api.routes.settings import router as settings
from api.routes.statements import router as statements
from api.routes.subjects import router as subjects

ROUTERS = (
    scores,
    statements,
    payments,
    alerts,
    queries,
    cases,
    registers,
    subjects,
    reports,
    settings,
    people,
    approvals,
    complaints,
    audit,
    access,
    health,
)
open_router = APIRouter()
open_router.include_router(open_access)
open_router.include_router(open_health)
open_router.include_router(scim)
