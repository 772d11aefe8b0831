"""Arguments and answers that are more than a name and a value: headers, domains with defaults, types inside of types."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from conftest import Project, RunningGateway
from db.migrate import MigrationError

Run = Callable[..., RunningGateway]
KEYED = """, p_headers => '{"Idempotency-Key": "p_request_id"}'"""
ECHO = {
    "arguments": "    p_name text,\n    p_request_id uuid default null,\n    out name text,\n    out request_id uuid",
    "returns": "returns record",
    "body": "name := p_name; request_id := p_request_id;",
    "comment": "Says it again.\np_name: what. p_request_id: a name for the request.\nErrors: none.",
}


@pytest.fixture
async def served(project: Project, run_gateway: Run) -> AsyncIterator[Callable[[], aiohttp.ClientSession]]:
    """Migrates and serves what the test has added."""
    sessions: list[aiohttp.ClientSession] = []

    def serve() -> aiohttp.ClientSession:
        project.migrate()
        sessions.append(aiohttp.ClientSession(run_gateway(project.database.dsn).url))
        return sessions[-1]

    yield serve
    for session in sessions:
        await session.close()


Serve = Callable[[], aiohttp.ClientSession]


async def ask(http: aiohttp.ClientSession, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with http.request(method, path, **options) as answer:
        return answer.status, await answer.json(content_type=None)


# -- headers


async def test_an_argument_may_come_from_a_header_and_from_nowhere_else(project: Project, served: Serve) -> None:
    project.add("echo_get", route="GET /v1/echo", options=KEYED, **ECHO)
    project.add("echo_post", route="POST /v1/echo", options=KEYED, **ECHO)
    http = served()
    key = str(uuid.uuid4())
    for method, place in (("GET", "params"), ("POST", "json")):

        async def call(
            headers: Any, method: str = method, place: str = place, **more: str
        ) -> tuple[int, dict[str, str]]:
            return await ask(http, method, "/v1/echo", headers=headers, **{place: {"name": "a", **more}})

        assert await call({}) == (200, {"name": "a", "request_id": None})
        for header in ({"Idempotency-Key": key}, {"idempotency-key": f'"{key}"'}, {"Idempotency-Key": f" {key} "}):
            assert await call(header) == (200, {"name": "a", "request_id": key})
        for sent in ("", "x", '""', '"', f'"{key}', f'"{key}" ;a=1', key[:-1], f"{key},{key}"):
            status, problem = await call({"Idempotency-Key": sent})
            assert (status, problem["field"]) == (422, "Idempotency-Key"), sent
            assert problem["detail"] == "Idempotency-Key must be a UUID"
        status, problem = await call([("Idempotency-Key", key), ("Idempotency-Key", key)])
        assert (status, problem["detail"]) == (422, "Idempotency-Key is given more than once")
        for headers in ({}, {"Idempotency-Key": key}):
            status, problem = await call(headers, request_id=key)
            assert (status, problem["field"]) == (422, "request_id")
            assert problem["detail"] == "request_id belongs into the header Idempotency-Key"


async def test_openapi_shows_the_header(project: Project, served: Serve) -> None:
    project.add("echo_get", route="GET /v1/echo", options=KEYED, **ECHO)
    project.add("echo_post", route="POST /v1/echo", options=KEYED, **ECHO)
    _, document = await ask(served(), "GET", "/openapi.json")
    for operation in document["paths"]["/v1/echo"].values():
        assert [p for p in operation["parameters"] if p["in"] == "header"] == [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "format": "uuid", "description": "a name for the request."},
            }
        ]
        assert [p["name"] for p in operation["parameters"] if p["in"] != "header"] in (["name"], [])
    body = document["paths"]["/v1/echo"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert list(body["properties"]) == ["name"]


@pytest.mark.parametrize("headers", ['{"Idempotency-Key": "p_gone"}', '{"X-Name": "p_name"}'])
def test_a_header_needs_an_argument_with_a_default(project: Project, headers: str) -> None:
    project.add("echo_get", route="GET /v1/echo", options=f", p_headers => '{headers}'", **ECHO)
    with pytest.raises(MigrationError, match=r"a header is no argument of coins\.echo_get with a default"):
        project.migrate()


# -- batches

TWIN = """
create type coins.numbered_echo as (call_number integer, error_code text, error_message text{detail}, name text, request_id uuid);
create sequence coins.tries;
create function coins.echo_many(p_names text[], p_request_ids uuid[]) returns setof coins.numbered_echo
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    {body}
    return query
    select c.number::integer, case when c.name = 'full' then 'PT429' end, case when c.name = 'full' then 'enough' end
        {value}, c.name, c.request_id
    from unnest(p_names, p_request_ids) with ordinality as c (name, request_id, number);
