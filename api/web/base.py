"""Shared parts of pages: person, navigation, form errors and rendering."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, wraps
from inspect import signature
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from api.quotas import count_files
from api.templating import PAGE_POLICY, environment
from api.web.list_queries import as_query, list_params
from cardwatch import services
from cardwatch.casebook import LANES, PSD
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, FileFaulty, NotAllowed, NotFound
from cardwatch.vocabulary import ROLE_TITLES

P = ParamSpec("P")
R = TypeVar("R", bound=Mapping[str, object])
"""A kind of row."""

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.responses import Response

    from api.state import Service
    from cardwatch.casebook import Actor

MENU: dict[str, tuple[tuple[str, str], ...]] = {
    "finance": (("Home", "/"), ("Alerts", "/alerts"), ("Statements", "/statements"),
                ("Payments", "/payments"), ("Registers", "/registers"), ("Rules", "/rules"),
                ("Settings", "/settings"), ("Evaluation", "/evaluations"),
                ("Report", "/governance")),
    "psd": (("Home", "/"), ("Inbox", "/alerts"), ("Cases", "/cases"), ("Statements", "/statements"),
                ("Payments", "/payments"), ("Registers", "/registers"), ("Rules", "/rules"),
            ("Settings", "/settings"), ("Audit", "/audit"), ("Report", "/governance")),
    "auditor": (("Home", "/"), ("Alerts", "/alerts"), ("Statements", "/statements"),
                ("Payments", "/payments"), ("Registers", "/registers"), ("Rules", "/rules"),
                ("Settings", "/settings"), ("Audit", "/audit"), ("Report", "/governance")),
    "admin": (("Statements", "/statements"), ("People", "/people"), ("Approvals", "/approvals"),
              ("Audit", "/audit"),
              ("Health", "/health")),
}  # fmt: skip
"""Where each role goes from any page."""
LANE_TITLES: dict[str, str] = {lane: ROLE_TITLES[lane] for lane in LANES}
MOST_FILES = 24
"""Maximum number of files in one form."""
DONE = {
    "account": "Your account is set up. Sign in, once your app shows a new code.",
    "signed-out": "You have signed out.",
    "proposed": "Your change is proposed.",
    "approved": "Approved. The change is active from its day.",
    "rejected": "The proposal was rejected.",
    "withdrawn": "Your proposal was withdrawn.",
    "request-approved": "Approved. The person who asked can do it now.",
    "request-rejected": "The request is closed.",
    "suppressed": "Later alerts like this are suppressed.",
    "suppression-ended": "The suppression has ended.",
    "held": "The alert is on legal hold.",
    "hold-ended": "The legal hold has ended.",
    "access-ended": "Their access has ended.",
    "cardholder-saved": "Saved.",
    "role-saved": "The role of the group is saved.",
    "key-revoked": "The key is revoked.",
    "session-ended": "The session has ended.",
    "retention-saved": "The retention periods are saved.",
    "webhook-ended": "No more notices are sent.",
    "profile-saved": "The column profile is saved.",
    "profile-removed": "The column profile is removed.",
    "file-discarded": "The file is discarded.",
    "file-settled": "The refused file is marked as dealt with.",
    "query-sent": "The query is sent, and its alerts are recorded as asked.",
    "reply-recorded": "The reply is recorded.",
    "recorded": "Recorded.",
    "person-added": "Added. Create an invitation, so that they can set up their account.",
    "password-changed": "Your password has been changed. You have been signed out everywhere else.",
    "match-decided": "Decision saved. It counts for every spelling of this name.",
    "alert-raised": "The alert is raised.",
    "referred": "The alert is referred to professional standards.",
    "referral-declined": "The referral is declined.",
    "case-opened": "The case is open.",
    "case-changed": "The case is saved.",
    "alert-added": "The alert is in this case.",
    "alert-removed": "The alert is not in this case any more.",
    "note-added": "The note is in the chronology.",
    "file-attached": "The file is attached.",
    "file-removed": "The file is removed.",
    "names-shown": "Names are shown, and your reason is recorded.",
    "case-closed": "The case is closed.",
    "case-reopened": "The case is open again.",
}
"""Messages of success on the next page. An address names one, so they hold no figures."""
HOME = {role: places[0][1] for role, places in MENU.items()}


def render(request: Request, template: str, *, status: int = 0, **given: Any) -> Response:  # noqa: ANN401  what a template takes
    """Return a page.

    A form that is shown again has its `form` and `errors` from the request; see `shown_again`.

    Args:
        request: what it answers.
        template: its file in `api/templates`.
        status: of the response; if not given, 422 for a form with `errors`, else 200.
        **given: what the template asks for.
    """
    given = {"errors": form_errors(request), "form": sent_form(request)} | given
    service: Service = request.app.state.service
    actor: Actor | None = request.state.actor
    path = request.url.path
    nav = [
        {"label": label, "href": href, "is_current": path == href or path.startswith(href + "/")}
        for label, href in (MENU[actor.role] if actor else ())
    ]
    common: dict[str, Any] = {
        "marking": service.settings.marking,
        "organisation": service.name_of(actor.organisation_id) if actor else "",
        "person": ROLE_TITLES[actor.role] if actor else "",
        "nav": nav,
        "role": actor.role if actor else "",
        "may_receive": actor is not None and actor.role in RECEIVES,
        "is_psd": actor is not None and actor.role == PSD,
        "who": _who(service, actor),
        "list_query": as_query(list_params(request)),
        "done": "" if given["errors"] else DONE.get(request.query_params.get("done", ""), ""),
    }
    text = environment().get_template(template).render(common | given)
    status = status or (422 if given["errors"] else 200)
    return HTMLResponse(text, status, {"Content-Security-Policy": PAGE_POLICY})


def _who(service: Service, actor: Actor | None) -> Callable[[str], str]:
    """Return what says by name who did something; names are looked up once a page asks."""

    @cache
    def names() -> dict[str, str]:
        return (
            services.display_names(
                services.ServiceContext(service.casebook, actor, service.clock())
            )
            if actor
            else {}
        )

    return lambda actor_id: names().get(actor_id, actor_id)


def as_page(request: Request, response: Response) -> Response:
    """Return a problem as a page that says the same."""
    problem_body = json.loads(bytes(response.body))
    titles = {403: "You do not have access to this page", 404: "There is no such page"}
    title = titles.get(response.status_code, "This did not work")
    page = render(
        request,
        "refused.html",
        status=response.status_code,
        errors={},  # of a form whose page is refused itself, as whoever sent it may not see it
        title=title,
        detail=problem_body["detail"],
    )
    page.headers.update(
        {k: v for k, v in response.headers.items() if k in {"allow", "retry-after"}}
    )
    return page


def redirect(place: str, done: str = "") -> Response:
    """Send a browser on to another page, once what it sent is done.

    Args:
        place: the path of the page.
        done: which of the sentences in `DONE` the page begins with; none where it shows the result.
    """
    assert not done or done in DONE
    joint = "&" if "?" in place else "?"
    return RedirectResponse(f"{place}{joint}done={done}" if done else place, 303)


def nonempty(form: Mapping[str, object]) -> dict[str, str]:
    """Return the fields of a form that are filled, without the space around them."""
    texts = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    return {name: value for name, value in texts.items() if value}


def day_faults(chosen: Mapping[str, str], days: Sequence[str]) -> dict[str, str]:
    """Return what is wrong with the days among the filters of a list, by field."""
    errors: dict[str, str] = {}
    for name in days:
        try:
            day_of(chosen.get(name, "2026-01-01"), name)
        except CardwatchError as refusal:
            errors |= field_errors(refusal)
    return errors


def chips(
    chosen: Mapping[str, str],
    words: Callable[[str, str], str],
    link: Callable[[dict[str, str]], str],
    besides: Sequence[str] = (),
) -> list[tuple[str, str]]:
    """Return each filter that was chosen in words, with the address of the list without it.

    Args:
        chosen: filters of a list, and what else its address holds.
        words: gives the words of a filter's name and value.
        link: gives the address of the list with some filters.
        besides: what is no filter.
    """
    return [
        (words(name, value), link({k: v for k, v in chosen.items() if k != name}))
        for name, value in chosen.items()
        if name not in besides
    ]


async def _form(request: Request) -> AsyncIterator[FormData]:
    """Give a form, and close its files once it is answered."""
    async with request.form(max_files=MOST_FILES) as form:
        await count_files(request, form)
        yield form


def _fields(form: Annotated[FormData, Depends(_form)]) -> dict[str, str]:
    """Return the fields of a form, lines ended as the casebook's are, without NUL."""
    texts = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    return {k: v.replace("\r\n", "\n").replace("\0", "") for k, v in texts.items()}


