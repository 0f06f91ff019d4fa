"""Routes of SCIM 2.0: an identity provider keeps users and groups here; see `api.scim`.

They are described by SCIM's own documents instead of the OpenAPI document.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from scim2_models import Context as ScimContext
from scim2_models import Resource, ResourceType, Schema, SearchRequest

from api import scim
from api.deps import SIGNED_IN, Context
from cardwatch import services
from cardwatch.casebook.directory import ProvidedGroup, ProvidedUser
from cardwatch.casebook.rows import DirectoryGroup, StoredDirectoryUser
from cardwatch.errors import NotFound
from cardwatch.services import ServiceContext


def _provider(context: Context) -> ServiceContext:
    """The context of an identity provider; nobody else's is looked at further."""
    services.check_provider(context)
    return context


Provider = Annotated[ServiceContext, Depends(_provider)]
router = APIRouter(
    prefix=scim.BASE, include_in_schema=False, dependencies=[*SIGNED_IN, Depends(_provider)]
)


def _scim_body(body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
    """The body of a request, if a database can keep its characters."""
    scim.check_sent(body)
    return body


ScimBody = Annotated[dict[str, Any], Depends(_scim_body)]


def _base(request: Request) -> str:
    """The address of the service's own SCIM endpoints."""
    return str(request.base_url).rstrip("/") + scim.BASE


def _answer(
    resource: Resource[Any], request: Request, scim_ctx: ScimContext, status: int = 200
) -> Response:
    """Return a resource, with the attributes that the request asks for."""
    with scim.reading():
        model: Any = type(resource)
        search = SearchRequest[model].model_validate(dict(request.query_params))
        text = resource.model_dump_json(scim_ctx=scim_ctx, response_parameters=search)
    place = str(resource.meta.location) if resource.meta else ""
    headers = {"Location": place} if status == 201 else {}
    return Response(text, status, headers, scim.SCIM_MEDIA)


def _read(model: type[Any], body: dict[str, Any], scim_ctx: ScimContext) -> Any:  # noqa: ANN401
    with scim.reading():
        return model.model_validate(body, scim_ctx=scim_ctx)


@router.get("/ServiceProviderConfig")
def scim_config(request: Request) -> Response:
    """Say which parts of SCIM are supported."""
    config = scim.PROVIDER.config
    assert config is not None
    return _answer(config, request, ScimContext.RESOURCE_QUERY_RESPONSE)


@router.get("/ResourceTypes")
def scim_resource_types(request: Request) -> Response:
    """List the kinds of resource."""
    return _described(request, ResourceType, "")


@router.get("/ResourceTypes/{name}")
def scim_resource_type(request: Request, name: str) -> Response:
    """Describe one kind of resource."""
    return _described(request, ResourceType, name)


@router.get("/Schemas")
def scim_schemas(request: Request) -> Response:
    """List the schemas of the resources."""
    return _described(request, Schema, "")


@router.get("/Schemas/{name}")
def scim_schema(request: Request, name: str) -> Response:
    """Describe one schema."""
    return _described(request, Schema, name)


def _described(request: Request, model: type[ResourceType | Schema], name: str) -> Response:
    """Return what SCIM says of itself: all of a kind, or the one of a name.

    Raises:
        NotFound: there is none of that name.
    """
    provider = scim.PROVIDER
    every = provider.resource_types if model is ResourceType else provider.schemas
    if not name:
        return scim.page_of(model, every, {})
    found = next((document for document in every if document.id == name), None)
    if found is None:
        raise NotFound("There is no such description.")
    return _answer(found, request, ScimContext.RESOURCE_QUERY_RESPONSE)


@router.get("/Users")
def scim_users(request: Request, context: Provider) -> Response:
    """List the users that fit a filter."""
    return scim.page_of(scim.FullUser, _users(request, context), dict(request.query_params))


@router.post("/Users/.search")
def search_scim_users(request: Request, context: Provider, body: ScimBody) -> Response:
    """List the users that fit a filter, which is sent in the body."""
    return scim.page_of(scim.FullUser, _users(request, context), body)


@router.post("/Users", status_code=201)
def add_scim_user(request: Request, context: Provider, body: ScimBody) -> Response:
    """Add a user."""
    user = _read(scim.FullUser, body, ScimContext.RESOURCE_CREATION_REQUEST)
    row = services.add_provided_user(context, scim.provided_user(user))
    created = scim.user_from_row(row, _base(request))
    return _answer(created, request, ScimContext.RESOURCE_CREATION_RESPONSE, 201)


@router.get("/Users/{user_id}")
def scim_user(request: Request, context: Provider, user_id: str) -> Response:
    """Show one user."""
    user = scim.user_from_row(services.provided_user(context, user_id), _base(request))
    return _answer(user, request, ScimContext.RESOURCE_QUERY_RESPONSE)


@router.put("/Users/{user_id}")
def replace_scim_user(
    request: Request, context: Provider, user_id: str, body: ScimBody
) -> Response:
    """Replace a user."""
    base = _base(request)

    def change(row: StoredDirectoryUser) -> ProvidedUser:
        user = _read(scim.FullUser, body, ScimContext.RESOURCE_REPLACEMENT_REQUEST)
        with scim.reading():
            user.replace(scim.user_from_row(row, base))
        return scim.provided_user(user)

    row = services.change_provided_user(context, user_id, change)
    user = scim.user_from_row(row, base)
    return _answer(user, request, ScimContext.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Users/{user_id}")
def patch_scim_user(request: Request, context: Provider, user_id: str, body: ScimBody) -> Response:
    """Change parts of a user."""
    base = _base(request)

    def change(row: StoredDirectoryUser) -> ProvidedUser:
        user = scim.user_from_row(row, base)
        scim.apply_patch(body, user)
        return scim.provided_user(user)

    row = services.change_provided_user(context, user_id, change)
    user = scim.user_from_row(row, base)
    return _answer(user, request, ScimContext.RESOURCE_PATCH_RESPONSE)


@router.delete("/Users/{user_id}", status_code=204)
def remove_scim_user(context: Provider, user_id: str) -> Response:
    """Remove a user; their access here ends at once."""
    services.remove_provided_user(context, user_id)
    return Response(status_code=204)


@router.get("/Groups")
def scim_groups(request: Request, context: Provider) -> Response:
    """List the groups that fit a filter."""
    return scim.page_of(scim.Group, _groups(request, context), dict(request.query_params))


@router.post("/Groups/.search")
def search_scim_groups(request: Request, context: Provider, body: ScimBody) -> Response:
    """List the groups that fit a filter, which is sent in the body."""
    return scim.page_of(scim.Group, _groups(request, context), body)


@router.post("/Groups", status_code=201)
def add_scim_group(request: Request, context: Provider, body: ScimBody) -> Response:
    """Add a group; it gives no role until an administrator lets it."""
    group = _read(scim.Group, body, ScimContext.RESOURCE_CREATION_REQUEST)
    row = services.add_provided_group(context, scim.provided_group(group))
    created = scim.group_from_row(row, _base(request))
    return _answer(created, request, ScimContext.RESOURCE_CREATION_RESPONSE, 201)


@router.get("/Groups/{group_id}")
def scim_group(request: Request, context: Provider, group_id: str) -> Response:
    """Show one group."""
    group = scim.group_from_row(services.provided_group(context, group_id), _base(request))
    return _answer(group, request, ScimContext.RESOURCE_QUERY_RESPONSE)


@router.put("/Groups/{group_id}")
def replace_scim_group(
    request: Request, context: Provider, group_id: str, body: ScimBody
) -> Response:
    """Replace a group."""
    base = _base(request)

    def change(_row: DirectoryGroup) -> ProvidedGroup:
        return scim.provided_group(
            _read(scim.Group, body, ScimContext.RESOURCE_REPLACEMENT_REQUEST)
        )

    row = services.change_provided_group(context, group_id, change)
    group = scim.group_from_row(row, base)
    return _answer(group, request, ScimContext.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Groups/{group_id}")
def patch_scim_group(
    request: Request, context: Provider, group_id: str, body: ScimBody
) -> Response:
    """Change parts of a group, such as its members."""
    base = _base(request)

    def change(row: DirectoryGroup) -> ProvidedGroup:
        group = scim.group_from_row(row, base)
        scim.apply_patch(body, group)
        return scim.provided_group(group)

    row = services.change_provided_group(context, group_id, change)
    group = scim.group_from_row(row, base)
    return _answer(group, request, ScimContext.RESOURCE_PATCH_RESPONSE)


@router.delete("/Groups/{group_id}", status_code=204)
def remove_scim_group(context: Provider, group_id: str) -> Response:
    """Remove a group; its members no longer have its role."""
    services.remove_provided_group(context, group_id)
    return Response(status_code=204)


@router.post("/.search")
def search_scim(request: Request, context: Provider, body: ScimBody) -> Response:
    """List the users and groups that fit a filter, which is sent in the body."""
    resources = [*_users(request, context), *_groups(request, context)]
    return scim.page_of(scim.FullUser | scim.Group, resources, body)


def _users(request: Request, context: Provider) -> list[scim.User[Any]]:
    base = _base(request)
    return [scim.user_from_row(row, base) for row in services.provided_users(context)]


def _groups(request: Request, context: Provider) -> list[scim.Group]:
    base = _base(request)
    return [scim.group_from_row(row, base) for row in services.provided_groups(context)]
