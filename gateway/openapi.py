"""OpenAPI 3.1, from the catalog alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .catalog import Catalog, Field, Route
from .codec import CLAIMS_DOMAIN, SIGNED_FIELDS, SIGNED_TYPE, WALLET_DOMAIN
from .problems import status_of
from .wallets import ADDRESS_FORM, LONGEST_MESSAGE, SIGNATURE_FORM

SCHEMAS: dict[str, dict[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "smallint": {"type": "integer", "format": "int16"},
    "integer": {"type": "integer", "format": "int32"},
    "bigint": {"type": "integer", "format": "int64"},
    "boolean": {"type": "boolean"},
    "bytea": {"type": "string", "contentEncoding": "base64"},
    "numeric": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    "double precision": {"type": "number"},
    "real": {"type": "number"},
    "timestamp with time zone": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "interval": {"type": "string", "description": "Like 5 minutes, or PT5M (ISO 8601)."},
    "jsonb": {},
    "json": {},
    "void": {},
}
"""JSON Schema of each SQL type; all others are strings."""

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, for a person."},
        "code": {"type": "string", "description": "SQLSTATE, where the database refused."},
        "constraint": {"type": "string"},
        "hint": {"type": "string"},
        "field": {"type": "string", "description": "JSON path of the field at fault."},
    },
}
REFUSALS = {
    "400": "The body is not JSON.",
    "401": "No valid token.",
    "403": "The token does not allow this.",
    "404": "Not found.",
    "409": "It conflicts with what is stored.",
    "410": "It was there once.",
    "413": "The body or a blob is too large.",
    "415": "The media type is not application/json.",
    "422": "A field is missing, unknown or not valid.",
    "429": "Too many requests; Retry-After says when.",
    "503": "The database is away or busy; Retry-After says when to try again.",
    "504": "The database took too long.",
}

SQLSTATE = re.compile(r"\b(?:PT\d{3}|\d[0-9A-Z]{4})\b")
SAID_STATUS = re.compile(r"\b([1-5]\d\d) over HTTP\b|\bover HTTP ([1-5]\d\d)\b")
"""Of what a function refuses without an error, as that would undo what it wrote."""
NAMES = r"p_[a-z_]+(?:, p_[a-z_]+)*"


def make_openapi(catalog: Catalog, needs_token: bool) -> dict[str, Any]:
    """The OpenAPI document of all endpoints. needs_token: whether bearer tokens are checked."""
    paths: dict[str, dict[str, Any]] = {}
    for route in catalog.routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, needs_token)
    paths["/v1/health"] = {"get": _health()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AQM",
            "version": "1",
            "description": "One-time public keys for people who are offline: upload, claim, count.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM},
            "responses": {
                status: {
                    "description": description,
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for status, description in REFUSALS.items()
            },
            **({"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}} if needs_token else {}),
        },
    }


def _operation(route: Route, needs_token: bool) -> dict[str, Any]:
    summary, description, by_argument = _read_comment(route.comment)
    in_path = set(route.pattern.groupindex)
    by_header = {argument: header for header, argument in route.headers.items()}
    parameters = [
        {
            "name": field.json_name,
            "in": "path" if field.json_name in in_path else "query",
            "required": field.json_name in in_path or _is_required(route, field, needs_token),
            "schema": _schema(field, description=by_argument.get(field.name)),
        }
        for field in route.arguments
        if field.name not in by_header and (field.json_name in in_path or route.method in ("GET", "DELETE"))
    ] + [
        {
            "name": header,
            "in": "header",
            "required": False,
            "schema": _schema(field, description=by_argument.get(field.name)),
        }
        for field in route.arguments
        if (header := by_header.get(field.name))
    ]
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}.{route.function}",
        "tags": [route.function.split(".")[0], *(["streams"] if route.channel else [])],
        "summary": summary,
        "description": description,
        "parameters": parameters,
        "responses": {
            **({"200": _success(route)} if route.results or route.rows_as else {"204": {"description": "Done."}}),
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _refusals(route, needs_token)},
        },
    }
    if route.method in ("POST", "PUT"):
        fields = [f for f in route.arguments if f.json_name not in in_path and f.name not in by_header]
        required = [f.json_name for f in fields if _is_required(route, f, needs_token)]
        operation["requestBody"] = {
            "required": bool(required),
            "content": {"application/json": {"schema": _object(fields, by_argument, required)}},
        }
    if "anon" not in route.roles:
        operation["description"] += f"\n\nWhere tokens are checked, for the roles: {', '.join(route.roles)}."
        if needs_token:
            operation["security"] = [{"bearer": []}]
    return operation


def _is_required(route: Route, field: Field, needs_token: bool) -> bool:
    return field.is_required and not (needs_token and field.name == route.caller_argument)


def _refusals(route: Route, needs_token: bool) -> list[str]:
    """How a call can be refused: by the gateway, as it is made for any such route, and by what its comment says of errors."""
    before, _, errors = route.comment.rpartition("\nErrors: ")
    statuses = {str(status_of(sqlstate)) for sqlstate in SQLSTATE.findall(errors)} | {"422", "429", "503", "504"}
    statuses.update(first or second for first, second in SAID_STATUS.findall(before))
    if route.method in ("POST", "PUT"):
        statuses |= {"400", "413", "415"}
    if "{" in route.path or (route.results and not route.rows_as and not route.channel):
        statuses.add("404")
    if needs_token:
        statuses |= {"401"} if "anon" in route.roles else {"401", "403"}
    return sorted(statuses & REFUSALS.keys())


def _read_comment(comment: str) -> tuple[str, str, dict[str, str]]:
    """A function's comment as summary, description and words by argument: «p_name: words.» as the conventions say, or
    «p_one, p_other: words.» of several."""
    summary, _, rest = comment.partition("\n")
    by_argument = {
        name: match[2].strip()
        for match in re.finditer(rf"({NAMES}): (.*?)(?=\b{NAMES}: |$)", rest, re.MULTILINE)
        for name in match[1].split(", ")
    }
    lines = [line for line in rest.splitlines() if not line.startswith("p_")]
    return summary.partition(";")[0].rstrip("."), "\n\n".join([summary, *lines]), by_argument


def _schema(field: Field, description: str | None = None, is_answer: bool = False) -> dict[str, Any]:
    schema: dict[str, Any]
    if field.domain == CLAIMS_DOMAIN:
        schema = {"type": "string", "description": "A JSON Web Token (RFC 7519) for the header Authorization."}
    elif field.domain == WALLET_DOMAIN:
        schema = {"type": "string", "pattern": f"^{ADDRESS_FORM.pattern}$"}
    elif field.composite and field.composite.name == SIGNED_TYPE:
        schema = _object(SIGNED_FIELDS, {}, [part.name for part in SIGNED_FIELDS])
        schema["properties"]["message"]["maxLength"] = LONGEST_MESSAGE
        schema["properties"]["signature"]["pattern"] = f"^{SIGNATURE_FORM.pattern}$"
    elif field.composite:
        names = [part.json_name for part in field.composite.fields if part.is_required or is_answer]
        schema = _object(field.composite.fields, {}, names, is_answer)
    else:
        schema = dict(SCHEMAS.get(field.type, {"type": "string"}))
        if field.labels:
            schema["enum"] = list(field.labels)
    if field.is_array:
        if "type" in schema and not field.composite:
            schema["type"] = [schema["type"], "null"]  # an array may have nulls, whatever it is of
        schema = {"type": "array", "items": schema}
    if description or field.comment:
        schema["description"] = description or field.comment
    if field.constant is not None and not is_answer:
        schema["default"] = field.constant
    return schema


def _object(
    fields: Sequence[Field], descriptions: dict[str, str], required: list[str], is_answer: bool = False
) -> dict[str, Any]:
    properties = {}
    for field in fields:
        schema = properties[field.json_name] = _schema(field, descriptions.get(field.name), is_answer)
        # The catalog knows no more of an answer than its comment: «…; null: there is none».
        may_be_null = "null" in (field.comment or "").lower() if is_answer else (field.default or "").startswith("NULL")
        if may_be_null and "type" in schema:
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _success(route: Route) -> dict[str, Any]:
    if route.channel:
        event, *data = route.results
        words = f"Server-sent events, as long as the client listens. {event.comment or ''}".strip()
        example = _object(data, {}, [field.json_name for field in data], is_answer=True)
        return {
            "description": "The state of now, and again whenever it has changed.",
            "content": {"text/event-stream": {"schema": {"type": "string", "description": words}, "x-data": example}},
        }
    row = _object(route.results, {}, [field.json_name for field in route.results], is_answer=True)
    body = row
    if route.rows_as:
        body = {
            "type": "object",
            "properties": {route.rows_as: {"type": "array", "items": row}},
            "required": [route.rows_as],
        }
    return {"description": "Done.", "content": {"application/json": {"schema": body}}}


def _health() -> dict[str, Any]:
    body = {
        "type": "object",
        "properties": {
            "status": {"type": "string"},
            "db_connected": {"type": "boolean"},
            "faults": {
                "type": "array",
                "items": {"enum": ["data keys", "signing key"]},
                "description": "What fails although coins are served: logins without the one, new tokens without the other.",
            },
        },
        "required": ["status", "db_connected"],
    }
    content = {"application/json": {"schema": body}}
    return {
        "operationId": "health",
        "tags": ["gateway"],
        "summary": "Says whether the server and its database are there",
        "responses": {
            "200": {"description": "All is well.", "content": content},
            "503": {"description": "The database is away.", "content": content},
        },
    }