end
$$;
revoke all on function coins.echo_many(text[], uuid[]) from public;
comment on function coins.echo_many(text[], uuid[]) is 'Twin.';
"""
LOST_AT_FIRST = """
    if nextval('coins.tries') = 1 then
        perform pg_terminate_backend(pg_backend_pid()), pg_sleep(5);
    end if;
"""


def add_twin(project: Project, detail: bool, twin_body: str = "", body: str = ECHO["body"]) -> None:
    """An endpoint with a batch twin, whose refusals have a detail or, as older twins', none."""
    project.add("echo", **(ECHO | {"body": body, "volatility": "volatile"}), route="GET /v1/echo",
                options=f"{KEYED}, p_batch_function => 'coins.echo_many'")  # fmt: skip
    twin = TWIN.format(
        body=twin_body,
        detail=", error_detail text" if detail else "",
        value=", case when c.name = 'full' then 'Retry-After: 17' end" if detail else "",
    )
    created, commented = twin.split("create function")
    project.database.execute(created)
    (project.folder / "functions" / "coins" / "echo_many.sql").write_text(
        f"create function {commented}grant execute on function coins.echo_many(text[], uuid[]) to aqm_anon, aqm_device;\n"
    )


@pytest.mark.parametrize("detail", [True, False])
async def test_a_batch_carries_headers_and_says_when_to_return(project: Project, served: Serve, detail: bool) -> None:
    add_twin(project, detail)
    http = served()
    keys = [str(uuid.uuid4()) if number % 2 else None for number in range(20)]
    calls = [
        ask(http, "GET", "/v1/echo", params={"name": str(n)}, headers={"Idempotency-Key": key} if key else {})
        for n, key in enumerate(keys)
    ]
    assert await asyncio.gather(*calls) == [(200, {"name": str(n), "request_id": key}) for n, key in enumerate(keys)]
    async with http.get("/v1/echo", params={"name": "full"}) as answer:
        assert (answer.status, (await answer.json())["detail"]) == (429, "enough")
        assert answer.headers.get("Retry-After") == ("17" if detail else None)


async def test_after_a_lost_connection_only_a_call_with_a_request_id_is_repeated(
    project: Project, served: Serve
) -> None:
    add_twin(project, True, LOST_AT_FIRST)
    project.add("twice", **(ECHO | {"body": LOST_AT_FIRST + ECHO["body"], "volatility": "volatile"}),
                route="POST /v1/twice", options=KEYED)  # fmt: skip
    http = served()
    # Only the server's own user may cut a connection of another role.
    for function in ("coins.echo_many(text[], uuid[])", "coins.twice(text, uuid)"):
        project.database.execute(f"alter function {function} owner to postgres")
    key = str(uuid.uuid4())
    for method, path, place in (("GET", "/v1/echo", "params"), ("POST", "/v1/twice", "json")):
        for headers, status, tries in (({"Idempotency-Key": key}, 200, 1), ({}, 503, 1)):
            project.database.execute("alter sequence coins.tries restart")
            got, answer = await ask(http, method, path, headers=headers, **{place: {"name": "a"}})
            assert got == status, (path, answer)
            if status == 200:
                assert answer == {"name": "a", "request_id": key}
            calls = project.database.value("select last_value from coins.tries")
            # A repeated call is made alone, so not by the twin.
            assert calls == tries + (status == 200 and path == "/v1/twice")


