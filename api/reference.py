"""The reference of the API: the OpenAPI document as operations and objects for a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

JsonObject = dict[str, Any]
"""An object of an OpenAPI document."""

if TYPE_CHECKING:
    from collections.abc import Iterable

DESCRIBED_METHODS = ("get", "post", "put", "delete", "head")
OBJECT = "#/components/schemas/"
JSON_MEDIA, FORM_MEDIA = "application/json", "multipart/form-data"


@dataclass(frozen=True)
class FieldInfo:
    """One field or parameter: its name, type in words, the object it links to, and meaning.

    Attributes:
        place: where it is sent: `path`, `query`, `header`, or the media type of the body.
        choices: the values it can have, where these are few.
        is_file: whether it is sent as a file.
    """

    name: str
    type: str
    object: str
    is_required: bool
    place: str
    meaning: str
    choices: tuple[str, ...] = ()
    is_file: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation of the API.

    Attributes:
        media: media type of the body, if it has one.
        sample: a body of JSON with the fields it needs, each of its type.
        example: a command that calls it.
    """

    name: str
    method: str
    path: str
    tag: str
    meaning: str
    parameters: tuple[FieldInfo, ...]
    media: str
    body: tuple[FieldInfo, ...]
    sample: str
    answers: tuple[tuple[str, str, str, str], ...]
    example: str

    def matches(self, words: Iterable[str], tag: str) -> bool:
        """Whether each word stands in it, and it has the tag, if one is given."""
        text = f"{self.method} {self.path} {self.tag} {self.meaning}".casefold()
        return (not tag or tag == self.tag) and all(word in text for word in words)


@dataclass(frozen=True)
class ObjectInfo:
    """One object that is sent or answered."""

    name: str
    meaning: str
    fields: tuple[FieldInfo, ...]


def operations(document: JsonObject) -> list[Operation]:
    """Convert an OpenAPI document into its operations, in its order."""
    schemas = document["components"]["schemas"]
    return [
        _operation(method, path, content[method], schemas)
        for path, content in document["paths"].items()
        for method in DESCRIBED_METHODS
        if method in content
    ]


def objects(document: JsonObject) -> list[ObjectInfo]:
    """Convert the schemas of an OpenAPI document into objects, by name."""
    return [
        ObjectInfo(name, schema.get("description", ""), _fields(schema, "")
                   or (_value(name, schema),))
        for name, schema in sorted(document["components"]["schemas"].items())
    ]  # fmt: skip


def _value(name: str, schema: JsonObject) -> FieldInfo:
    """A schema that is one value, such as an enumeration."""
    words, linked = type_words(schema)
    return FieldInfo(name, words, linked, True, "", schema.get("description", ""))


def _operation(method: str, path: str, content: JsonObject, schemas: JsonObject) -> Operation:
    parameters = tuple(
        FieldInfo(
            field["name"], *type_words(field["schema"]), field.get("required", False), field["in"],
            field.get("description", ""), _choices(field["schema"]),
        )
        for field in content.get("parameters", ())
    )  # fmt: skip
    media, body_content = next(
        iter(content.get("requestBody", {}).get("content", {}).items()), ("", {"schema": {}})
    )
    schema = _resolved(body_content["schema"], schemas)
    body = _body(schema, schemas) if media == JSON_MEDIA else None
    return Operation(
        name=content["operationId"],
        method=method.upper(),
        path=path,
        tag=(content.get("tags") or ["other"])[0],
        meaning=str(content.get("description", content.get("summary", ""))),
        parameters=parameters,
        media=media,
        body=_fields(schema, media),
        sample="" if body is None else json.dumps(body, indent=2),
        answers=tuple(_answer(status, one) for status, one in content["responses"].items()),
        example=_example(method, path, media, schema, body),
    )


