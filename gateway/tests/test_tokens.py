"""Who may call what: tokens, roles and the caller's own identity, over HTTP."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conftest import Database, RunningGateway, count, make_coin, make_coins, to_json, upload
from gateway.keys import make_private_key, read_key, read_private_key
from gateway.settings import SettingError
from gateway.tokens import Verifier, main, make_token

FETCH, COUNT, UPLOAD, PURGE = "/v1/coins/fetch", "/v1/coins/count", "/v1/coins/upload", "/v1/admin/purge-stale"


class Guarded:
    """A gateway that checks tokens, and the key they are made with."""

    def __init__(self, database: Database, gateway: RunningGateway, key: Ed25519PrivateKey) -> None:
        self.database = database
        self.gateway = gateway
        self.key = key

    async def ask(self, method: str, path: str, token: str | None, **options: Any) -> tuple[int, Any, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        async with (
            aiohttp.ClientSession(self.gateway.url) as http,
            http.request(method, path, headers=headers, **options) as answer,
        ):
            return answer.status, await answer.json(content_type=None), answer.headers

    async def status(self, method: str, path: str, token: str | None, **options: Any) -> int:
        return (await self.ask(method, path, token, **options))[0]


@pytest.fixture
def guarded(database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path) -> Guarded:
    private = tmp_path / "private.pem"
    make_private_key(private)
    key = read_private_key(private)
    public = tmp_path / "public.pem"
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    # Bound to all addresses as in production: allowed, because tokens are checked by the public half.
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt", AQM_TOKEN_KEY_FILE=str(public), AQM_HOST="127.0.0.1")
    return Guarded(database, gateway, key)


async def test_a_device_uploads_counts_and_claims_as_itself(guarded: Guarded, bob: uuid.UUID, alice: uuid.UUID) -> None:
    bobs, alices = (make_token(guarded.key, "device", str(who)) for who in (bob, alice))
    coin = make_coin("first")
    body = {"user_id": str(bob), "coins": [to_json(coin)]}
    assert (await guarded.ask("POST", UPLOAD, bobs, json=body))[:2] == (200, {"inserted": 1})
    assert (await guarded.ask("GET", COUNT, bobs))[:2] == (200, {"gold": 0, "silver": 0, "bronze": 1})
    question = {"target_user_id": str(bob), "coin_category": "BRONZE"}
    assert (await guarded.ask("GET", FETCH, alices, params=question))[:2] == (200, {"coins": [to_json(coin)]})
    claimed_by = guarded.database.value("select fetched_by from coins.coin_inventory")
    assert claimed_by == alice, "the caller is the token's subject"


async def test_nobody_acts_as_somebody_else(guarded: Guarded, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(guarded.database, bob, make_coins(1))
    mallory = make_token(guarded.key, "device", str(uuid.uuid4()))
    body = {"user_id": str(bob), "coins": [to_json(make_coin("planted"))]}
    status, problem, _ = await guarded.ask("POST", UPLOAD, mallory, json=body)
    assert (status, problem["field"]) == (403, "user_id")
    assert await guarded.status("GET", COUNT, mallory, params={"user_id": str(bob)}) == 403
    question = {"target_user_id": str(bob), "requester_id": str(alice), "coin_category": "BRONZE"}
    assert await guarded.status("GET", FETCH, mallory, params=question) == 403
    assert count(guarded.database, bob) == (0, 0, 1)


async def test_roles_call_what_they_are_granted(guarded: Guarded, bob: uuid.UUID) -> None:
    upload(guarded.database, bob, make_coins(2))
    tokens = {role: make_token(guarded.key, role, str(bob)) for role in ("device", "user", "admin")}
    fetch = {"target_user_id": str(bob), "coin_category": "BRONZE"}
    expected = {
        ("GET", COUNT): {"device": 200, "user": 403, "admin": 403, None: 401},
        ("GET", FETCH): {"device": 200, "user": 403, "admin": 403, None: 401},
        ("POST", PURGE): {"device": 403, "user": 403, "admin": 200, None: 401},
        ("POST", "/v1/admin/hard-delete"): {"device": 403, "user": 403, "admin": 200, None: 401},
        ("GET", "/v1/health"): {"device": 200, "user": 200, "admin": 200, None: 200},
    }
    for (method, path), by_role in expected.items():
        for role, status in by_role.items():
            options = {"json": {}} if method == "POST" else {"params": fetch if path == FETCH else {}}
            token = tokens[role] if role else None
            assert await guarded.status(method, path, token, **options) == status, (method, path, role)


def promised(subject: str, other: str) -> dict[tuple[str, str], dict[str, Any]]:
    """A good call of each further route of a device, by whoever the token names."""
    return {
        ("POST", "/v1/coins/claim"): {"json": {"claims": [{"target_user_id": other, "coin_category": "BRONZE"}]}},
        ("PUT", "/v1/coins/last-resort"): {"json": {"coin": to_json(make_coin("last"))}},
        ("GET", "/v1/coins/status"): {},
        ("GET", "/v1/coins/claimed"): {},
        ("POST", "/v1/coins/discard"): {"json": {"key_ids": [subject]}},
    }


async def begin_to_watch(guarded: Guarded, token: str | None, **options: Any) -> int:
    """The status of a stream, which is left at once."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(guarded.gateway.url) as http,
        http.get("/v1/coins/watch", headers=headers, **options) as answer,
    ):
        return answer.status


