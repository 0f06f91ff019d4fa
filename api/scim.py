"""SCIM 2.0 (RFC 7643 and 7644): what an identity provider writes and reads here, and its refusals.

Only what decides about access is kept: whatever else a provider sends is passed over, unkept.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ValidationError
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ComplexAttribute,
    Context,
    Error,
    ETag,
    Extension,
    Filter,
    ListResponse,
    Meta,
    Mutability,
    Pagination,
    Patch,
    PatchOp,
    Reference,
    Required,
    Resource,
    ResourceType,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from starlette.responses import Response

from cardwatch.casebook.directory import ProvidedGroup, ProvidedUser
from cardwatch.casebook.people import is_email, normal_email
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardwatch.casebook.rows import DirectoryGroup, StoredDirectoryUser

BASE = "/scim/v2"
SCIM_MEDIA = "application/scim+json"
MAX_PAGE = 200
"""Users or groups of one answer."""
MAX_OPERATIONS = 200
"""Operations of one PATCH: each looks through all that a user or group has."""
MAX_EMAILS = 20
MAX_CHARACTERS = 500
"""Characters of a name, number or address."""


class Name(ComplexAttribute):
    """A person's name."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Email(ComplexAttribute):
    """An email address."""

    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class User(Resource[AnyExtension]):
    """Somebody whom the identity provider lets in."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None


class EnterpriseUser(Extension):
    """The number by which the card register knows a cardholder."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    employee_number: str | None = None


class Member(ComplexAttribute):
    """A user in a group."""

    value: Annotated[str | None, Mutability.immutable] = None
    ref: Annotated[Reference[User] | None, Mutability.immutable] = None  # type: ignore[type-arg]


class Group(Resource[Any]):
    """A group, to which an administrator here may give a role."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


FullUser = User[EnterpriseUser]
PROVIDER = ScimProvider(
    models=(User, EnterpriseUser, Group),
    resource_types=(ResourceType.from_resource(FullUser), ResourceType.from_resource(Group)),
    config=ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MAX_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=False),
        pagination=Pagination(cursor=False, index=True, max_page_size=MAX_PAGE),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Key",
                description="A key with the scope 'directory', made with 'cardwatch keys'.",
            )
        ],
    ),
    policy=ScimPolicy(
        unknown=ScimPolicy.Unknown.ignore,  # providers send what their schema has
        remove_value_as_filter=ScimPolicy.RemoveValue.apply,  # as Microsoft Entra sends it
        unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    ),
)


class ScimRefused(CardwatchError):
    """A request that SCIM does not allow, with the library's own keyword."""

    def __init__(self, error: Error) -> None:
        """Take the library's error."""
        self.error = error
        super().__init__(str(error.detail))


@contextmanager
def reading() -> Iterator[None]:
    """Read what a provider sends, by this service's rules.

    Raises:
        ScimRefused: the library refuses it.
    """
    try:
        with PROVIDER:
            yield
    except SCIMException as refusal:
        raise ScimRefused(refusal.to_error()) from refusal
    except ValidationError as refusal:
        raise ScimRefused(Error.from_validation_errors(refusal)[0]) from refusal
    except RecursionError as error:
        raise _refused("The request is nested too deeply.") from error


def problem_as_scim(problem: Response) -> Response:
    """Return a refusal of the service in SCIM's own form (RFC 7644, section 3.12)."""
    content = json.loads(bytes(problem.body))
    status = 400 if problem.status_code == 422 else problem.status_code
    scim_type = {400: "invalidValue", 409: "uniqueness"}.get(status)
    headers = {
        name: value
        for name, value in problem.headers.items()
        if name not in {"content-type", "content-length"}
    }
    return _response(
        Error(status=status, scim_type=scim_type, detail=content["detail"]), status, headers
    )


def refusal_as_scim(refusal: ScimRefused) -> Response:
    """Return what the library refuses as a response."""
    return _response(refusal.error, refusal.error.status or 400)


