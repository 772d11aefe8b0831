"""Who may call what over HTTP: every route of the catalog by everybody, against a list that is written by hand."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import psycopg
import pytest

from conftest import Database, RunningGateway, make_coin, to_json
from gateway.keys import make_private_key, read_private_key, thumbprint

OWN_DEVICE, DEVICE, OWN_USER, USER, OWN_WALLET, WORKER, ADMIN, ANYONE = (
    "own device", "device", "own user", "user", "own wallet", "worker", "admin", "anyone",
)  # fmt: skip
"""own: the subject is whom the call names."""

MAY_CALL: dict[str, set[str]] = {
    "DELETE /companies/{id}": {ADMIN},
    "DELETE /companies/{id}/members/{user_id}": {ADMIN},
    "DELETE /sessions/{id}": {OWN_USER, ADMIN},
    "DELETE /users/{id}": {ADMIN},
    "DELETE /users/{id}/roles": {ADMIN},
    "DELETE /v1/escrow/blacklist/{wallet}": {ADMIN},
    "DELETE /v1/escrow/products/{id}": {OWN_WALLET},
    "GET /.well-known/jwks.json": {ANYONE},
    "GET /companies": {USER, ADMIN},
    "GET /companies/{id}": {USER, ADMIN},
    "GET /companies/{id}/members": {USER, ADMIN},
    "GET /companies/{id}/partner-configs": {USER, ADMIN},
    "GET /companies/{id}/partner-configs/{product_domain}": {USER, ADMIN},
    "GET /sessions": {OWN_USER, ADMIN},
    "GET /users": {ADMIN},
    "GET /users/{id}": {OWN_USER, ADMIN},
    "GET /users/{id}/roles": {OWN_USER, ADMIN},
    "GET /v1/coins/claimed": {OWN_DEVICE},
    "GET /v1/coins/count": {OWN_DEVICE},
    "GET /v1/coins/fetch": {OWN_DEVICE},
    "GET /v1/coins/status": {OWN_DEVICE},
    "GET /v1/coins/watch": {OWN_DEVICE},
    "GET /v1/escrow/arbitrators": {ANYONE},
    "GET /v1/escrow/blacklist": {ADMIN},
    "GET /v1/escrow/chain/cursor": {WORKER, ADMIN},
    "GET /v1/escrow/disputes/{order_id}/evidence": {OWN_WALLET, ADMIN},
    "GET /v1/escrow/orders": {OWN_WALLET, ADMIN},
    "GET /v1/escrow/orders/{id}": {OWN_WALLET, ADMIN},
    "GET /v1/escrow/orders/{order_id}/messages": {OWN_WALLET, ADMIN},
    "GET /v1/escrow/products": {ANYONE},
    "GET /v1/escrow/products/{id}": {ANYONE},
    "GET /v1/escrow/profile/products": {OWN_WALLET},
    "GET /v1/escrow/profile/{wallet}": {ANYONE},
    "GET /v1/escrow/stats/daily": {ADMIN},
    "POST /auth/login": {ANYONE},
    "POST /auth/logout": {DEVICE, USER, WORKER, ADMIN},
    "POST /auth/password-reset": {ANYONE},
    "POST /auth/refresh": {ANYONE},
    "POST /companies": {ADMIN},
    "POST /companies/{id}/members": {ADMIN},
    "POST /email-events/claim": {WORKER},
    "POST /users": {ANYONE},
    "POST /users/{id}/close": {OWN_USER},
    "POST /users/{id}/email-check": {OWN_USER, ADMIN},
    "POST /users/{id}/erase": {ADMIN},
    "POST /users/{id}/roles": {ADMIN},
    "POST /v1/admin/hard-delete": {ADMIN},
    "POST /v1/admin/purge-stale": {ADMIN},
    "POST /v1/coins/claim": {OWN_DEVICE},
    "POST /v1/coins/discard": {OWN_DEVICE},
    "POST /v1/coins/upload": {OWN_DEVICE},
    "POST /v1/escrow/auth/nonce": {ANYONE},
    "POST /v1/escrow/auth/verify": {ANYONE},
    "POST /v1/escrow/blacklist": {ADMIN},
    "POST /v1/escrow/chain/events": {WORKER, ADMIN},
    "POST /v1/escrow/chain/rollback": {WORKER, ADMIN},
    "POST /v1/escrow/disputes/{order_id}/evidence": {OWN_WALLET},
    "POST /v1/escrow/disputes/{order_id}/resolve": {OWN_WALLET},
    "POST /v1/escrow/orders": {OWN_WALLET},
    "POST /v1/escrow/orders/{id}/cancel": {OWN_WALLET},
    "POST /v1/escrow/orders/{id}/complete": {OWN_WALLET},
    "POST /v1/escrow/orders/{id}/confirm": {OWN_WALLET},
    "POST /v1/escrow/orders/{id}/dispute": {OWN_WALLET},
    "POST /v1/escrow/orders/{order_id}/messages": {OWN_WALLET},
    "POST /v1/escrow/orders/{order_id}/reviews": {OWN_WALLET},
    "POST /v1/escrow/products": {OWN_WALLET},
    "PUT /auth/email-check": {ANYONE},
    "PUT /auth/password-reset": {ANYONE},
    "PUT /companies/{id}": {ADMIN},
    "PUT /companies/{id}/partner-configs/{product_domain}": {ADMIN},
    "PUT /email-events/{id}": {WORKER},
    "PUT /users/{id}": {OWN_USER, ADMIN},
    "PUT /users/{id}/active": {ADMIN},
    "PUT /users/{id}/email": {OWN_USER, ADMIN},
    "PUT /users/{id}/kyc": {ADMIN},
    "PUT /users/{id}/password": {OWN_USER},
    "PUT /v1/coins/last-resort": {OWN_DEVICE},
    "PUT /v1/escrow/chain/cursor": {WORKER, ADMIN},
    "PUT /v1/escrow/products/{id}": {OWN_WALLET},
    "PUT /v1/escrow/profile": {OWN_WALLET, ADMIN},
}

ASK_FOR_A_SECRET = {
    "POST /auth/login", "POST /auth/refresh", "PUT /auth/email-check", "PUT /auth/password-reset", "PUT /users/{id}/email",
    "PUT /users/{id}/password", "POST /users/{id}/close", "POST /v1/escrow/auth/verify",
}  # fmt: skip
"""Answer 401 or 403 to who doesn't know it, whoever that is."""

