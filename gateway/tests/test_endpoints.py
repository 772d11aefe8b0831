"""Endpoints come from the catalog: a new SQL file is a new endpoint, with its documentation, and no Python."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conftest import Database, Project, RunningGateway, wait_until
from db.migrate import MigrationError
from gateway.keys import make_private_key, read_private_key
from gateway.tokens import make_token


async def test_a_new_file_is_a_new_endpoint_with_its_documentation(
    project: Project, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    async with http.get("/v1/coins/greeting", params={"name": "Bob"}) as answer:
        assert answer.status == 404
    path = project.add(
        "greet",
        arguments="    p_name text,\n    p_times integer default 1,\n    out greeting text",
        returns="returns text",
        body="greeting := repeat('Hello ' || p_name || '. ', p_times);",
        comment="Greets somebody.\np_name: who. p_times: how often.\nReturns the greeting.\nErrors: none.",
        route="GET /v1/coins/greeting",
    )
    project.migrate()
    wait_until(lambda: sum(line["event"] == "catalog read" for line in gateway.log_lines()) == 2)
    async with http.get("/v1/coins/greeting", params={"name": "Bob", "times": "2"}) as answer:
        assert (answer.status, await answer.json()) == (200, {"greeting": "Hello Bob. Hello Bob. "})
    async with http.get("/openapi.json") as answer:
        operation = (await answer.json())["paths"]["/v1/coins/greeting"]["get"]
    assert operation["summary"] == "Greets somebody"
    name, times = operation["parameters"]
    assert (name["name"], name["required"], name["schema"]["description"]) == ("name", True, "who.")
    assert (times["required"], times["schema"]["default"], times["schema"]["type"]) == (False, 1, "integer")
    path.unlink()
    assert any("dropping coins.greet" in line for line in project.migrate())
    wait_until(lambda: sum(line["event"] == "catalog read" for line in gateway.log_lines()) >= 3)
    async with http.get("/v1/coins/greeting", params={"name": "Bob"}) as answer:
        assert answer.status == 404


async def test_values_of_all_types_travel_both_ways(
    project: Project, run_gateway: Callable[..., RunningGateway]
) -> None:
    kinds = {
        "p_id": "uuid", "p_text": "text", "p_small": "smallint", "p_int": "integer", "p_big": "bigint",
        "p_yes": "boolean", "p_money": "numeric", "p_ratio": "double precision", "p_at": "timestamptz",
        "p_day": "date", "p_data_blob": "bytea", "p_document": "jsonb", "p_numbers": "integer[]", "p_ids": "uuid[]",
        "p_mood": "public.mood", "p_moods": "public.mood[]", "p_length": "interval",
    }  # fmt: skip
    # Times are told as times.
    outs = {f"back_{name.removeprefix('p_')}": kind for name, kind in kinds.items() if kind != "interval"}
    project.database.execute("create type public.mood as enum ('sad', 'glad')")
    project.add(
        "echo",
        arguments=",\n".join(
            [f"    {n} {k} default null" for n, k in kinds.items()] + [f"    out {n} {k}" for n, k in outs.items()]
        ),
        returns="returns record",
        body=" ".join(f"{name} := {name.replace('back_', 'p_')};" for name in outs),
        route="POST /v1/echo",
    )
    project.migrate()
    sent = {
        "id": str(uuid.uuid4()), "text": "naïve – 漢字", "small": -32768, "int": 2**31 - 1, "big": -(2**63), "yes": False,
        "money": "12345678901234567890.10", "ratio": 0.5, "at": "2026-01-31T12:00:00.25+02:00", "day": "2026-02-28",
        "data_b64": "AP/+", "document": {"a": [1, None, {"b": "c"}]}, "numbers": [1, None, 3], "ids": [],
        "mood": "glad", "moods": ["sad", None],
    }  # fmt: skip
    gateway = run_gateway(project.database.dsn)
    async with aiohttp.ClientSession(gateway.url) as http:
        async with http.post("/v1/echo", json=sent) as answer:
            assert answer.status == 200, await answer.text()
            got = await answer.json()
        expected = {f"back_{name}": value for name, value in sent.items()} | {"back_at": "2026-01-31T10:00:00.250000Z"}
        assert got == expected
        assert Decimal(got["back_money"]) == Decimal(sent["money"])  # type: ignore[arg-type]
        async with http.post("/v1/echo", json={}) as answer:
            assert await answer.json() == dict.fromkeys(expected)
        for name, wrong in {
            "id": "x", "text": 1, "small": 32768, "int": 1.0, "big": 2**63, "yes": "true", "money": "1e", "ratio": "1",
            "at": "2026-01-31T12:00:00", "day": "31.1.2026", "data_b64": "A", "numbers": 1, "ids": ["x"],
            "mood": "king", "moods": ["king"], "length": "foo",
        }.items():  # fmt: skip
            async with http.post("/v1/echo", json={name: wrong}) as answer:
                assert answer.status == 422, name
                assert (await answer.json())["field"].startswith(name)
        for length in ("5 minutes", "1 day", "PT5M", "P1DT12H"):
            async with http.post("/v1/echo", json={"length": length}) as answer:
                assert answer.status == 200, length
        for length in ("P", "5", "5 minutes ago", "9999999 days", "PT", "'1 day'", "infinity", ""):
            async with http.post("/v1/echo", json={"length": length}) as answer:
                assert answer.status == 422, length
        async with http.get("/openapi.json") as answer:
            document = await answer.json()
        shown = document["paths"]["/v1/echo"]["post"]["requestBody"]["content"]["application/json"]["schema"][
            "properties"
        ]
        assert shown["mood"]["enum"] == ["sad", "glad", None]


async def test_paths_void_not_found_and_statuses(project: Project, run_gateway: Callable[..., RunningGateway]) -> None:
    project.add(
        "find_thing", arguments="    p_thing_id integer,\n    out thing_id integer", returns="returns setof integer",
        body="return query select p_thing_id where p_thing_id < 10;", route="GET /v1/things/{thing_id}",
    )  # fmt: skip
    project.add(
        "drop_thing", arguments="    p_thing_id integer", returns="returns void", volatility="volatile",
        body="if p_thing_id > 10 then raise exception using errcode = ''PT410'', message = ''it was here once''; end if;".replace("''", "'"),
        route="DELETE /v1/things/{thing_id}",
    )  # fmt: skip
    project.add(
        "fail_softly", arguments="    out nothing integer", returns="returns setof integer", volatility="volatile",
        body="perform set_config('response.status', '402 it has a price', true); return;", route="POST /v1/fail",
    )  # fmt: skip
    project.add(
        "fail_hard", arguments="    p_kind text,\n    out nothing integer", returns="returns integer", volatility="volatile",
        body="raise exception using errcode = p_kind, message = 'canary words';", route="POST /v1/raise",
    )  # fmt: skip
    project.add(
        "forbid", arguments="    p_kind text,\n    out nothing integer", returns="returns integer",
        body="raise exception using errcode = '42501', constraint = p_kind, message = 'kind is not for you';",
        route="POST /v1/forbid",
    )  # fmt: skip
    project.migrate()
    gateway = run_gateway(project.database.dsn)
    async with aiohttp.ClientSession(gateway.url) as http:
        for method, path, status in (
            ("GET", "/v1/things/7", 200), ("GET", "/v1/things/70", 404), ("GET", "/v1/things/x", 422),
            ("GET", "/v1/things/7?thing_id=7", 422), ("GET", "/v1/things/7/8", 404), ("PUT", "/v1/things/7", 405),
            ("DELETE", "/v1/things/7", 204), ("DELETE", "/v1/things/70", 410),
        ):  # fmt: skip
            async with http.request(method, path) as answer:
                assert answer.status == status, (method, path)
        async with http.get("/v1/things/70") as answer:
            problem = await answer.json()
            assert (problem["detail"], problem["code"]) == ("there is no such thing", "PT404"), "as a function says it"
        async with http.post("/v1/fail") as answer:
            assert (answer.status, (await answer.json())["detail"]) == (402, "it has a price"), (
                "no body is an empty one"
            )
        for sqlstate, status in {
            "PT418": 418, "22023": 422, "23505": 409, "23514": 422, "23P01": 409, "28000": 401, "42501": 403, "40001": 503,
            "40P01": 503, "55P03": 503, "57014": 504, "53300": 503, "57P01": 503, "25006": 503, "P0001": 500, "XX000": 500,
            "PT999": 500, "PT420": 500, "PT599": 500, "P0002": 500,
        }.items():  # fmt: skip
            async with http.post("/v1/raise", json={"kind": sqlstate}) as answer:
                text = await answer.text()
                assert answer.status == status, (sqlstate, text)
                assert ("canary" in text) == (sqlstate in ("PT418", "22023", "28000")), sqlstate
                assert ("Retry-After" in answer.headers) == (status == 503), sqlstate
        # A refusal of ours, unlike PostgreSQL's own, says why.
        async with http.post("/v1/forbid", json={"kind": "blacklisted"}) as answer:
            problem = await answer.json()
            assert (answer.status, problem["detail"], problem["field"], problem["constraint"]) == (
                403, "kind is not for you", "kind", "blacklisted",
            )  # fmt: skip
    assert "canary" not in gateway.log.read_text()


def test_a_route_that_does_not_fit_its_function_stops_the_migration(project: Project) -> None:
    project.add("greet", arguments="    out greeting text", returns="returns text", body="greeting := 'Hi';",
                route="GET /v1/greeting/{name}")  # fmt: skip
    with pytest.raises(MigrationError, match="a part of the path is no argument of"):
        project.migrate()
    assert project.database.value("select count(*) from gateway.route where path like '%%greeting%%'") == 0


async def test_a_changed_result_type_after_a_deploy_needs_no_restart(
    project: Project, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    def greet(result: str) -> None:
        project.add(
            "greet",
            arguments=f"    out greeting {result}",
            returns=f"returns {result}",
            body="greeting := 7;",
            route="GET /v1/greeting",
        )

    greet("text")
    project.migrate()
    wait_until(lambda: sum(line["event"] == "catalog read" for line in gateway.log_lines()) == 2)
    for _ in range(10):
        async with http.get("/v1/greeting") as answer:
            assert await answer.json() == {"greeting": "7"}
    project.database.execute("drop function coins.greet()")
    greet("integer")
    project.migrate()
    for _ in range(10):
        async with http.get("/v1/greeting") as answer:
            assert answer.status == 200
    wait_until(lambda: sum(line["event"] == "catalog read" for line in gateway.log_lines()) >= 3)
    async with http.get("/v1/greeting") as answer:
        assert await answer.json() == {"greeting": 7}


async def test_the_caller_may_be_in_the_path_or_in_bytes(
    project: Project, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    project.add(
        "look_up", arguments="    p_user_id uuid,\n    out seen uuid", returns="returns uuid",
        body="seen := p_user_id;", route="GET /v1/people/{user_id}", options=", p_caller_argument => 'p_user_id'",
    )  # fmt: skip
    project.add(
        "look_in", arguments="    p_wallet_blob bytea,\n    out seen integer", returns="returns integer",
        body="seen := 1;", route="POST /v1/wallet", options=", p_caller_argument => 'p_wallet_blob'",
    )  # fmt: skip
    project.migrate()
    make_private_key(tmp_path / "token_key.pem")
    me, other = str(uuid.uuid4()), str(uuid.uuid4())
    token = make_token(read_private_key(tmp_path / "token_key.pem"), "device", me)
    gateway = run_gateway(project.database.dsn, AQM_AUTH="jwt")
    async with aiohttp.ClientSession(gateway.url, headers={"Authorization": f"Bearer {token}"}) as http:
        async with http.get(f"/v1/people/{me}") as answer:
            assert (answer.status, await answer.json()) == (200, {"seen": me})
        async with http.get(f"/v1/people/{other}") as answer:
            assert answer.status == 403
        async with http.post("/v1/wallet", json={"wallet_b64": "AAAA"}) as answer:
            assert answer.status == 403, "what can't be compared is not the caller"


async def test_docs_need_nobody_else(http: aiohttp.ClientSession) -> None:
    async with http.get("/docs") as page:
        text = await page.text()
        assert (page.status, page.content_type) == (200, "text/html")
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "http://" not in text
    assert "https://" not in text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert f"docs/{name}" in text
        async with http.get(f"/docs/{name}") as asset:
            assert asset.status == 200
            assert len(await asset.read()) > 100


async def test_openapi_tells_the_whole_of_an_endpoint(http: aiohttp.ClientSession) -> None:
    async with http.get("/openapi.json") as answer:
        document = await answer.json()
    assert document["openapi"].startswith("3.1")
    assert {path for path in document["paths"] if re.match("/v1/(?!escrow/)", path)} == {
        "/v1/coins/upload", "/v1/coins/fetch", "/v1/coins/count", "/v1/admin/purge-stale", "/v1/admin/hard-delete", "/v1/health",
        "/v1/coins/claim", "/v1/coins/claimed", "/v1/coins/discard", "/v1/coins/last-resort", "/v1/coins/status",
        "/v1/coins/watch",
    }  # fmt: skip
    coin = document["paths"]["/v1/coins/upload"]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "properties"
    ]["coins"]["items"]
    assert set(coin["properties"]) == {"key_id", "coin_category", "public_key_b64", "signature_b64"}
    assert coin["properties"]["public_key_b64"]["contentEncoding"] == "base64"
    assert all(field["description"] for field in coin["properties"].values())
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path


async def test_openapi_tells_of_every_argument_and_no_more_than_that(http: aiohttp.ClientSession) -> None:
    async with http.get("/openapi.json") as answer:
        document = await answer.json()
    assert not [words for words in descriptions(document) if re.search(r"\bp_", words)], "SQL's names say nothing here"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = {parameter["name"]: parameter["schema"] for parameter in operation.get("parameters", [])}
            body = operation.get("requestBody", {"content": {}})["content"].get("application/json", {})
            for name, schema in {**told, **body.get("schema", {}).get("properties", {})}.items():
                assert schema.get("description"), f"{method} {path}: {name}"
    event = document["paths"]["/v1/escrow/chain/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    told = {name: schema["description"] for name, schema in event["properties"].items()}
    assert told["contract"] == "its address."
    assert told["block"] == told["log_index"] == "where in the chain the event is.", "arguments may share their words"


def descriptions(document: Any) -> Iterator[str]:
    """All descriptions in a document."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == "description" and isinstance(value, str):
                yield value
            yield from descriptions(value)
    elif isinstance(document, list):
        for value in document:
            yield from descriptions(value)


async def test_openapi_names_the_refusals_that_a_route_has(
    database: Database, run_gateway: Callable[..., RunningGateway]
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    async with aiohttp.ClientSession(gateway.url) as http, http.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    for route, refusals in {
        "get /v1/escrow/profile/{wallet}": "401 404 422 429 503 504",
        "get /v1/escrow/products": "401 422 429 503 504",
        "get /v1/escrow/orders": "401 403 422 429 503 504",
        "get /v1/escrow/orders/{id}": "401 403 404 422 429 503 504",
        "post /v1/escrow/orders": "400 401 403 404 409 413 415 422 429 503 504",
        "get /v1/coins/fetch": "401 403 410 422 429 503 504",
        "post /auth/login": "400 401 403 404 409 413 415 422 429 503 504",
    }.items():
        method, path = route.split()
        responses = paths[path][method]["responses"]
        assert " ".join(status for status in responses if status[0] != "2") == refusals, route