# -- when to return


async def test_a_refusal_may_say_when_to_return_and_no_other_detail_goes_out(project: Project, served: Serve) -> None:
    project.add(
        "refuse", arguments="    p_code text,\n    p_detail text,\n    out nothing integer", returns="returns integer",
        volatility="volatile", route="POST /v1/refuse",
        body="raise exception using errcode = p_code, message = 'no', detail = p_detail;",
    )  # fmt: skip
    http = served()
    for code, detail, wait in (
        ("PT429", "Retry-After: 3600", "3600"), ("PT409", "Retry-After: 0", "0"), ("PT503", "Retry-After: 5", "5"),
        ("PT503", "canary", "1"), ("PT429", "canary", None), ("PT429", "Retry-After: 5 canary", None),
        ("PT429", "retry-after: 5", None), ("PT429", "Retry-After: 5\n", None), ("PT429", "Retry-After: -5", None),
        ("PT429", "Retry-After: 5\r\nX-Canary: 1", None), ("PT429", "", None), ("22023", "Retry-After: 5", None),
        ("PT429", "Retry-After: ５", None),
    ):  # fmt: skip
        async with http.post("/v1/refuse", json={"code": code, "detail": detail}) as answer:
            assert answer.headers.get("Retry-After") == wait, (code, detail)
            assert "anary" not in await answer.text() + str(answer.headers)


# -- domains and types inside of types

TYPES = """
create domain coins.one as integer default 1;
create domain coins.small as smallint default 2;
create domain coins.below as bigint default -3;
create domain coins.deeper as coins.one;
create domain coins.no as boolean default false;
create domain coins.yes as boolean default true;
create domain coins.word as text default 'odd';
create domain coins.bare as integer;
create type coins.inner as (name text, amount coins.one, picture_blob bytea);
create type coins.wish as (
    id uuid, amount coins.one, few coins.small, debt coins.below, deep coins.deeper, is_last coins.no, is_kind coins.yes,
    word coins.word, bare coins.bare, one_inner coins.inner, inners coins.inner[]
);
comment on column coins.inner.amount is 'How many.';
comment on column coins.inner.picture_blob is 'The picture; null: there is none.';
create type coins.outcome as (id uuid, first_blob bytea, amount coins.one, price numeric, one_inner coins.inner, inners coins.inner[]);
comment on column coins.outcome.first_blob is 'The first picture; null: there is none.';
comment on column coins.outcome.one_inner is 'The one; null: there is none.';
comment on column coins.outcome.inners is 'All of them; null: there is no list.';
"""


