"""People over HTTP: accounts, logins, refreshes, revocation at every gateway, signing keys."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from conftest import Database, RunningGateway, wait_until
from db.cluster import Cluster
from gateway.keys import make_private_key, read_private_key, thumbprint
from gateway.tokens import make_token

Run = Callable[..., RunningGateway]
EMAIL, PASSWORD = "Bob.Canary@Example.org", "canary horse staple"
NAME = "Bob Canarius"
AT_ONCE = int(os.environ.get("REFRESHES_AT_ONCE", "200"))


@dataclass
class House:
    """A gateway that checks tokens, its folder of keys, and a client."""

    database: Database
    gateway: RunningGateway
    folder: Path
    http: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, token: str | None = None, body: Any = None, **options: Any
    ) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self.http.request(method, path, json=body, headers=headers, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def sign_up(self, email: str = EMAIL) -> str:
        """The id of a new account."""
        status, account = await self.ask("POST", "/users", body={"email": email, "password": PASSWORD, "name": NAME})
        assert status == 200, account
        return str(account["id"])

    async def login(self, email: str = EMAIL, **more: Any) -> dict[str, Any]:
        """The tokens of a new session."""
        status, tokens = await self.ask("POST", "/auth/login", body={"email": email, "password": PASSWORD, **more})
        assert status == 200, tokens
        return dict(tokens)

    async def refresh(self, token: str) -> tuple[int, Any]:
        return await self.ask("POST", "/auth/refresh", body={"refresh_token": token})


@pytest.fixture
async def house(database: Database, run_gateway: Run, tmp_path: Path) -> AsyncIterator[House]:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    async with aiohttp.ClientSession(gateway.url, connector=aiohttp.TCPConnector(limit=0)) as http:
        yield House(database, gateway, tmp_path, http)


async def eventually(house: House, status: int, method: str, path: str, token: str, within: float = 1) -> None:
    """Within a second, or so many, an answer has a status."""
    deadline = time.monotonic() + within
    while (found := (await house.ask(method, path, token))[0]) != status:
        assert time.monotonic() < deadline, f"still {found}"
        await asyncio.sleep(0.02)


async def test_a_person_signs_up_logs_in_and_is_themselves_alone(house: House) -> None:
    bob, eve = await house.sign_up(), await house.sign_up("eve@example.org")
    tokens = await house.login()
    assert (tokens["token_type"], tokens["expires_in"], tokens["subject"]) == ("Bearer", 900, bob)
    token = tokens["access_token"]
    status, account = await house.ask("GET", f"/users/{bob}", token)
    assert (status, account["email"], account["name"]) == (200, EMAIL.lower(), NAME)
    assert account["kyc_status"] == "pending"
    changed = await house.ask("PUT", f"/users/{bob}", token, {"name": "Robert"})
    assert (changed[0], changed[1]["name"]) == (200, "Robert")
    status, listed = await house.ask("GET", "/sessions", token)
    assert [session["id"] for session in listed["sessions"]] == [tokens["session_id"]]
    for method, path, body in (
        ("GET", f"/users/{eve}", None),
        ("PUT", f"/users/{eve}", {"name": "Mallory"}),
        ("DELETE", f"/users/{eve}", None),
        ("GET", f"/users/{eve}/roles", None),
        ("GET", f"/sessions?user_id={eve}", None),
        ("GET", "/users", None),
        ("POST", f"/users/{bob}/roles", {"product_domain": "aqm", "role": "admin"}),
        ("PUT", f"/users/{bob}/kyc", {"status": "verified"}),
        ("GET", f"/v1/coins/count?user_id={bob}", None),
    ):
        assert (await house.ask(method, path, token, body))[0] == 403, (method, path)
        assert (await house.ask(method, path, None, body))[0] == 401, (method, path)


async def test_a_device_has_a_key_store_of_its_own_and_claims_with_it(house: House) -> None:
    bob = await house.sign_up()
    phone = await house.login(role="device", device_name="phone")
    again = await house.login(role="device", device_name="phone")
    tablet = await house.login(role="device", device_name="tablet")
    assert phone["subject"] == again["subject"]
    assert len({bob, phone["subject"], tablet["subject"]}) == 3
    count = await house.ask("GET", "/v1/coins/count", phone["access_token"])
    assert count == (200, {"gold": 0, "silver": 0, "bronze": 0})
    assert (await house.ask("GET", f"/v1/coins/count?user_id={tablet['subject']}", phone["access_token"]))[0] == 403
    assert (await house.ask("GET", f"/users/{bob}", phone["access_token"]))[0] == 403


async def test_an_admin_names_whom_it_concerns(house: House) -> None:
    bob, eve = await house.sign_up(), await house.sign_up("eve@example.org")
    body = {"email": EMAIL, "password": PASSWORD, "role": "admin"}
    assert (await house.ask("POST", "/auth/login", body=body))[0] == 403, "not yet"
    house.database.value("select auth.grant_role(%s, 'aqm', 'admin')", [bob])
    token = (await house.login(role="admin"))["access_token"]
    status, listed = await house.ask("GET", "/users", token)
    assert (status, {user["id"] for user in listed["users"]}) == (200, {bob, eve})
    assert (await house.ask("PUT", f"/users/{eve}/kyc", token, {"status": "verified", "data": {"by": "hand"}}))[
        0
    ] == 200
    hers = (await house.login("eve@example.org"))["access_token"]
    grant = {"product_domain": "escrow", "role": "arbitrator"}
    assert (await house.ask("POST", f"/users/{eve}/roles", token, grant))[0] == 204
    await eventually(house, 401, "GET", f"/users/{eve}", hers)
    status, roles = await house.ask("GET", f"/users/{eve}/roles", token)
    assert [(role["product_domain"], role["role"]) for role in roles["roles"]] == [("escrow", "arbitrator")]
    newer = await house.login("eve@example.org")
    assert jwt.decode(newer["access_token"], options={"verify_signature": False})["roles"] == {"escrow": ["arbitrator"]}
    assert (await house.ask("DELETE", f"/users/{eve}/roles", token, params=grant))[0] == 204
    assert (await house.ask("DELETE", f"/users/{eve}", token))[0] == 204
    assert (await house.ask("GET", f"/users/{eve}", token))[0] == 404
    # Who is admin no more, is out at once.
    house.database.value("select auth.revoke_role(%s, 'aqm', 'admin')", [bob])
    await eventually(house, 401, "GET", "/users", token)


async def test_an_unknown_address_and_a_wrong_password_are_the_same(house: House) -> None:
    await house.sign_up()
    answers = [
        await house.ask("POST", "/auth/login", body={"email": email, "password": "wrong wrong"})
        for email in (EMAIL, "nobody@example.org")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_too_many_wrong_passwords_lock_the_account_and_say_for_how_long(house: House) -> None:
    await house.sign_up()
    for email in (EMAIL, "nobody@example.org"):
        wrong = {"email": email, "password": "wrong wrong"}
        assert [(await house.ask("POST", "/auth/login", body=wrong))[0] for _ in range(5)] == [401] * 5
        for password in ("wrong wrong", PASSWORD):
            async with house.http.post("/auth/login", json={"email": email, "password": password}) as answer:
                assert answer.status == 429
                assert 20 <= int(answer.headers["Retry-After"]) <= 30
                assert (await answer.json())["constraint"] == "lockout"
    recorded = house.database.rows("select action, count(*) from auth.audit_logs where action ~ '^login' group by 1")
    assert recorded == [("login.refused", 10)]


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session_everywhere(
    house: House, run_gateway: Run
) -> None:
    bob = await house.sign_up()
    other = run_gateway(house.database.dsn, AQM_AUTH="jwt")
    first = await house.login()
    status, second = await house.refresh(first["refresh_token"])
    assert status == 200
    status, again = await house.refresh(first["refresh_token"])
    assert (status, again["refresh_token"], again["access_token"]) == (
        200, second["refresh_token"], second["access_token"],
    ), "an answer that was lost"  # fmt: skip
    house.database.execute("update auth.sessions set rotated_at = rotated_at - interval '11 seconds'")
    async with aiohttp.ClientSession(other.url) as there:
        headers = {"Authorization": f"Bearer {second['access_token']}"}
        async with there.get(f"/users/{bob}", headers=headers) as answer:
            assert answer.status == 200
        assert (await house.refresh(first["refresh_token"]))[0] == 401
        await eventually(house, 401, "GET", f"/users/{bob}", second["access_token"])
        deadline = time.monotonic() + 1
        while True:
            async with there.get(f"/users/{bob}", headers=headers) as answer:
                if answer.status == 401:
                    break
            assert time.monotonic() < deadline
    assert (await house.refresh(second["refresh_token"]))[0] == 401, "the thief's or the victim's: neither goes on"
    assert house.database.value("select count(*) from auth.audit_logs where action = 'session.token_reused'") == 1


async def test_many_who_refresh_at_once_get_one_child(database: Database, run_gateway: Run, tmp_path: Path) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt", AQM_POOL_WAIT="30")
    async with aiohttp.ClientSession(gateway.url, connector=aiohttp.TCPConnector(limit=0)) as http:
        house = House(database, gateway, tmp_path, http)
        await house.sign_up()
        first = await house.login()
        answers = await asyncio.gather(*(house.refresh(first["refresh_token"]) for _ in range(AT_ONCE)))
    assert [status for status, _ in answers] == [200] * AT_ONCE
    assert len({body["refresh_token"] for _, body in answers}) == 1
    assert database.value("select count(*) from auth.sessions where is_active") == 1


async def test_logout_ends_the_session_and_its_streams(house: House) -> None:
    await house.sign_up()
    phone = await house.login(role="device", device_name="phone")
    token = phone["access_token"]
    async with house.http.get("/v1/coins/watch", headers={"Authorization": f"Bearer {token}"}) as stream:
        assert stream.status == 200
        assert (await house.ask("POST", "/auth/logout", token, {}))[0] == 204
        async with asyncio.timeout(2):
            await stream.content.read()
    await eventually(house, 401, "GET", "/v1/coins/count", token)
    assert (await house.refresh(phone["refresh_token"]))[0] == 401
    stranger = make_token(read_private_key(house.folder / "token_key.pem"), "user", str(uuid.uuid4()))
    assert (await house.ask("POST", "/auth/logout", stranger, {}))[0] == 404, "a token of no session"


async def test_a_new_password_ends_the_other_sessions(house: House) -> None:
    bob = await house.sign_up()
    mine, other = await house.login(), await house.login()
    change = {"old_password": PASSWORD, "new_password": "a new password"}
    wrong = change | {"old_password": "wrong wrong"}
    path = f"/users/{bob}/password"
    assert (await house.ask("PUT", path, mine["access_token"], wrong))[0] == 403
    assert (await house.ask("PUT", path, mine["access_token"], change)) == (200, {"changed": True})
    await eventually(house, 401, "GET", f"/users/{bob}", other["access_token"])
    assert (await house.ask("GET", f"/users/{bob}", mine["access_token"]))[0] == 200
    assert (await house.ask("POST", "/auth/login", body={"email": EMAIL, "password": PASSWORD}))[0] == 401


async def test_a_gateway_that_starts_later_knows_who_was_revoked(house: House, run_gateway: Run) -> None:
    bob = await house.sign_up()
    tokens = await house.login()
    assert (await house.ask("DELETE", f"/sessions/{tokens['session_id']}", tokens["access_token"]))[0] == 204
    later = run_gateway(house.database.dsn, AQM_AUTH="jwt")
    async with (
        aiohttp.ClientSession(later.url) as http,
        http.get(f"/users/{bob}", headers={"Authorization": f"Bearer {tokens['access_token']}"}) as answer,
    ):
        assert answer.status == 401


async def test_keys_are_published_and_change_with_overlap(house: House, run_gateway: Run, tmp_path: Path) -> None:
    bob = await house.sign_up()
    old = (await house.login())["access_token"]
    status, published = await house.ask("GET", "/.well-known/jwks.json")
    assert status == 200
    assert [(key["kty"], key["crv"], key["alg"]) for key in published["keys"]] == [("OKP", "Ed25519", "EdDSA")]
    key = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(old)["kid"]]
    claims = jwt.decode(old, key, algorithms=["EdDSA"], audience="aqm", issuer="aqm")
    assert (claims["sub"], claims["role"], claims["exp"] - int(claims["iat"])) == (
        bob,
        "user",
        pytest.approx(900, abs=1),
    )

    # A second gateway with a new key: each accepts what the other signs.
    make_private_key(tmp_path / "new.pem")
    new_gateway = run_gateway(house.database.dsn, AQM_AUTH="jwt", AQM_TOKEN_KEY_FILE=str(tmp_path / "new.pem"))
    async with aiohttp.ClientSession(new_gateway.url) as http:
        new_house = House(house.database, new_gateway, tmp_path, http)
        new = (await new_house.login())["access_token"]
        assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
        await eventually(new_house, 200, "GET", f"/users/{bob}", old)
        await eventually(house, 200, "GET", f"/users/{bob}", new)
        # The old one is stolen: out at once, at both, and it signs no more.
        old_kid = thumbprint(read_private_key(house.folder / "token_key.pem").public_key())
        house.database.value("select auth.retire_signing_key(%s, '0')", [old_kid])
        await eventually(new_house, 401, "GET", f"/users/{bob}", old)
        await eventually(house, 401, "GET", f"/users/{bob}", old)
        await eventually(house, 200, "GET", f"/users/{bob}", new)
        assert (await house.ask("POST", "/auth/login", body={"email": EMAIL, "password": PASSWORD}))[0] == 503
        published = (await new_house.ask("GET", "/.well-known/jwks.json"))[1]
        assert [key["kid"] for key in published["keys"]] == [jwt.get_unverified_header(new)["kid"]]


async def test_a_token_with_the_kid_of_another_key_is_refused(house: House, tmp_path: Path) -> None:
    key = read_private_key(house.folder / "token_key.pem")
    make_private_key(tmp_path / "foreign.pem")
    foreign = read_private_key(tmp_path / "foreign.pem")
    bob = await house.sign_up()
    claims = jwt.decode(make_token(key, "user", bob), options={"verify_signature": False})
    ours, theirs = thumbprint(key.public_key()), thumbprint(foreign.public_key())
    tokens = {
        "foreign key": jwt.encode(claims, foreign, "EdDSA", {"kid": theirs}),
        "foreign key under our kid": jwt.encode(claims, foreign, "EdDSA", {"kid": ours}),
        "our key under a foreign kid": jwt.encode(claims, key, "EdDSA", {"kid": theirs}),
        "a path": jwt.encode(claims, key, "EdDSA", {"kid": "../../token_key.pem"}),
        "empty": jwt.encode(claims, key, "EdDSA", {"kid": ""}),
        "a session that is no text": jwt.encode(claims | {"sid": {"a": 1}}, key, "EdDSA", {"kid": ours}),
        "an age beyond numbers": jwt.encode(claims | {"iat": 1e300}, key, "EdDSA", {"kid": ours}),
    }
    for what, token in tokens.items():
        assert (await house.ask("GET", f"/users/{bob}", token))[0] == 401, what
    good = jwt.encode(claims, key, "EdDSA", {"kid": ours})
    assert (await house.ask("GET", f"/users/{bob}", good))[0] == 200


async def test_wrong_data_keys_are_one_clear_error(house: House, run_gateway: Run, tmp_path: Path) -> None:
    await house.sign_up()
    keys = tmp_path / "other_keys"
    keys.write_text(f"encryption 1 {'ab' * 32}\nindex 1 {'cd' * 32}\n")
    stranger = run_gateway(house.database.dsn, AQM_AUTH="jwt", AQM_DATA_KEYS_FILE=str(keys))
    async with aiohttp.ClientSession(stranger.url) as http:
        other = House(house.database, stranger, tmp_path, http)
        status, problem = await other.ask("POST", "/auth/login", body={"email": EMAIL, "password": PASSWORD})
    assert (status, problem["detail"]) == (503, "the index key 1 is not the one that the data was written with")


async def test_the_address_of_a_client_is_what_our_proxies_say(
    database: Database, run_gateway: Run, tmp_path: Path
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt", AQM_TRUSTED_PROXIES="1")
    async with aiohttp.ClientSession(gateway.url) as http:
        house = House(database, gateway, tmp_path, http)
        await house.sign_up()
        told = [
            "203.0.113.7",
            "6.6.6.6, 203.0.113.8",
            "203.0.113.9:5555",
            "::ffff:203.0.113.10",
            "[2001:db8::7]:80",
            "rubbish",
        ]
        for forwarded in told:
            status, _ = await house.ask(
                "POST", "/auth/login", body={"email": EMAIL, "password": PASSWORD},
                headers={"X-Forwarded-For": forwarded},
            )  # fmt: skip
            assert status == 200
    addresses = [row[0] for row in database.rows("select host(address) from auth.login_attempts order by id")]
    assert addresses == [*(f"203.0.113.{number}" for number in (7, 8, 9, 10)), "2001:db8::", "127.0.0.1"]


async def test_nothing_secret_is_in_any_log_or_in_the_database(house: House, cluster: Cluster) -> None:
    bob = await house.sign_up()
    tokens = await house.login()
    _, fresh = await house.refresh(tokens["refresh_token"])
    await house.ask("GET", f"/users/{bob}", fresh["access_token"])
    await house.ask("POST", "/users", body={"email": EMAIL, "password": PASSWORD, "name": NAME})
    await house.ask("POST", "/auth/login", body={"email": EMAIL, "password": PASSWORD + "x"})
    await house.ask("POST", "/auth/refresh", body={"refresh_token": tokens["refresh_token"][::-1]})
    await house.ask("POST", "/users", body={"email": EMAIL + " ", "password": PASSWORD, "username": NAME})
    keys = [line.split()[2] for line in (house.folder / "data_keys").read_text().splitlines()]
    secrets = [
        EMAIL, EMAIL.lower(), PASSWORD, NAME, *keys,
        *(part for given in (tokens, fresh) for part in (given["refresh_token"], given["access_token"].split(".")[2])),
    ]  # fmt: skip
    house.gateway.stop()
    wait_until(lambda: '"event":"stopped"' in house.gateway.log.read_text(), what="the log is written")
    written = house.gateway.log.read_text() + cluster.log.read_text(errors="replace")
    assert [secret for secret in secrets if secret in written] == []
    stored = json.dumps(
        [
            str(row)
            for table in ("users", "sessions", "audit_logs", "login_attempts", "data_keys", "signing_keys")
            for row in house.database.rows(f"select t::text from auth.{table} as t")
        ]
    )
    assert [secret for secret in secrets if secret in stored or secret.encode().hex() in stored] == []


async def test_a_revoked_session_is_out_although_nobody_can_tell_the_gateway(house: House) -> None:
    """Its line to the database is cut and can't be had again; calls go by other connections."""
    bob = await house.sign_up()
    tokens = await house.login()
    house.database.execute("alter role aqm_gateway connection limit 0")
    try:
        house.database.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'aqm_gateway'")
        house.database.execute("select auth.end_sessions(%s)", [bob])
        await asyncio.sleep(0.5)
        deadline = time.monotonic() + 5
        while (await house.ask("GET", f"/users/{bob}", tokens["access_token"]))[0] == 200:
            assert time.monotonic() < deadline
    finally:
        house.database.execute("alter role aqm_gateway connection limit -1")
    await eventually(house, 401, "GET", f"/users/{bob}", tokens["access_token"], within=10)


