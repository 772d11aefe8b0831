"""Whom the gateway trusts: its own key, those of the other gateways, and the sessions that were revoked, as the database
tells of them. No request asks: what changes is notified (gateway.revoke_session(), auth.register_signing_key())."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .keys import raw_bytes
from .logs import log
from .settings import Settings
from .tokens import Signer, Verifier

REMEDY = "nobody can log in here: put a new key in place and restart (docs/runbook.md, Keys)"


class Trust:
    """What signs tokens and what checks them, kept up with the database.

    verifier: None where no tokens are checked. end_streams: called with a revoked session and
    the time until which its tokens are void; their streams must end.
    """

    def __init__(self, settings: Settings, end_streams: Callable[[str, float], None]) -> None:
        self.signer = Signer(settings.token_key_file)
        self.verifier = Verifier(self.signer.public) if settings.auth == "jwt" else None
        self.end_streams = end_streams
        self.is_registered = False

    async def read(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Read all keys and revocations, and make our own key known where it is not. connection: one that already listens,
        so that nothing is missed between."""
        if self.verifier is None:
            return
        keys = await self._keys(connection)
        if self.signer.kid not in keys and not self.is_registered:
            await self._register(connection)
            keys = await self._keys(connection)
        if self.signer.kid not in keys and not self.signer.is_retired:
            log().error("signing key is not among those in use", kid=self.signer.kid, remedy=REMEDY)
        self.signer.is_retired = self.signer.kid not in keys
        self.verifier.use_keys(keys)
        cursor = await connection.execute(
            "select session_id::text, extract(epoch from issued_until)::float8, extract(epoch from expires_at)::float8"
            " from gateway.list_revocations()"
        )
        for session, issued_until, expires in await cursor.fetchall():
            self._revoke(session, issued_until, expires)

    async def _keys(self, connection: psycopg.AsyncConnection[Any]) -> dict[str, Ed25519PublicKey]:
        rows = await (await connection.execute("select kid, x from auth.list_signing_keys()")).fetchall()
        return {kid: Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=")) for kid, x in rows}

    async def _register(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Make our key known, once: a retired one is not brought back."""
        try:
            own = [self.signer.kid, raw_bytes(self.signer.public)]
            cursor = await connection.execute("select auth.register_signing_key(%s, %s)", own)
            self.is_registered = True
            if await cursor.fetchone() == (True,):
                log().warning("signing key made known", kid=self.signer.kid)
        except psycopg.Error as error:
            # A server that takes no writes now: the others' keys are good all the same.
            log().warning("signing key could not be made known", kid=self.signer.kid, sqlstate=error.sqlstate)

    async def hear(self, payload: str, connection: psycopg.AsyncConnection[Any]) -> None:
        """Act on a notification of the channel gateway, where it is for us."""
        match payload.split(" "):
            case ["keys"]:
                await self.read(connection)
            case ["revoke", session, issued_until, expires]:
                self._revoke(session, float(issued_until), float(expires))

    def _revoke(self, session: str, issued_until: float, expires: float) -> None:
        if self.verifier and self.verifier.revoke(session, issued_until, expires):
            self.end_streams(session, issued_until)