async def test_the_promised_routes_are_a_devices_alone(guarded: Guarded, bob: uuid.UUID, alice: uuid.UUID) -> None:
    tokens = {role: make_token(guarded.key, role, str(bob)) for role in ("device", "user", "admin")}
    for role, status in (("device", 200), ("user", 403), ("admin", 403), (None, 401)):
        token = tokens[role] if role else None
        for (method, path), options in promised(str(bob), str(alice)).items():
            assert await guarded.status(method, path, token, **options) == status, (method, path, role)
        assert await begin_to_watch(guarded, token) == status, role
    assert guarded.database.value("select user_id from coins.last_resort_coin") == bob, "the token's subject"


async def test_on_the_promised_routes_nobody_acts_as_somebody_else(
    guarded: Guarded, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    coins = make_coins(2)
    upload(guarded.database, alice, coins)
    mallory = make_token(guarded.key, "device", str(bob))
    for (method, path), options in promised(str(bob), str(alice)).items():
        place = "json" if method != "GET" else "params"
        name = "requester_id" if path.endswith("/claim") else "user_id"
        for subject, status in ((alice, 403), (bob, 200)):
            call = {place: {**options.get(place, {}), name: str(subject)}}
            answered, problem, _ = await guarded.ask(method, path, mallory, **call)
            assert answered == status, (method, path)
            assert status == 200 or problem["field"] == name
    assert await begin_to_watch(guarded, mallory, params={"user_id": str(alice)}) == 403
    assert await begin_to_watch(guarded, mallory, params={"user_id": str(bob)}) == 200
    assert guarded.database.rows("select user_id from coins.last_resort_coin") == [(bob,)]
    assert guarded.database.rows("select fetched_by from coins.coin_inventory where fetched_by is not null") == [(bob,)]


async def test_a_request_id_is_its_senders_own(guarded: Guarded, bob: uuid.UUID, alice: uuid.UUID) -> None:
    """Who learns another's id learns nothing by it."""
    upload(guarded.database, bob, make_coins(2))
    key = str(uuid.uuid4())
    answers = []
    for sender in (alice, uuid.uuid4()):
        headers = {"Authorization": f"Bearer {make_token(guarded.key, 'device', str(sender))}", "Idempotency-Key": key}
        question = {"target_user_id": str(bob), "coin_category": "BRONZE"}
        async with (
            aiohttp.ClientSession(guarded.gateway.url) as http,
            http.get(FETCH, params=question, headers=headers) as answer,
        ):
            answers.append([coin["key_id"] for coin in (await answer.json())["coins"]])
    assert answers == [["key-000"], ["key-001"]]


def encode(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def bad_tokens(key: Ed25519PrivateKey, subject: str) -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": "aqm", "aud": "aqm", "sub": subject, "role": "device", "iat": now, "exp": now + 900}
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    good = make_token(key, "device", subject)
    header, body, signature = good.split(".")
    other = json.loads(base64.urlsafe_b64decode(body + "==")) | {"role": "admin"}

    def signed(**changes: Any) -> str:
        changed = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(changed, key, algorithm="EdDSA")

    import hashlib
    import hmac

    unsigned = encode({"alg": "HS256", "typ": "JWT"}, claims).rstrip(".")
    swapped = (
        base64.urlsafe_b64encode(hmac.new(public, unsigned.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    )
    return {
        "empty": "",
        "words": "let me in",
        "one part": "abc",
        "three empty parts": "..",
        "alg none": encode({"alg": "none", "typ": "JWT"}, claims),
        "alg None": encode({"alg": "None", "typ": "JWT"}, claims, b"x"),
        "HMAC with the public key": f"{unsigned}.{swapped}",
        "no signature": f"{header}.{body}.",
        "another key": make_token(Ed25519PrivateKey.generate(), "device", subject),
        "altered role": f"{header}.{encode({}, other).split('.')[1]}.{signature}",
        "altered signature": good[:-8] + ("A" * 8 if not good.endswith("A" * 8) else "B" * 8),
        "expired": signed(exp=now - 3600, iat=now - 7200),
        "never expires": signed(exp=None),
        "not yet valid": signed(nbf=now + 3600),
        "issued in the future": signed(iat=now + 3600),
        "no audience": signed(aud=None),
        "wrong audience": signed(aud="other"),
        "another issuer": signed(iss="other"),
        "no subject": signed(sub=None),
        "no role": signed(role=None),
        "unknown role": signed(role="postgres"),
        "role owner": signed(role="gateway_owner"),
        "role as a list": signed(role=["device"]),
        "huge": good + "A" * 5000,
    }


async def test_no_bad_token_is_accepted(guarded: Guarded, bob: uuid.UUID) -> None:
    good = make_token(guarded.key, "device", str(bob))
    assert await guarded.status("GET", COUNT, good) == 200
    for what, token in bad_tokens(guarded.key, str(bob)).items():
        status, problem, headers = await guarded.ask("GET", COUNT, token)
        assert status == 401, what
        assert problem["detail"] == "a valid bearer token is needed", what
        assert headers["WWW-Authenticate"].startswith("Bearer"), what
    async with aiohttp.ClientSession(guarded.gateway.url) as http:
        for scheme in ("Basic", "Token", ""):
            async with http.get(COUNT, headers={"Authorization": f"{scheme} {good}".strip()}) as answer:
                assert answer.status == 401, scheme
    log = guarded.gateway.log.read_text()
    assert good not in log
    assert good.split(".")[1] not in log


async def test_a_token_that_was_accepted_is_refused_once_it_has_expired(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    make_private_key(path)
    verifier = Verifier(read_private_key(path).public_key())
    subject = str(uuid.uuid4())
    token = make_token(read_private_key(path), "device", subject, seconds=900)
    assert verifier.verify(f"Bearer {token}").subject == subject
    verifier.remembered[token] = (time.time() - 1, verifier.remembered[token][1])
    old = make_token(read_private_key(path), "device", subject, seconds=-60)
    with pytest.raises(Exception, match="bearer"):
        verifier.verify(f"Bearer {old}")


def test_a_new_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key.pem"
    make_private_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    make_private_key(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"secret words", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_without_a_key_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(SettingError, match="holds no Ed25519 key") as error:
        read_key(path)
    assert "secret" not in str(error.value)


def test_the_command_makes_a_token_for_who_may_have_the_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_private_key(tmp_path / "key.pem")
    monkeypatch.setenv("AQM_TOKEN_KEY_FILE", str(tmp_path / "key.pem"))
    verifier = Verifier(read_private_key(tmp_path / "key.pem").public_key())
    address, person = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "b0b00000-0000-4000-8000-000000000000"
    for role, user, subject in (
        ("wallet", address, address),
        ("wallet", address.lower(), address),
        ("device", person.upper(), person),
        ("worker", person, person),
        ("admin", "root", "root"),
    ):
        assert main(["--role", role, "--user", user]) == 0
        caller = verifier.verify(f"Bearer {capsys.readouterr().out.strip()}")
        assert (caller.role, caller.subject) == (role, subject)
    for role, user, words in (
        ("wallet", address.swapcase().replace("0X", "0x"), "must be an Ethereum address"),
        ("wallet", person, "must be an Ethereum address"),
        ("user", address, "must be a UUID"),
        ("device", address, "must be a UUID"),
        ("worker", address, "must be a UUID"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["--role", role, "--user", user])
        said = capsys.readouterr()
        assert (stop.value.code, said.out) == (2, "")
        assert f"argument --user: {words}" in said.err