async def test_a_field_of_a_domain_with_a_default_may_be_left_out(project: Project, served: Serve) -> None:
    project.database.execute(TYPES)
    project.add(
        "wish", arguments="    p_wishes coins.wish[]", returns="returns setof coins.wish",
        body="return query select w.* from unnest(p_wishes) as w;", route="POST /v1/wish", options=", p_rows_as => 'wishes'",
    )  # fmt: skip
    http = served()
    inner = {"name": "b", "picture_b64": "AP8="}
    least = {
        "id": str(uuid.uuid4()),
        "word": "w",
        "bare": 5,
        "one_inner": inner,
        "inners": [inner, inner | {"amount": 9}],
    }
    defaults = {"amount": 1, "few": 2, "debt": -3, "deep": 1, "is_last": False, "is_kind": True}
    most = least | {"amount": -7, "few": 8, "debt": 2**62, "deep": 4, "is_last": True, "is_kind": False, "inners": []}
    expected = [
        least | defaults | {"one_inner": inner | {"amount": 1}, "inners": [inner | {"amount": 1}, inner | {"amount": 9}]},
        most | {"one_inner": inner | {"amount": 1}},
        least | defaults | dict.fromkeys(["amount", "one_inner", "inners", "word"]),
    ]  # fmt: skip
    wishes = [least, most, least | dict.fromkeys(["amount", "one_inner", "inners", "word"])]
    assert await ask(http, "POST", "/v1/wish", json={"wishes": wishes}) == (200, {"wishes": expected})
    for change, field in (
        ({"amount": "1"}, "amount"), ({"amount": 2**31}, "amount"), ({"few": 2**15}, "few"), ({"is_last": 1}, "is_last"),
        ({"inners": [inner | {"amount": 1.5}]}, "inners[0].amount"),
    ):  # fmt: skip
        status, problem = await ask(http, "POST", "/v1/wish", json={"wishes": [least | change]})
        assert (status, problem["field"]) == (422, f"wishes[0].{field}")
    for name in least:
        some = {key: value for key, value in least.items() if key != name}
        status, problem = await ask(http, "POST", "/v1/wish", json={"wishes": [some]})
        assert (status, problem["detail"]) == (422, f"wishes[0].{name} is missing")

    _, document = await ask(http, "GET", "/openapi.json")
    operation = document["paths"]["/v1/wish"]["post"]
    wish = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["wishes"]["items"]
    assert set(wish["required"]) == set(least)
    assert {name: part["default"] for name, part in wish["properties"].items() if "default" in part} == defaults
    assert wish["properties"]["few"] == {"type": "integer", "format": "int16", "default": 2}
    inner_schema = wish["properties"]["inners"]["items"]
    assert inner_schema["required"] == ["name", "picture_b64"]
    assert inner_schema["properties"]["amount"]["default"] == 1


async def test_answers_of_types_inside_of_types_keep_their_names(project: Project, served: Serve) -> None:
    project.database.execute(TYPES)
    rows = """
        return query select o.* from (values
            (row(null, '\\x00ff', 4, 1.50, row('a', 2, '\\x01')::coins.inner,
                array[row('b', 3, null)::coins.inner, null, row('c', null, '\\x02')::coins.inner])::coins.outcome),
            (row(null, null, null, null, null, null)::coins.outcome),
            (row(null, null, 1, 0, null, '{}')::coins.outcome)
        ) as v (o) cross join lateral (select (v.o).*) as o;
    """
    project.add("outcomes", returns="returns setof coins.outcome", body=rows, route="GET /v1/outcomes",
                options=", p_rows_as => 'outcomes'")  # fmt: skip
    http = served()

    def inner(name: str, amount: int | None, picture: bytes | None) -> dict[str, Any]:
        return {"name": name, "amount": amount, "picture_b64": picture and base64.b64encode(picture).decode()}

    empty = dict.fromkeys(["id", "first_b64", "amount", "price", "one_inner", "inners"])
    assert await ask(http, "GET", "/v1/outcomes") == (200, {"outcomes": [
        empty | {"first_b64": "AP8=", "amount": 4, "price": "1.50", "one_inner": inner("a", 2, b"\x01"),
                 "inners": [inner("b", 3, None), None, inner("c", None, b"\x02")]},
        empty,
        empty | {"amount": 1, "price": "0", "inners": []},
    ]})  # fmt: skip
    _, document = await ask(http, "GET", "/openapi.json")
    answer = document["paths"]["/v1/outcomes"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    outcome = answer["properties"]["outcomes"]["items"]
    assert set(outcome["required"]) == set(empty)
    assert outcome["properties"]["first_b64"]["type"] == ["string", "null"]
    assert outcome["properties"]["amount"] == {"type": "integer", "format": "int32"}
    assert outcome["properties"]["inners"]["items"]["required"] == ["name", "amount", "picture_b64"]
