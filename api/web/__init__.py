"""The pages, one file per noun; each shows data from the services or passes a form to them."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.web import (
    account,
    alerts,
    approvals,
    audit,
    back_tests,
    benchmark,
    cases,
    columns,
    exports,
    files,
    holds,
    payments,
    people,
    policy,
    proposals,
    publication,
    queries,
    reference,
    registers,
    reports,
    retention,
    rights,
    samples,
    settings,
    sign_in,
    statements,
    step_up,
    subjects,
    suppressions,
)

pages = APIRouter(include_in_schema=False)
NOUNS = (files, sign_in, account, step_up, columns, statements, payments, exports, queries, cases,
         alerts, holds, suppressions, reports, benchmark, publication, rights, registers, settings,
         back_tests, policy, proposals, samples, people, approvals, subjects, retention, audit,
         reference)  # fmt: skip
for one in NOUNS:
    for route in one.router.routes:
        assert isinstance(route, APIRoute)
        route.name = f"page_{route.name}"  # the operations have the plain names
    pages.include_router(one.router)