def _answer(status: str, answer: JsonObject) -> tuple[str, str, str, str]:
    """A response as status, meaning, type, and the object it links to."""
    content: JsonObject = next(iter(answer.get("content", {}).values()), {})
    schema = content.get("schema", {})
    words, linked = type_words(schema) if schema else ("", "")
    return status, answer.get("description", ""), words, linked


def _resolved(schema: JsonObject, schemas: JsonObject) -> JsonObject:
    """The schema that another refers to, or itself."""
    resolved: JsonObject = schemas.get(schema.get("$ref", "").removeprefix(OBJECT), schema)
    return resolved


def _fields(schema: JsonObject, media: str) -> tuple[FieldInfo, ...]:
    """The fields of an object."""
    required = schema.get("required", ())
    return tuple(
        FieldInfo(
            name, *type_words(one), name in required, media or "field", one.get("description", ""),
            _choices(one), "contentMediaType" in one,
        )
        for name, one in schema.get("properties", {}).items()
    )  # fmt: skip


def _choices(schema: JsonObject) -> tuple[str, ...]:
    """The values that a schema names, if it names them; null is left out."""
    if schema.get("type") == "boolean":
        return ("true", "false")
    several = [schema, *schema.get("anyOf", ())]
    return tuple(
        str(value) for one in several for value in one.get("enum", [one.get("const")]) if value
    )


def type_words(schema: JsonObject) -> tuple[str, str]:
    """The type of a value in words, and the name of the object it links to, if any."""
    if ref := schema.get("$ref", ""):
        name = ref.removeprefix(OBJECT)
        return name, name
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            kinds = [type_words(one) for one in schema[several]]
            linked = next((link for _, link in kinds if link), "")
            return " or ".join(dict.fromkeys(words for words, _ in kinds)), linked
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"])), ""
    if schema.get("type") == "array":
        words, linked = type_words(schema.get("items", {}))
        return f"list of {words}", linked
    kind = schema.get("type", "any value")
    return (f"{kind} ({schema['format']})" if "format" in schema else str(kind)), ""


def _body(schema: JsonObject, schemas: JsonObject) -> JsonObject:
    """A body: the example of its schema, or the fields it needs; all where it needs none."""
    if "examples" in schema:
        example: JsonObject = schema["examples"][0]
        return example
    needed = schema.get("required", ()) or schema.get("properties", ())
    return {name: _sample(schema["properties"][name], schemas) for name in needed}


def _example(
    method: str, path: str, media: str, schema: JsonObject, body: JsonObject | None
) -> str:
    """A command that calls an operation, with the fields it needs."""
    parts = ["curl -sS"] + ([f"-X {method.upper()}"] if method not in {"get", "post"} else [])
    parts.append('-H "Authorization: Bearer $KEY"')
    if body is not None:
        parts += [f"-H 'Content-Type: {JSON_MEDIA}'", f"-d '{json.dumps(body)}'"]
    elif media == FORM_MEDIA:
        needed = {name: schema["properties"][name] for name in schema.get("required", ())}
        parts += [
            f"-F {name}=@{name}.csv"
            if "contentMediaType" in one
            else f"-F '{name}={_sample(one, {})}'"
            for name, one in needed.items()
        ]
    elif method == "post":
        parts.insert(1, "-X POST")
    return " ".join([*parts, f'"$SERVICE{path}"'])


def _sample(schema: JsonObject, schemas: JsonObject) -> Any:  # noqa: ANN401  JSON
    """A value of a schema: its example, or one of its type."""
    schema = _resolved(schema, schemas)
    for name in ("examples", "enum"):
        if name in schema:
            return schema[name][0]
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _sample(schema[several][0], schemas)
    if schema.get("type") == "array":
        return [_sample(schema.get("items", {}), schemas)]
    if "properties" in schema:
        return _body(schema, schemas)
    samples: dict[str, Any] = {"integer": schema.get("minimum", 1), "number": 1, "boolean": True,
                               "object": {}}  # fmt: skip
    return samples.get(schema.get("type", ""), "...")