WALLET = "0x6370eF2f4Db3611D657b90667De398a2Cc2a370C"
SIGNATURE = (
    "0x1091b80cf3757bf49343a50c4d8f0cde667c6ced643f414dc2789093d933c7ab"
    "22c8bd9fc8d5524ef8ff3027bf1e6dc2ef40a99414cb4c2eb1a87e935c2bbdd01b"
)
"""Of the text «sample», by the key of WALLET, whose bytes are 1 to 32."""

SAMPLES: dict[str, Any] = {
    "uuid": str(uuid.UUID(int=7)), "integer": 1, "bigint": 1, "smallint": 1, "boolean": True, "jsonb": {}, "text": "sample",
    "timestamp with time zone": "2026-01-31T00:00:00Z", "interval": "1 minute", "bytea": "AAAA", "coins.coin_upload": to_json(make_coin("sample")),
    "gateway.signed_message": {"message": "sample", "signature": SIGNATURE}, "escrow.chain_type": "bsc",
    "gateway.wallet": "0x" + "2" * 40, "escrow.token_type": "USDT", "escrow.product_category": "data", "numeric": "1",
}  # fmt: skip
"""An argument of each type. Whether a call may be made is asked before whether it is a good one, but for the shape."""


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    make_private_key(tmp_path / "token_key.pem")
    return tmp_path / "token_key.pem"