def _response(message: Error, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(message.model_dump_json(), status, headers, SCIM_MEDIA)


def user_from_row(row: StoredDirectoryUser, base: str) -> FullUser:
    """Return a user as the provider sent it, with its id and moments."""
    user = FullUser.model_validate(json.loads(row["content"]))
    user.id, user.meta = row["user_id"], _meta(row, "User", f"{base}/Users/{row['user_id']}")
    return user


def provided_user(user: FullUser) -> ProvidedUser:
    """Return what decides about a user's access, and what is kept to be read again.

    Raises:
        ScimRefused: a text is too long, or has characters that a database cannot keep.
    """
    if len(user.emails or ()) > MAX_EMAILS:
        raise _refused(f"A user has {MAX_EMAILS} email addresses at most.")
    emails = [email for email in user.emails or () if email.value]
    first = next((email for email in emails if email.primary), emails[0] if emails else None)
    address = str(first.value) if first else str(user.user_name)
    extension = user[EnterpriseUser]
    number = str(extension.employee_number or "") if extension else ""
    parts = user.name or Name()
    full_name = " ".join(filter(None, (parts.given_name, parts.family_name)))
    name = user.display_name or parts.formatted or full_name or str(user.user_name)
    email = normal_email(address) if is_email(address) else ""
    _check_texts(str(user.user_name), email, name, number)
    user.id = user.meta = None
    is_active = user.active is not False
    content = user.model_dump_json()
    return ProvidedUser(str(user.user_name), email, name, number, is_active, content)


def group_from_row(row: DirectoryGroup, base: str) -> Group:
    """Return a group with its members."""
    members = [
        Member(value=user_id, ref=Reference[User](f"{base}/Users/{user_id}"))  # type: ignore[type-arg]
        for user_id in row["members"]
    ]
    return Group(
        id=row["group_id"],
        display_name=row["name"],
        external_id=row["external_id"] or None,
        members=members or None,
        meta=_meta(row, "Group", f"{base}/Groups/{row['group_id']}"),
    )


def provided_group(group: Group) -> ProvidedGroup:
    """Return what is kept of a group.

    Raises:
        ScimRefused: a text is too long, or has characters that a database cannot keep.
    """
    name, external_id = str(group.display_name), str(group.external_id or "")
    members = [
        member.value or str(member.ref or "").rpartition("/")[2] for member in group.members or ()
    ]
    _check_texts(name, external_id, *members)
    return ProvidedGroup(name, external_id, tuple(dict.fromkeys(members)))


def apply_patch(body: Mapping[str, object], resource: FullUser | Group) -> None:
    """Apply the operations of a PATCH to a resource.

    Raises:
        ScimRefused: they cannot be applied, or are too many.
    """
    sent = body.get("Operations")
    if isinstance(sent, list) and len(sent) > MAX_OPERATIONS:
        raise _refused(f"A request has {MAX_OPERATIONS} operations at most.")
    with reading():
        model = type(resource)
        operations = PatchOp[model].model_validate(  # type: ignore[valid-type]
            body, scim_ctx=Context.RESOURCE_PATCH_REQUEST
        )
        operations.patch(resource)


def page_of(
    model: Any,  # noqa: ANN401  a class, or a union of classes
    resources: Sequence[Resource[Any]],
    query: Mapping[str, object],
) -> Response:
    """Return the resources that a query asks for, as one page.

    Args:
        model: the kind of resource, or the union of kinds.
        resources: all there are.
        query: parameters of the address, or the body of a search.

    Raises:
        ScimRefused: the query cannot be read.
    """
    if len(str(query.get("filter", ""))) > MAX_CHARACTERS:
        raise _refused(f"A filter has {MAX_CHARACTERS} characters at most.")
    with reading():
        search = SearchRequest[model].model_validate(dict(query), scim_ctx=Context.SEARCH_REQUEST)
        condition = search.filter
        fits = [item for item in resources if condition is None or condition.match(item)]
        start = search.start_index_0 or 0
        count = MAX_PAGE if search.count is None else min(search.count, MAX_PAGE)
        shown = search.sort(fits)[start : start + count]
        listed = ListResponse[model](
            total_results=len(fits),
            start_index=start + 1,
            items_per_page=len(shown),
            resources=shown,
        )
        text = listed.model_dump_json(
            scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=search
        )
    return Response(text, media_type=SCIM_MEDIA)


def _meta(row: StoredDirectoryUser | DirectoryGroup, kind: str, location: str) -> Meta:
    return Meta.model_validate({
        "resourceType": kind, "created": row["made_at"], "lastModified": row["changed_at"],
        "location": location,
    })  # fmt: skip


def check_sent(body: Mapping[str, object]) -> None:
    """Refuse characters that a database cannot keep: U+0000, and half of a surrogate pair.

    Raises:
        ScimRefused: there are such.
    """
    try:
        is_kept = b"\\u0000" not in json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        is_kept = False
    if not is_kept:
        raise _refused("A text has a character that cannot be kept.")


def _check_texts(*texts: str) -> None:
    for text in texts:
        if len(text) > MAX_CHARACTERS or not text.isprintable():
            raise _refused(f"A text is longer than {MAX_CHARACTERS} characters or not printable.")


def _refused(detail: str) -> ScimRefused:
    return ScimRefused(Error(status=400, scim_type="invalidValue", detail=detail))