def _filled(fields: Annotated[dict[str, str], Depends(_fields)]) -> dict[str, str]:
    """Return the fields of a form that are filled."""
    return nonempty(fields)


def _files(form: Annotated[FormData, Depends(_form)]) -> list[UploadFile]:
    """Return the files of a form."""
    form_files = form.getlist("files")
    return [upload for upload in form_files if isinstance(upload, UploadFile) and upload.filename]


async def _large_form(request: Request) -> AsyncIterator[FormData]:
    """Give a form with as many files as forces are compared, and close them afterwards."""
    async with request.form(max_files=services.MOST_AGGREGATES) as form:
        await count_files(request, form)
        yield form


def form_parts(form: FormData) -> tuple[dict[str, str], list[UploadFile]]:
    """Return the fields of a form that are filled, and its files."""
    return _filled(_fields(form)), _files(form)


LargeForm = Annotated[FormData, Depends(_large_form)]
AllFields = Annotated[dict[str, str], Depends(_fields)]
FormFields = Annotated[dict[str, str], Depends(_filled)]
"""What a form says, and without what was left empty; a route that asks for it in this way need not
wait for it itself."""
Files = Annotated[list[UploadFile], Depends(_files)]


def field_errors(
    refusal: CardwatchError, names: Mapping[str, str] | None = None, *, otherwise: str = ""
) -> dict[str, str]:
    """Convert a refusal into the errors of a form: its sentence by the field it is about.

    Args:
        refusal: with a field, or without one: then the error summary alone shows its sentence.
        names: what the form calls fields that have another name in the API; empty for one that it
            does not show.
        otherwise: the field at which a refusal without a field is shown.

    Raises:
        NotAllowed, NotFound: the refusal is one, and about no field.
    """
    if isinstance(refusal, (NotAllowed, NotFound)) and not refusal.field:
        raise refusal
    field = (names or {}).get(refusal.field, refusal.field) or otherwise
    return {field: "; ".join(refusal.faults) if isinstance(refusal, FileFaulty) else str(refusal)}