def make_callers(key_file: Path, me: str) -> dict[str, str | None]:
    """A token of everybody who may come."""
    key = read_private_key(key_file)
    kid = thumbprint(key.public_key())

    def token(role: str, subject: str, session: uuid.UUID, age: int = 0) -> str:
        now = int(time.time()) - age
        claims = {
            "iss": "aqm",
            "aud": "aqm",
            "sub": subject,
            "role": role,
            "sid": str(session),
            "iat": now,
            "exp": now + 900,
        }
        return jwt.encode(claims, key, "EdDSA", {"kid": kid})

    other = str(uuid.UUID(int=8))
    return {
        "own device": token("device", me, uuid.UUID(int=1)),
        "other device": token("device", other, uuid.UUID(int=2)),
        "own user": token("user", me, uuid.UUID(int=3)),
        "other user": token("user", other, uuid.UUID(int=4)),
        "own wallet": token("wallet", WALLET, uuid.UUID(int=9)),
        "other wallet": token("wallet", "0x" + "1" * 40, uuid.UUID(int=10)),
        "worker": token("worker", me, uuid.UUID(int=6)),
        "admin": token("admin", other, uuid.UUID(int=5)),
        "anonymous": None,
        "revoked device": token("device", me, REVOKED),
        "revoked admin": token("admin", me, REVOKED),
        "expired device": token("device", me, uuid.UUID(int=1), age=10_000),
        "expired admin": token("admin", me, uuid.UUID(int=5), age=10_000),
    }


REVOKED = uuid.UUID(int=666)


def expected(caller: str, may: set[str]) -> int | None:
    """401, 403, or None for any answer that is no refusal of the caller."""
    if caller.startswith(("revoked", "expired")):
        return 401
    if ANYONE in may:
        return None
    if caller == "anonymous":
        return 401
    own, _, role = caller.partition(" ")
    names = {caller, role or own}
    return None if names & may else 403


def arguments_of(route: dict[str, Any], me: str) -> dict[str, Any]:
    """All that a route needs, and the caller by name where it has one."""
    values = {}
    for argument in route["arguments"]:
        name, kind, is_array, is_required = argument
        if name == route["caller"]:
            values[name] = WALLET if kind == "gateway.wallet" else me
        elif is_required:
            name = f"{name.removesuffix('_blob')}_b64" if kind == "bytea" else name
            values[name] = [] if is_array else SAMPLES.get(kind, "sample")
    return values


def read_routes(database: Database) -> dict[str, dict[str, Any]]:
    """Method, path, caller argument and arguments of every route."""
    with psycopg.connect(database.dsn) as connection:
        routes = connection.execute(
            "select method, path, function_name, caller_argument, headers from gateway.list_routes()"
        ).fetchall()
        fields = connection.execute(
            "select shape, field, case domain_name when 'gateway.wallet' then domain_name else type_name end, is_array, "
            "is_required from gateway.list_fields() where direction = 'in'"
        ).fetchall()
    return {
        f"{method} {path}": {
            "caller": caller and caller.removeprefix("p_"),
            "arguments": [
                (field.removeprefix("p_"), kind, is_array, is_required)
                for shape, field, kind, is_array, is_required in fields
                if shape == function and field not in headers.values()
            ],
        }
        for method, path, function, caller, headers in routes
    }


async def test_every_route_answers_everybody_as_the_list_says(
    database: Database, run_gateway: Callable[..., RunningGateway], key_file: Path, subtests: pytest.Subtests
) -> None:
    routes = read_routes(database)
    assert routes.keys() == MAY_CALL.keys(), "a route more or less: say who may call it"
    me = str(uuid.UUID(int=7))
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt", AQM_TOKEN_KEY_FILE=str(key_file))
    database.execute("select gateway.revoke_session(%s, now() + interval '1 hour')", [REVOKED])
    callers = make_callers(key_file, me)
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(gateway.url, timeout=timeout) as http:

        async def status(name: str, caller: str) -> int:
            method, path = name.split(" ")
            values = arguments_of(routes[name], me)
            path = re.sub(r"\{(\w+)\}", lambda part: str(values.pop(part[1], me)), path)
            token = callers[caller]
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            place = {"json": values} if method in ("POST", "PUT") else {"params": values}
            async with http.request(method, path, headers=headers, **place) as answer:  # type: ignore[arg-type]
                return answer.status

        assert await status("GET /v1/coins/count", "own device") == 200
        for name, may in MAY_CALL.items():
            for caller in callers:
                with subtests.test(f"{name} by {caller}"):
                    answered, wanted = await status(name, caller), expected(caller, may)
                    if wanted:
                        assert answered == wanted
                    else:
                        # A wrong password or one-time token is refused as well, but nobody is as a caller.
                        assert answered not in (401, 403) or name in ASK_FOR_A_SECRET
                        assert answered < 500 or answered == 503