async def test_a_body_that_takes_its_time_does_not_outlive_the_session(house: House) -> None:
    bob = await house.sign_up()
    tokens = await house.login()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"name": '
        assert (await house.ask("POST", "/auth/logout", tokens["access_token"], {}))[0] == 204
        await eventually(house, 401, "GET", f"/users/{bob}", tokens["access_token"])
        yield b'"Mallory"}'

    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Content-Type": "application/json"}
    async with house.http.put(f"/users/{bob}", data=body(), headers=headers) as answer:
        assert answer.status == 401


async def test_a_stream_of_a_newer_token_outlives_what_made_the_older_void(house: House) -> None:
    bob = await house.sign_up()
    phone = await house.login(role="device", device_name="phone")
    house.database.value("select auth.grant_role(%s, 'shop', 'buyer')", [bob])
    await eventually(house, 401, "GET", "/v1/coins/count", phone["access_token"])
    _, fresh = await house.refresh(phone["refresh_token"])
    async with house.http.get(
        "/v1/coins/watch", headers={"Authorization": f"Bearer {fresh['access_token']}"}
    ) as stream:
        assert stream.status == 200
        # Read again, as each half minute: the entry is an old one.
        house.database.execute("select pg_notify('gateway', 'keys')")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await stream.content.read()