def shown_again(
    page: Callable[..., Response], names: Mapping[str, str] | None = None, *, otherwise: str = ""
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Show the page of a form again, with what was entered and why it was refused.

    Args:
        page: the route that shows the form; it is given those of the arguments that it takes.
        names: see `field_errors`.
        otherwise: see `field_errors`.
    """

    def with_page(route: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(route)
        def answer(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                return route(*args, **kwargs)
            except CardwatchError as refusal:
                request: Any = kwargs["request"]
                request.state.errors = field_errors(refusal, names, otherwise=otherwise)
                request.state.form = kwargs.get("form", {})
                return page(**{k: v for k, v in kwargs.items() if k in signature(page).parameters})

        return answer

    return with_page


def sent_form(request: Request) -> dict[str, str]:
    """The fields of a form that is shown again; none where it is shown for the first time."""
    return getattr(request.state, "form", {})


def form_errors(request: Request) -> dict[str, str]:
    """Messages of a form that is shown again, by field; empty at the first time."""
    return getattr(request.state, "errors", {})


def confirm(request: Request, title: str, back: str, text: str, button: str) -> Response:
    """Return a page that asks once more before something is ended or erased.

    Args:
        request: what it answers; the form is sent to where it was asked for.
        title: the question.
        back: where somebody goes who does not want it.
        text: what comes of it.
        button: the words of the button that does it.
    """
    return render(request, "confirm.html", title=title, back=back, text=text, button=button,
                  action=request.url.path)  # fmt: skip


def subjects_for(
    context: services.ServiceContext, same_as: Sequence[str]
) -> services.SubjectLinks | None:
    """Return links to the people, suppliers and units of alerts or payments; psd alone has them."""
    if context.actor.role != PSD or not same_as:
        return None
    return services.subject_links(context, same_as)


def get_or_404(rows: Sequence[R], name: str, value: str) -> R:
    """Return the row of a list that has a value, such as an id.

    Raises:
        NotFound: there is none.
    """
    for row in rows:
        if row[name] == value:
            return row
    raise NotFound("Nothing was found at this address.")


def own_row(role: str, rows: Sequence[R], name: str, value: str) -> R:
    """The row of a list that has a value, if it is of the list that a role decides.

    Raises:
        NotFound: there is none.
        NotAllowed: the role does not decide that list.
    """
    row = get_or_404(rows, name, value)
    if row["lane"] != role:
        raise NotAllowed("Your role cannot end this.")
    return row


def number(text: str, otherwise: int = -1) -> int:
    """Parse a number from a form, with a default."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise
