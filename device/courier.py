"""The apps' client of the server: uploads a device's coins, claims others', watches the stock."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, closing
from dataclasses import replace
from datetime import datetime
from ssl import SSLContext
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import orjson
from yarl import URL

from .answers import (
    Epoch,
    Issued,
    LowStock,
    Outcome,
    Status,
    Wish,
    encode_coin,
    read_coins,
    read_counts,
    read_event,
    read_issued,
    read_outcome,
    read_status,
    take,
    take_number,
)
from .calm import calm
from .credentials import Credentials
from .errors import BadAnswer, CourierError, InvalidRequest, ServerUnavailable, Unauthorized
from .events import read_events
from .keys import Coin
from .retries import Retries
from .shielded import to_the_end
from .wire import LOST, Request, Wire, is_passing, lost

LARGEST_GROUP = 6 * 2**20
"""Bytes; a thousand of the largest coins, which one claim may ask for, are 5 million."""

BATCH = 100
"""Coins in one request of an upload. The server takes 1,000, but that is 5 MB to be sent again after a cut."""

PAGE = 1000
"""Claimed coins in one answer."""

CALMER = 10
"""How much slower a watcher comes back than a call: a server that restarts has sent all of them away at once."""

LONGEST_PAUSE = 60.0
"""Seconds between two tries to watch, and of jitter on top of what the server asks for."""

LONGEST_OBEDIENCE = 3600
"""Seconds that a server may ask a watcher to stay away."""

T = TypeVar("T")


class CourierClient:
    """A device's client; an async context manager. Any number of calls may run at once.

    url: the server's, https, or http to this machine itself. credentials: who the device is. retries: when to try again.
    ssl: whom to trust, as ssl.create_default_context(cafile=…) for a CA of one's own; None: whom the system trusts.
    Raises ValueError for another URL, InvalidArgumentError for an ssl that checks no certificate or no name.

    All calls raise CourierError, whose class says what to do; CourierClosed before it is entered and after it is left. Coins that come from the server have the right names and sizes,
    and their signatures are NOT verified: keys.verify() before one is kept.
    """

    def __init__(
        self, url: str | URL, credentials: Credentials, retries: Retries | None = None, *, ssl: SSLContext | None = None
    ) -> None:
        self.wire = Wire(url, retries, ssl)
        self.credentials = credentials

    async def __aenter__(self) -> Self:
        await self.wire.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        # A refresh whose answer was lost with the connections would end the session.
        await to_the_end(self._leave())

    @property
    def user_id(self) -> UUID:
        """The device's own key store; with an account the token's subject."""
        return self.credentials.user_id

    async def upload(self, coins: Sequence[Coin], epoch: int) -> int:
        """Offer coins of this device, and again without harm: the server skips what it has or had.

        epoch: what status() said before these coins were minted, kept with their private keys; the present one would put
        coins from before a restore on sale again.
        Returns how many were stored. Raises EpochChanged when nothing of that epoch is good any more; InvalidRequest naming
        the coin; Conflict when there would be too many. Batches before the refused one are stored.
        """
        inserted = 0
        for start in range(0, len(coins), BATCH):
            sent = [encode_coin(coin) for coin in coins[start : start + BATCH]]
            body = {"user_id": str(self.user_id), "coins": sent, "epoch": epoch}
            try:
                answer = await self._ask(Request("POST", "/v1/coins/upload", body=body))
            except InvalidRequest as error:
                if place := re.match(r"coins\[(\d+)\](.*)", error.field):
                    error.field = f"coins[{start + int(place[1])}]{place[2]}"
                raise
            stored = take_number(answer, "inserted")
            if stored > len(sent):
                raise BadAnswer("the answer has more coins than were sent")
            inserted += stored
        return inserted

    async def claim(
        self, target: UUID, category: str, count: int = 1, *, idempotency_key: UUID | None = None
    ) -> list[Coin]:
        """One-time coins of a recipient, oldest first; fewer than asked, or none, when there are no more.

        target: the recipient's key store. category: GOLD, SILVER or BRONZE. count: 1 to 100. idempotency_key: to repeat a
        claim that raised ServerUnavailable, or in which the app was killed, name a key of your own, and the same again:
        it gives the same coins for an hour. None: a new one, kept over this call's retries.
        """
        query = {
            "target_user_id": str(target),
            "requester_id": str(self.user_id),
            "coin_category": category,
            "count": str(count),
        }
        request = Request("GET", "/v1/coins/fetch", query, headers=_key(idempotency_key))
        return read_coins(await self._ask(request), category, count)

    async def claim_many(self, wishes: Sequence[Wish], *, idempotency_key: UUID | None = None) -> list[Outcome]:
        """Coins of many recipients in one transaction, an outcome for each wish, in their order.

        wishes: 1 to 100, and at most 1,000 coins in all. idempotency_key: as for claim().
        """
        claims = [
            {
                "target_user_id": str(wish.target),
                "coin_category": wish.category,
                "count": wish.count,
                "accept_last_resort": wish.accept_last_resort,
            }
            for wish in wishes
        ]
        body = {"requester_id": str(self.user_id), "claims": claims}
        request = Request("POST", "/v1/coins/claim", body=body, headers=_key(idempotency_key), largest=LARGEST_GROUP)
        answers = take(await self._ask(request), "claims", list)
        if len(answers) != len(wishes):
            raise BadAnswer("the answer has not an entry for each wish")
        outcomes = [read_outcome(answer, wish) for answer, wish in zip(answers, wishes, strict=True)]
        given = [(outcome.wish.target, coin.key_id) for outcome in outcomes for coin in outcome.coins]
        if len(set(given)) < len(given):
            raise BadAnswer("the answer has a coin twice")
        return outcomes

    async def count(self) -> dict[str, int]:
        """This device's unclaimed coins by category; may be a little behind."""
        return read_counts(await self._ask(self._get("count")))

    async def status(self) -> Status:
        """Counts, thresholds, epoch and last-resort coins of this device, as of now."""
        return read_status(await self._ask(self._get("status")))

    async def claimed(self, since: datetime | None = None, after: str | None = None) -> AsyncIterator[Issued]:
        """This device's coins that somebody has claimed, first claimed first, until an hour after the claim.

        since: only claims from this time on, with its time zone; a claim that was slow may come up a minute late. after: the
        cursor of the last one that was seen.
        """
        more = {"since": since.isoformat()} if since else {}
        seen = {after}
        while True:
            query = more | ({"cursor": after} if after else {})
            page = [read_issued(coin) for coin in take(await self._ask(self._get("claimed", query)), "coins", list)]
            for issued in page:
                yield issued
            if len(page) < PAGE:
                return
            after = page[-1].cursor
            if after in seen:
                raise BadAnswer("the answer is a page from before")
            seen.add(after)

    async def discard(self, key_ids: Sequence[str] | None = None) -> int:
        """Take coins back whose private keys are lost, last-resort coins included, unless they were claimed already.

        key_ids: which; None: all. Don't upload meanwhile: a repeated call would take back the new ones, too.
        Returns how many; after a lost answer those of the last try alone.
        """
        body: dict[str, Any] = {"user_id": str(self.user_id)}
        if key_ids is not None:
            body["key_ids"] = list(key_ids)
        return take_number(await self._ask(Request("POST", "/v1/coins/discard", body=body)), "deleted")

    async def put_last_resort(self, coin: Coin) -> bool:
        """Store the coin that senders who accept it get when this device's others of its category are gone.

        Returns whether there was one before. Raises Conflict for a key that is or was in use.
        """
        body = {"user_id": str(self.user_id), "coin": encode_coin(coin)}
        return take(await self._ask(Request("PUT", "/v1/coins/last-resort", body=body)), "replaced", bool)

    async def watch(self) -> AsyncGenerator[LowStock | Epoch, None]:
        """The state of this device's stock, and again whenever it falls below a threshold or the epoch changes.

        At most one event of a kind in a second, the newest: a server that sends a flood makes no work.
        Never ends by itself: it connects again, and is then told the present state, which may be the one before. Raises
        CourierError for a refusal that will not pass. Close it when done: `async with aclosing(courier.watch()) as events`.
        """
        async with aclosing(calm(self._connected())) as events:
            async for event in events:
                yield event

    async def _leave(self) -> None:
        await self.credentials.settle()
        await self.wire.__aexit__()

    async def _connected(self) -> AsyncGenerator[LowStock | Epoch, None]:
        """All events of one connection after the other."""
        retries = self.wire.retries
        retries = replace(retries, first_wait=CALMER * retries.first_wait, longest_wait=LONGEST_PAUSE)
        failures = 0
        while True:
            began, retry_after = time.monotonic(), 0
            try:
                async with aclosing(self._stream()) as events:
                    async for event in events:
                        yield event
            except CourierError as error:
                # Nobody waits for a watcher: a failure within the server, which a call does not repeat, passes as well.
                if not (is_passing(error) or isinstance(error, ServerUnavailable)):
                    raise
                retry_after = min(error.retry_after, LONGEST_OBEDIENCE)
            # Not as soon as something comes: a server that cuts each stream must not be asked without a pause.
            failures = 0 if time.monotonic() - began > LONGEST_PAUSE else failures + 1
            await retries.sleep(retries.wait(failures, retry_after))

    async def server_time(self) -> float | None:
        """What the server's clock says, in seconds since 1970; None when it does not say. Costs a call, without a token."""
        await self.wire.ask(Request("GET", "/v1/health"))
        return self.wire.server_time()

    async def logout(self) -> None:
        """End the session at the server; what was saved of it is good for nothing any more.

        Without effect when it has ended already.
        """
        try:
            await self._ask(Request("POST", "/auth/logout", body={}))
        except Unauthorized:
            pass
        except CourierError as error:
            if error.status != 404:
                raise

    async def _stream(self) -> AsyncGenerator[LowStock | Epoch, None]:
        """One connection's events."""
        answer = await self._authorised(lambda token: self.wire.open(self._get("watch"), token))
        fault = None
        with closing(answer):
            try:
                async for name, data in read_events(answer.content):
                    if event := read_event(name, _json(data)):
                        yield event
            except LOST as error:
                fault = lost(error)
        if fault:
            raise fault

    def _get(self, route: str, query: dict[str, str] | None = None) -> Request:
        return Request("GET", f"/v1/coins/{route}", {"user_id": str(self.user_id), **(query or {})})

    async def _ask(self, request: Request) -> Any:
        return await self._authorised(lambda token: self.wire.ask(request, token))

    async def _authorised(self, call: Callable[[str | None], Awaitable[T]]) -> T:
        """Make a call with a token, and once more with another when that one is refused."""
        token = await self.credentials.token(self.wire)
        try:
            return await call(token)
        except Unauthorized:
            renewed = await self.credentials.renew(self.wire, token)
            if renewed == token:
                raise
        return await call(renewed)


def _key(idempotency_key: UUID | None) -> dict[str, str]:
    return {"Idempotency-Key": str(idempotency_key or uuid4())}


def _json(data: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
