"""Bearer tokens: JWT signed with Ed25519.

python -m gateway.tokens --role device --user UUID [--hours 24]     print a token for trying
python -m gateway.tokens --role wallet --user 0x…                   for an Ethereum address
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import orjson
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .keys import make_private_key, public_half, read_key, read_private_key, thumbprint
from .problems import Problem
from .settings import SettingError, token_key_file
from .wallets import WALLET_WORDS, checksum_address

ISSUER = "aqm"
AUDIENCE = "aqm"
ROLES = ("device", "user", "wallet", "worker", "admin")
LONGEST_TOKEN = 4096
"""Characters; longer ones are refused unread."""

LEEWAY = 30
"""Seconds by which clocks may differ."""

REMEMBERED = 20_000
"""Tokens whose signature need not be checked again."""


@dataclass(frozen=True)
class Caller:
    """Who calls. role: the HTTP role. subject: the token's, None for nobody in particular. session: the token's, None
    for one that belongs to none. issued_at, until: when it was made and when it expires, seconds since 1970."""

    role: str
    subject: str | None
    session: str | None = field(default=None, compare=False)
    issued_at: float = field(default=0.0, compare=False)
    until: float | None = field(default=None, compare=False)

    @property
    def claims(self) -> str:
        """What a function of the database may know of the token, as JSON; empty for nobody."""
        if self.subject is None:
            return ""
        return orjson.dumps({"sub": self.subject, "role": self.role, "sid": self.session}).decode()


ANONYMOUS = Caller("anon", None)


class Signer:
    """Makes tokens with the private key of a file; with a public one it only tells which key that is."""

    def __init__(self, path: Path) -> None:
        key = read_key(path)
        self.key = key if isinstance(key, Ed25519PrivateKey) else None
        self.public = public_half(key)
        self.kid = thumbprint(self.public)
        self.is_retired = False

    def sign(self, claims: bytes) -> str:
        """A signed token with the claims, as JSON, that a function of the database decided on; issuer and audience are ours.

        Raises Problem 503 without a private key, or when it was retired (auth.retire_signing_key()).
        """
        if self.key is None or self.is_retired:
            raise Problem(503, "this gateway has no key to sign tokens with")
        whole = {**orjson.loads(bytes(claims)), "iss": ISSUER, "aud": AUDIENCE}
        return jwt.encode(whole, self.key, algorithm="EdDSA", headers={"kid": self.kid})


def make_token(key: Ed25519PrivateKey, role: str, subject: str, seconds: float = 900) -> str:
    """A signed token of no session. role: one of ROLES. subject: who it is for. seconds: how long it is valid."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "role": role, "iat": now, "exp": int(now + seconds)}
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": thumbprint(key.public_key())})


