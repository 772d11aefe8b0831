"""Who a device is to the server: nobody in particular, the bearer of a token, or an account's session."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ssl import SSLContext
from typing import Any, Self
from uuid import UUID

from yarl import URL

from .answers import take, take_number, take_uuid
from .errors import BadAnswer
from .retries import Retries
from .wire import Request, Wire

EARLY = 60.0
"""Seconds before its end in which an access token is renewed already: longer than a call with its retries."""

SAME_CHILD = 8.0
"""Seconds in which a refresh is repeated. The server answers a repeated refresh for 10 seconds, and takes a later one for a
thief's, which ends the session."""

REFRESH_ATTEMPT = 2.5
TOKEN_FORM = re.compile(r"[A-Za-z0-9._~+/=-]{1,4096}")


class Credentials:
    """What CourierClient asks; this one has no token, for a server that checks none (AQM_AUTH=none).

    user_id: the device's own key store.
    """

    def __init__(self, user_id: UUID) -> None:
        self.user_id = user_id

    async def token(self, wire: Wire) -> str | None:
        """The access token for the next call, None for none. wire: reaches the server, should it have to be asked."""
        return None

    async def renew(self, wire: Wire, refused: str | None) -> str | None:
        """Another token than the one that the server refused, or the same where there is no other."""
        return refused

    async def settle(self) -> None:
        """Wait for what is under way, before the connections close."""


class FixedToken(Credentials):
    """A token that somebody else made and will replace. user_id: its subject."""

    def __init__(self, user_id: UUID, token: str) -> None:
        super().__init__(user_id)
        self._token = token

    async def token(self, wire: Wire) -> str:
        """The token."""
        return self._token


@dataclass(frozen=True)
class SavedSession:
    """What an app keeps of its session, sealed. user_id: the device's key store. refresh_token: good once."""

    user_id: UUID
    refresh_token: str = field(repr=False)


async def sign_up(
    url: str | URL, email: str, password: str, retries: Retries | None = None, *, ssl: SSLContext | None = None
) -> UUID:
    """Make an account; returns its id. Asked once: an answer that was lost is found out by login().

    ssl: as for CourierClient. Raises CourierError: InvalidRequest naming what the server does not take, Conflict for an
    address that has an account, TooManyRequests.
    """
    request = Request("POST", "/users", body={"email": email, "password": password}, is_repeatable=False)
    async with Wire(url, retries, ssl) as wire:
        return take_uuid(await wire.ask(request), "id")


Save = Callable[[SavedSession], Awaitable[None]]
"""Keeps a session in the place of the one before; when it returns, a crash must not lose it."""


@dataclass(frozen=True)
class _Tokens:
    """An answer of login or refresh. renew_at: on the session's clock."""

    saved: SavedSession
    access: str = field(repr=False)
    renew_at: float


class AccountSession(Credentials):
    """A session of an account's device, which lasts for 30 days from its last refresh. One object at a time may use it: the
    server takes two with one refresh token for a thief and a victim, and ends the session.

    saved: what save was told last. save: is told each new refresh token before the session uses it, so that an app that is
    killed goes on with the newest. clock: seconds, for tests.
    """

    def __init__(self, saved: SavedSession, save: Save, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(saved.user_id)
        self._saved = saved
        self._save = save
        self._clock = clock
        self._access: str | None = None
        self._renew_at = 0.0
        self._unsaved: _Tokens | None = None
        self._renewal: asyncio.Task[None] | None = None

    @classmethod
    async def login(
        cls,
        url: str | URL,
        email: str,
        password: str,
        device_name: str,
        save: Save,
        retries: Retries | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        ssl: SSLContext | None = None,
    ) -> Self:
        """A new session. Asked once: each login opens one, and guesses are counted.

        device_name: tells the account's key stores apart, at most 50 bytes; the same name is the same key store. ssl: as for
        CourierClient.
        Raises CourierError: Unauthorized for a wrong address or password, TooManyRequests after too many of them, Conflict for
        too many new devices.
        """
        body = {"email": email, "password": password, "role": "device", "device_name": device_name}
        async with Wire(url, retries, ssl) as wire:
            asked_at = clock()
            answer = await wire.ask(Request("POST", "/auth/login", body=body, is_repeatable=False))
        tokens = _read_tokens(answer, asked_at)
        session = cls(tokens.saved, save, clock)
        await session._adopt(tokens)
        return session

    async def token(self, wire: Wire) -> str | None:
        """An access token that is good for a minute, renewed if need be; raises CourierError and what save raises."""
        if self._access is None or self._clock() >= self._renew_at:
            return await self.renew(wire, self._access)
        return self._access

    async def renew(self, wire: Wire, refused: str | None) -> str | None:
        """A newer token than the refused one; all who ask meanwhile share one refresh. Raises as token()."""
        if self._access == refused:
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.create_task(self._refresh(wire))
            # Whoever is cancelled, the refresh is not: the server may have exchanged the token already.
            await asyncio.shield(self._renewal)
        return self._access

    async def settle(self) -> None:
        """Wait for a refresh that is under way; who waits for it is told what it raises."""
        if self._renewal:
            with suppress(Exception):
                await asyncio.shield(self._renewal)

    async def _refresh(self, wire: Wire) -> None:
        tokens = self._unsaved
        if tokens is None:
            asked_at = self._clock()
            request = Request("POST", "/auth/refresh", body={"refresh_token": self._saved.refresh_token})
            hurry = replace(
                wire.retries,
                deadline=min(SAME_CHILD, wire.retries.deadline),
                attempt=min(REFRESH_ATTEMPT, wire.retries.attempt),
            )
            tokens = _read_tokens(await wire.ask(request, retries=hurry), asked_at)
            if tokens.saved.user_id != self.user_id:
                raise BadAnswer("the refreshed token is somebody else's")
        await self._adopt(tokens)

    async def _adopt(self, tokens: _Tokens) -> None:
        # Kept until it is saved: the one before is used up.
        self._unsaved = tokens
        await self._save(tokens.saved)
        self._saved, self._access, self._renew_at = tokens.saved, tokens.access, tokens.renew_at
        self._unsaved = None


def _read_tokens(answer: Any, asked_at: float) -> _Tokens:
    """The answer of login and refresh; raises BadAnswer."""
    access, refresh = take(answer, "access_token", str), take(answer, "refresh_token", str)
    if not (TOKEN_FORM.fullmatch(access) and TOKEN_FORM.fullmatch(refresh)):
        raise BadAnswer("the answer's token has a wrong form")
    saved = SavedSession(take_uuid(answer, "subject"), refresh)
    return _Tokens(saved, access, asked_at + take_number(answer, "expires_in") - EARLY)
