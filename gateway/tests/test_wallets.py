"""Wallets over HTTP: addresses and their checksums, signatures, and a sign-in with one."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from eth_keys.backends import get_backend_class
from eth_keys.backends.coincurve import CoinCurveECCBackend
from hypothesis import given
from hypothesis import strategies as some

from conftest import Database, RunningGateway
from gateway.keys import read_private_key
from gateway.tokens import make_token
from gateway.wallets import LONGEST_MESSAGE, NotSignedError, checksum_address, recover_signer

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the group of secp256k1: r and s are below it."""

EIP_55 = (
    # All caps, all lower case, mixed: the test cases of the EIP.
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("address", EIP_55)
def test_addresses_have_the_checksums_of_the_eip(address: str) -> None:
    assert checksum_address(address) == address
    assert checksum_address(address.lower()) == address
    for place, letter in enumerate(address[2:], 2):
        if letter.isalpha():
            changed = address[:place] + letter.swapcase() + address[place + 1 :]
            # In lower case it claims nothing.
            assert checksum_address(changed) == (address if changed == address.lower() else None)


@pytest.mark.parametrize(
    "text",
    [
        "", "0x", "0x" + "a" * 39, "0x" + "a" * 41, "a" * 40, "0X" + "a" * 40, "0x" + "g" * 40, "0x" + "a" * 40 + "\n",
        " 0x" + "a" * 40, "0x" + "١" * 40, "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(text: str) -> None:
    assert checksum_address(text) is None


def sign(account: LocalAccount, message: str) -> str:
    """What a wallet answers to personal_sign."""
    return "0x" + bytes(account.sign_message(encode_defunct(text=message)).signature).hex()


@pytest.fixture(scope="module")
def account() -> LocalAccount:
    made: LocalAccount = Account.from_key(bytes(range(1, 33)))
    return made


@given(key=some.integers(1, ORDER - 1), message=some.text(max_size=200))
def test_the_signer_is_who_the_other_library_says(key: int, message: str) -> None:
    account: LocalAccount = Account.from_key(key.to_bytes(32, "big"))
    signature = sign(account, message)
    assert recover_signer(message, signature) == account.address
    assert Account.recover_message(encode_defunct(text=message), signature=signature) == account.address
    assert recover_signer(message + ".", signature) != account.address


@given(signature=some.binary(min_size=65, max_size=65))
def test_whatever_is_signed_has_a_signer_or_is_refused(signature: bytes) -> None:
    with contextlib.suppress(NotSignedError):
        assert checksum_address(recover_signer("AQM", f"0x{signature.hex()}"))


def test_a_signature_may_have_either_form_of_v(account: LocalAccount) -> None:
    raw = bytes.fromhex(sign(account, "AQM")[2:])
    assert raw[64] in (27, 28)
    for v in (raw[64], raw[64] - 27):
        assert recover_signer("AQM", f"0x{raw[:64].hex()}{v:02x}") == account.address
    assert recover_signer("AQM", f"0x{raw.hex().upper()}") == account.address


def bad_signatures(account: LocalAccount) -> dict[str, str]:
    """Signatures that nobody made, by what is wrong."""
    raw = bytes.fromhex(sign(account, "AQM")[2:])
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")

    def made(r: int = r, s: int = s, v: int = raw[64]) -> str:
        return f"0x{r.to_bytes(32, 'big').hex()}{s.to_bytes(32, 'big').hex()}{v:02x}"

    return {
        "empty": "",
        "without 0x": raw.hex(),
        "one byte short": f"0x{raw[:64].hex()}",
        "one byte long": f"0x{raw.hex()}00",
        "one digit short": f"0x{raw.hex()[:-1]}",
        "no hex": f"0x{raw.hex()[:-1]}g",
        "a line break": f"0x{raw.hex()}\n",
        "r is zero": made(r=0),
        "s is zero": made(s=0),
        "both are zero": made(0, 0),
        "r is the order": made(r=ORDER),
        "s is the order": made(s=ORDER),
        "r is above the order": made(r=2**256 - 1),
        "s is above the order": made(s=2**256 - 1),
        "r is on no point": made(r=5),
        **{f"v is {v}": made(v=v) for v in (2, 3, 4, 26, 29, 30, 31, 35, 37, 255)},
    }


def test_a_signature_that_nobody_made_is_refused(account: LocalAccount) -> None:
    for what, signature in bad_signatures(account).items():
        with pytest.raises(NotSignedError):
            print(what, recover_signer("AQM", signature))
    with pytest.raises(NotSignedError, match="4096"):
        recover_signer("a" * (LONGEST_MESSAGE + 1), sign(account, "a" * (LONGEST_MESSAGE + 1)))
    longest = "ß" * LONGEST_MESSAGE
    assert recover_signer(longest, sign(account, longest)) == account.address


def test_signers_are_found_by_the_fast_library() -> None:
    # The one in pure Python takes a hundred times as long, and everybody would wait for it.
    assert get_backend_class() is CoinCurveECCBackend


@dataclass
class Market:
    """A gateway that checks tokens, its database, and a client."""

    database: Database
    gateway: RunningGateway
    folder: Path
    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """Status and JSON of an answer; path: below /v1/escrow."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.request(method, f"/v1/escrow{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def challenge(self, wallet: str) -> dict[str, Any]:
        status, challenge = await self.ask("POST", "/auth/nonce", {"wallet": wallet})
        assert status == 200, challenge
        return dict(challenge)

    async def verify(self, account: LocalAccount, message: str, **more: Any) -> tuple[int, Any]:
        """The answer to a message that an account has signed."""
        signed = {"message": message, "signature": sign(account, message)}
        return await self.ask("POST", "/auth/verify", {"signed": signed, **more})

    async def sign_in(self, account: LocalAccount) -> str:
        """A token of an account that may be new."""
        message = (await self.challenge(account.address))["message"]
        status, token = await self.verify(account, message, public_key_b64=KEY)
        assert status == 200, token
        return str(token["access_token"])

    def token(self, role: str, subject: str) -> str:
        return make_token(read_private_key(self.folder / "token_key.pem"), role, subject)


@pytest.fixture
async def market(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> AsyncIterator[Market]:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    async with aiohttp.ClientSession(gateway.url, connector=aiohttp.TCPConnector(limit=0)) as http:
        yield Market(database, gateway, tmp_path, http)


@pytest.fixture
def other() -> LocalAccount:
    made: LocalAccount = Account.from_key(os.urandom(32))
    return made


async def test_a_wallet_signs_in_and_is_itself_alone(
    market: Market, account: LocalAccount, other: LocalAccount
) -> None:
    challenge = await market.challenge(account.address)
    assert account.address in challenge["message"]
    assert challenge["nonce"] in challenge["message"]
    assert challenge["expires_at"] in challenge["message"]
    status, answer = await market.verify(account, challenge["message"], public_key_b64=KEY)
    assert status == 200, answer
    token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 3600, "wallet": account.address, "is_new": True}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["role"], "sid" in claims) == (account.address, "wallet", False)
    assert claims["iat"] == pytest.approx(time.time(), abs=60)
    assert claims["exp"] - claims["iat"] == pytest.approx(3600, abs=1)

    status, profile = await market.ask("PUT", "/profile", {"display_name": "Bob"}, token)
    assert (status, profile["wallet"], profile["display_name"], profile["public_key_b64"]) == (
        200, account.address, "Bob", KEY,
    )  # fmt: skip
    assert await market.ask("PUT", "/profile", {"wallet": account.address.lower()}, token) == (200, profile)
    assert await market.ask("GET", f"/profile/{account.address.lower()}") == (200, profile)
    hers = await market.sign_in(other)
    status, problem = await market.ask("PUT", "/profile", {"wallet": account.address, "display_name": "Mallory"}, hers)
    assert (status, problem["field"]) == (403, "wallet")
    status, again = await market.verify(account, (await market.challenge(account.address))["message"])
    assert (status, again["is_new"]) == (200, False)
    for method, path, body in (
        ("POST", "/blacklist", {"wallet": other.address, "reason": "rival"}),
        ("GET", "/blacklist", None),
        ("DELETE", f"/blacklist/{other.address}", None),
    ):
        assert (await market.ask(method, path, body, token))[0] == 403, (method, path)
        assert (await market.ask(method, path, body))[0] == 401, (method, path)
    assert (await market.ask("PUT", "/profile", {"display_name": "Nobody"}))[0] == 401
    assert (await market.ask("PUT", "/profile", {}, market.token("device", account.address)))[0] == 403


async def test_a_sign_in_that_is_repeated_or_forged_is_refused_with_the_same_words(
    market: Market, account: LocalAccount, other: LocalAccount
) -> None:
    message = (await market.challenge(account.address))["message"]
    refusals = [
        await market.verify(other, message, public_key_b64=KEY),
        await market.verify(other, message.replace(account.address, other.address), public_key_b64=KEY),
        await market.verify(account, message + " ", public_key_b64=KEY),
        await market.verify(account, message.replace("no transaction", "a transaction"), public_key_b64=KEY),
        await market.verify(account, "AQM", public_key_b64=KEY),
        await market.verify(account, "", public_key_b64=KEY),
    ]
    assert (await market.verify(account, message, public_key_b64=KEY))[0] == 200, "nobody else used it up"
    refusals.append(await market.verify(account, message, public_key_b64=KEY))
    late = (await market.challenge(account.address))["message"]
    market.database.execute("update escrow.sign_in_nonce set expires_at = expires_at - interval '10 minutes'")
    refusals.append(await market.verify(account, late))
    assert {status for status, _ in refusals} == {401}
    assert len({problem["detail"] for _, problem in refusals}) == 1
    assert "access_token" not in str(refusals)


async def test_one_signature_sent_many_times_at_once_signs_in_once(market: Market, account: LocalAccount) -> None:
    message = (await market.challenge(account.address))["message"]
    answers = await asyncio.gather(*(market.verify(account, message, public_key_b64=KEY) for _ in range(20)))
    assert sorted(status for status, _ in answers) == [200] + [401] * 19


async def test_what_is_malformed_is_named(market: Market, account: LocalAccount) -> None:
    wrong = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"
    for method, path, body, field in (
        ("POST", "/auth/nonce", {"wallet": wrong}, "wallet"),
        ("POST", "/auth/nonce", {"wallet": "0x12"}, "wallet"),
        ("POST", "/auth/nonce", {"wallet": 7}, "wallet"),
        ("POST", "/auth/nonce", {"wallet": None}, "wallet"),
        ("POST", "/auth/nonce", {}, "wallet"),
        ("GET", f"/profile/{wrong}", None, "wallet"),
    ):
        status, problem = await market.ask(method, path, body)
        assert (status, problem["field"]) == (422, field), (path, body)
    message = (await market.challenge(account.address.lower()))["message"]
    assert account.address in message, "an address in lower case gets its checksum"
    good = {"message": message, "signature": sign(account, message)}
    for signed, field in (
        *(({**good, "signature": bad}, "signed.signature") for bad in bad_signatures(account).values()),
        ({**good, "message": "a" * 5000}, "signed.signature"),
        ({**good, "message": None}, "signed.message"),
        ({**good, "signature": None}, "signed.signature"),
        ({**good, "signature": 7}, "signed.signature"),
        ({"message": message}, "signed.signature"),
        ({**good, "signer": account.address}, "signed.signer"),
        ("text", "signed"),
    ):
        status, problem = await market.ask("POST", "/auth/verify", {"signed": signed, "public_key_b64": KEY})
        assert (status, problem["field"]) == (422, field), signed
    for key in (None, "", "AAAA", KEY[:-1], base64.b64encode(bytes(33)).decode()):
        status, problem = await market.ask("POST", "/auth/verify", {"signed": good, "public_key_b64": key})
        assert (status, problem["field"]) == (422, "public_key_b64"), key
    status, answer = await market.ask("POST", "/auth/verify", {"signed": good, "public_key_b64": KEY})
    assert (status, answer["wallet"]) == (200, account.address), "and nothing of it used up the nonce"
    message = (await market.challenge(account.address))["message"]
    status, problem = await market.verify(account, message, public_key_b64=base64.b64encode(bytes(32)).decode())
    assert (status, problem["constraint"], problem["field"]) == (409, "public_key", "public_key_b64")
    for change, field in (
        ({"display_name": "b" * 51}, "display_name"),
        ({"display_name": "B\u0007b"}, "display_name"),
        ({"public_key_b64": "AAAA"}, "public_key_b64"),
    ):
        status, problem = await market.ask("PUT", "/profile", change, answer["access_token"])
        assert (status, problem["field"]) == (422, field)


async def test_who_is_shut_out_is_refused_with_the_token_in_hand(market: Market, account: LocalAccount) -> None:
    token, admin = await market.sign_in(account), market.token("admin", "root")
    shown = f"/profile/{account.address}"
    assert (await market.ask("GET", shown))[1]["is_blacklisted"] is False
    status, entry = await market.ask("POST", "/blacklist", {"wallet": account.address.lower(), "reason": "scam"}, admin)
    assert (status, entry["wallet"], entry["source"], entry["added_by"]) == (200, account.address, "manual", None)
    status, problem = await market.ask("POST", "/blacklist", {"wallet": account.address, "reason": "again"}, admin)
    assert (status, problem["field"]) == (409, "wallet")
    assert await market.ask("GET", "/blacklist", None, admin) == (200, {"blacklist": [entry]})

    async def shown_as(is_blacklisted: bool) -> None:
        deadline = time.monotonic() + 5
        while (await market.ask("GET", shown))[1]["is_blacklisted"] is not is_blacklisted:
            assert time.monotonic() < deadline, "the cache was not emptied"
            await asyncio.sleep(0.02)

    await shown_as(True)
    status, problem = await market.ask("PUT", "/profile", {"display_name": "Bob"}, token)
    assert (status, problem["detail"], problem["field"], problem["constraint"]) == (
        403, "wallet is blacklisted", "wallet", "blacklisted",
    )  # fmt: skip
    message = (await market.challenge(account.address))["message"]
    status, problem = await market.verify(account, message)
    assert (status, problem["constraint"]) == (403, "blacklisted")
    assert (await market.ask("DELETE", f"/blacklist/{account.address}", None, admin))[0] == 204
    assert (await market.ask("DELETE", f"/blacklist/{account.address}", None, admin))[0] == 404
    await shown_as(False)
    assert (await market.verify(account, message))[0] == 200
    assert (await market.ask("PUT", "/profile", {"display_name": "Bob"}, token))[0] == 200


async def test_openapi_tells_what_wallets_and_signatures_are(market: Market) -> None:
    async with market.http.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]

    def body(path: str, method: str = "post") -> dict[str, Any]:
        return dict(paths[path][method]["requestBody"]["content"]["application/json"]["schema"])

    wallet = body("/v1/escrow/auth/nonce")["properties"]["wallet"]
    assert (wallet["type"], wallet["pattern"]) == ("string", "^0x[0-9a-fA-F]{40}$")
    verify = body("/v1/escrow/auth/verify")
    assert verify["required"] == ["signed"]
    signed = verify["properties"]["signed"]
    assert signed["required"] == ["message", "signature"]
    assert signed["properties"]["signature"]["pattern"] == "^0x[0-9a-fA-F]{130}$"
    assert "EIP-191" in signed["properties"]["signature"]["description"]
    answered = paths["/v1/escrow/auth/verify"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answered["properties"]["access_token"]["type"] == "string"
    (parameter,) = paths["/v1/escrow/profile/{wallet}"]["get"]["parameters"]
    assert parameter["schema"]["pattern"] == "^0x[0-9a-fA-F]{40}$"
    change = body("/v1/escrow/profile", "put")
    assert change["required"] == []
    assert "security" in paths["/v1/escrow/profile"]["put"]