class Verifier:
    """Checks tokens against public keys by their kid, and whether their session was revoked.

    own: the gateway's own public key; the database's list, when it was read, takes its place.
    """

    def __init__(self, own: Ed25519PublicKey) -> None:
        self.own = thumbprint(own)
        self.keys = {self.own: own}
        self.remembered: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        self.revoked: dict[str, tuple[float, float]] = {}
        self.prune_at = 1000

    def use_keys(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Accept these keys from now on, and no others. keys: by kid."""
        if keys.keys() != self.keys.keys():
            self.keys = dict(keys)
            self.remembered.clear()

    def revoke(self, session: str, issued_until: float, expires: float) -> bool:
        """Refuse what a session was issued until then. expires: when none of it is good any more.

        Returns whether that is news: the list is read again and again, and a notification may come after it.
        """
        known = self.revoked.get(session, (float("-inf"), 0.0))
        if known[0] >= issued_until:
            return False
        self.revoked[session] = issued_until, max(known[1], expires + LEEWAY)
        if len(self.revoked) > self.prune_at:
            now = time.time()
            self.revoked = {session: entry for session, entry in self.revoked.items() if entry[1] > now}
            self.prune_at = 2 * len(self.revoked) + 1000
        return True

    def verify(self, authorization: str | None) -> Caller:
        """The caller of an Authorization header; without one, anonymous.

        Raises Problem 401 for anything but a valid token; the reason is not told, as it would help a forger.
        """
        if authorization is None:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized()
        known = self.remembered.get(token)
        caller = known[1] if known and known[0] > time.time() else self._read(token)
        if caller.session in self.revoked and caller.issued_at <= self.revoked[caller.session][0]:
            raise unauthorized()
        return caller

    def _read(self, token: str) -> Caller:
        if len(token) > LONGEST_TOKEN:
            raise unauthorized()
        try:
            # A token of somebody who has the private key, but no word for it, is checked with our own.
            key = self.keys.get(jwt.get_unverified_header(token).get("kid", self.own))
            if key is None:
                raise unauthorized()
            claims = jwt.decode(
                token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY,
                options={"require": ["exp", "iat", "aud", "iss", "sub"], "strict_aud": True},
            )  # fmt: skip
            session = claims.get("sid")
            caller = Caller(claims["role"], claims["sub"], session, float(claims["iat"]), int(claims["exp"]) + LEEWAY)
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise unauthorized() from None
        if caller.role not in ROLES or not isinstance(caller.subject, str) or not caller.subject:
            raise unauthorized()
        if not isinstance(session, str | None):
            raise unauthorized()
        self.remembered[token] = (caller.until or 0, caller)
        if len(self.remembered) > REMEMBERED:
            self.remembered.popitem(last=False)
        return caller


def unauthorized() -> Problem:
    """401 with the challenge of RFC 6750."""
    return Problem(401, "a valid bearer token is needed", headers={"WWW-Authenticate": 'Bearer realm="aqm"'})


def main(arguments: Sequence[str]) -> int:
    """The command line: print a token."""
    parser = argparse.ArgumentParser(prog="aqm token", description="Print a token for trying the server.")
    parser.add_argument("--role", choices=ROLES, default="device", help="HTTP role (default: device)")
    parser.add_argument(
        "--user", required=True, help="subject: the UUID of the user or device, the address of the wallet"
    )
    parser.add_argument("--hours", type=float, default=24, help="how long it is valid (default: 24)")
    options = parser.parse_args(arguments)
    if options.role == "wallet":
        address = checksum_address(options.user)
        if address is None:
            parser.error(f"argument --user: {WALLET_WORDS}")
        options.user = address
    elif options.role != "admin":
        try:
            options.user = str(UUID(options.user))
        except ValueError:
            parser.error("argument --user: must be a UUID")
    if not 0 < options.hours <= 24 * 366:
        parser.error("argument --hours: must be above 0 and at most a year")
    path = token_key_file(os.environ)
    if not os.environ.get("AQM_TOKEN_KEY_FILE"):
        # Only at its usual place: a mistyped path would make tokens that nobody accepts.
        make_private_key(path)
    key = read_private_key(path)
    if dsn := os.environ.get("AQM_DSN"):
        _warn_of_key(dsn, path, thumbprint(key.public_key()))
    print(make_token(key, options.role, options.user, options.hours * 3600))
    return 0


def fault_of_key(connection: psycopg.Connection[Any], kid: str) -> str | None:
    """Why no gateway accepts what a key signs, as a DBA's connection tells it; None where they do."""
    row = connection.execute(
        "select to_char(valid_until, 'YYYY-MM-DD HH24:MI TZ'), valid_until <= now() from auth.signing_keys where kid = %s",
        [kid],
    ).fetchone()
    if row is None:
        return "not known to the database; a gateway with AQM_AUTH=jwt makes its own known at its start"
    until, is_over = row
    if is_over:
        return f"RETIRED since {until}: nobody accepts its tokens; put a new one in place (docs/runbook.md, Keys)"
    return f"being retired: its tokens are good until {until}" if until else None


def _warn_of_key(dsn: str, path: Path, kid: str) -> None:
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=3) as connection:
            fault = fault_of_key(connection, kid)
    except psycopg.Error as error:
        # Tokens can be made where no database is reached; the reason names a server at most.
        fault = f"can't ask the database whether it is in use ({error.sqlstate or type(error).__name__})"
    if fault:
        print(f"aqm token: {path}: {fault}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SettingError as error:
        sys.exit(f"aqm token: {error}")