async def test_a_gateway_without_tokens_makes_nobody_trusted(
    database: Database, run_gateway: Run, tmp_path: Path
) -> None:
    gateway = run_gateway(database.dsn)
    async with aiohttp.ClientSession(gateway.url) as http:
        house = House(database, gateway, tmp_path, http)
        await house.sign_up()
        assert (await house.login())["token_type"] == "Bearer"
    assert database.value("select count(*) from auth.signing_keys") == 0


async def test_a_stranger_learns_nothing_of_aadhaar_numbers(house: House) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "aadhaar": "123412341234"}
    assert (await house.ask("POST", "/users", body=body))[0] == 403
    admin = make_token(read_private_key(house.folder / "token_key.pem"), "admin", "root")
    assert (await house.ask("POST", "/users", admin, body))[0] == 200
    other = {"email": "eve@example.org", "password": PASSWORD, "aadhaar": "123412341234"}
    status, problem = await house.ask("POST", "/users", admin, other)
    assert (status, problem["constraint"]) == (409, "users_aadhaar")


async def test_a_person_is_so_many_senders_and_no_more(house: House) -> None:
    await house.sign_up()
    for number in range(10):
        await house.login(role="device", device_name=f"device {number}")
    body = {"email": EMAIL, "password": PASSWORD, "role": "device", "device_name": "one more"}
    status, problem = await house.ask("POST", "/auth/login", body=body)
    assert (status, problem["constraint"]) == (409, "devices")
    assert (await house.login(role="device", device_name="device 3"))["expires_in"] == 900
