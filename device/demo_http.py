"""The demo's first half, over HTTP: Bob mints and uploads, senders fetch, verify and encapsulate."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from cryptography.exceptions import InvalidSignature
from yarl import URL

from .keys import ALGORITHMS, Coin, Identity, Recipient, VerifyKeys, encapsulate, verify
from .report import StepError, holds, in_words, say, step
from .server import Tokens

MINTED = {"GOLD": 30, "SILVER": 20, "BRONZE": 20}
FETCHED = {"GOLD": 20, "SILVER": 15, "BRONZE": 15}
"""One coin for each of 50 senders."""

LEFT = {category: MINTED[category] - FETCHED[category] for category in MINTED}
REPLICA_PATIENCE = 5
"""Seconds."""


class Api:
    """The server's routes for coins."""

    def __init__(self, session: aiohttp.ClientSession, tokens: Tokens) -> None:
        self.session = session
        self.tokens = tokens

    async def upload(self, user_id: UUID, coins: Sequence[Coin]) -> int:
        """How many of the coins were stored."""
        sent = [
            {
                "key_id": coin.key_id,
                "coin_category": coin.category,
                "public_key_b64": b64encode(coin.public_key).decode(),
                "signature_b64": b64encode(coin.signature).decode(),
            }
            for coin in coins
        ]
        answer = await self._call("POST", "/v1/coins/upload", user_id, json={"user_id": str(user_id), "coins": sent})
        return int(answer["inserted"])

    async def count(self, user_id: UUID) -> dict[str, int]:
        """Unclaimed coins by category."""
        answer = await self._call("GET", "/v1/coins/count", user_id, params={"user_id": str(user_id)})
        return {category: answer[category.lower()] for category in ALGORITHMS}

    async def fetch(self, target: UUID, requester: UUID, category: str) -> list[Coin]:
        """One coin of a recipient, in a list."""
        query = {"target_user_id": str(target), "requester_id": str(requester), "coin_category": category, "count": "1"}
        answer = await self._call("GET", "/v1/coins/fetch", requester, params=query)
        return [
            Coin(c["key_id"], c["coin_category"], b64decode(c["public_key_b64"]), b64decode(c["signature_b64"]))
            for c in answer["coins"]
        ]

    async def _call(self, method: str, path: str, caller: UUID, **arguments: Any) -> Any:
        headers = self.tokens.header(caller)
        async with self.session.request(method, path, headers=headers, **arguments) as answer:
            if answer.status != 200:
                raise StepError(f"{method} {path} was answered {answer.status}: {await answer.text()}")
            return await answer.json()


async def over_http(url: URL, tokens: Tokens, bob: Recipient) -> None:
    """Mint, upload, fetch, verify, encapsulate."""
    step("Bob mints key pairs and signs each public key; the private keys stay with him")
    coins = [bob.mint(category) for category, number in MINTED.items() for _ in range(number)]
    for category, (agreement, signature) in ALGORITHMS.items():
        coin = next(coin for coin in coins if coin.category == category)
        say(
            f"  {MINTED[category]} {category:<6}  {agreement:<10} {len(coin.public_key):>4} bytes, "
            f"signed by {signature:<9} {len(coin.signature):>4} bytes"
        )

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector, timeout=aiohttp.ClientTimeout(60)) as session:
        api = Api(session, tokens)
        step("He uploads them: POST /v1/coins/upload")
        inserted = await api.upload(bob.user_id, coins)
        holds(inserted == len(coins), f"inserted {len(coins)}", inserted)
        inserted = await api.upload(bob.user_id, coins)
        holds(inserted == 0, "the same upload again: inserted 0, so a retry is safe", inserted)
        await expect_counts(api, bob, MINTED)

        senders = sum(FETCHED.values())
        step(f"{senders} senders fetch one coin each, all at once: GET /v1/coins/fetch")
        wanted = [category for category, number in FETCHED.items() for _ in range(number)]
        answers = await asyncio.gather(*(api.fetch(bob.user_id, uuid4(), category) for category in wanted))
        fetched = [coin for answer in answers for coin in answer]
        given = [[coin.category for coin in answer] for answer in answers]
        holds(given == [[category] for category in wanted], "each got one coin of the category asked for", given)
        twice = [key_id for key_id, times in Counter(coin.key_id for coin in fetched).items() if times > 1]
        holds(not twice, f"{senders} coins, {senders} different key ids: none was given twice", twice)
        await expect_counts(api, bob, LEFT)

    step("Each sender verifies Bob's signature and encapsulates a secret, which Bob decapsulates")
    exchange_secrets(fetched, bob)
    step("Mallory puts a key of her own in the place of Bob's")
    refuse_forgeries(fetched, bob.identity.verify_keys)


async def expect_counts(api: Api, bob: Recipient, expected: dict[str, int]) -> None:
    """Check what the server counts; counts may come from a replica, which may be a little behind."""
    for _ in range(REPLICA_PATIENCE * 10):
        counts = await api.count(bob.user_id)
        if counts == expected:
            break
        await asyncio.sleep(0.1)
    holds(counts == expected, "GET /v1/coins/count: " + in_words(expected), in_words(counts))


def exchange_secrets(coins: Sequence[Coin], bob: Recipient) -> None:
    """Every sender's way from a coin to a secret shared with Bob."""
    secrets = set()
    for coin in coins:
        try:
            verify(coin, bob.identity.verify_keys)
        except InvalidSignature:
            raise StepError(f"{coin.category} coin {coin.key_id} does not carry Bob's signature") from None
        secret, message = encapsulate(coin)
        if coin.key_id not in bob.private_keys:
            raise StepError(f"{coin.category} coin {coin.key_id} is not among those that Bob keeps a private key of")
        if bob.open(coin.key_id, message) != secret:
            raise StepError(f"Bob found another secret than the sender of {coin.category} coin {coin.key_id}")
        secrets.add(secret)
    holds(
        len(secrets) == len(coins), f"{len(coins)} signatures are Bob's, {len(coins)} secrets match, no two are alike"
    )
    kept = len(bob.private_keys)
    holds(kept == sum(LEFT.values()), f"used private keys are gone: Bob keeps {sum(LEFT.values())}", kept)


def refuse_forgeries(coins: Sequence[Coin], verify_keys: VerifyKeys) -> None:
    """A stranger's key, a stranger's signature and a changed signature, in each category."""
    mallory = Identity()
    for category in ALGORITHMS:
        genuine = next(coin for coin in coins if coin.category == category)
        hers, _ = mallory.mint(category)
        bent = bytes([genuine.signature[0] ^ 1]) + genuine.signature[1:]
        forgeries = {
            "her key under Bob's signature": replace(hers, signature=genuine.signature),
            "her key under her own": hers,
            "Bob's key under a changed signature": replace(genuine, signature=bent),
        }
        for what, forgery in forgeries.items():
            try:
                verify(forgery, verify_keys)
            except InvalidSignature:
                continue
            raise StepError(f"a forged {category} coin was taken for Bob's: {what}")
        holds(True, f"{category:<6}  refused: {', '.join(forgeries)}")
