"""Bearer tokens: JWT signed with Ed25519.

python -m gateway.tokens --role device --user UUID [--hours 24]     print a token for trying
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .problems import Problem
from .settings import SettingError

ISSUER = "aqm"
AUDIENCE = "aqm"
ROLES = ("device", "user", "admin")
LONGEST_TOKEN = 4096
"""Characters; longer ones are refused unread."""

LEEWAY = 30
"""Seconds by which clocks may differ."""

REMEMBERED = 20_000
"""Tokens whose signature need not be checked again."""


@dataclass(frozen=True)
class Caller:
    """Who calls. role: the HTTP role. subject: the token's, None for nobody in particular. until: when it expires."""

    role: str
    subject: str | None
    until: float | None = field(default=None, compare=False)


ANONYMOUS = Caller("anon", None)


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a file; raises SettingError when there is none."""
    key = _read_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingError(f"{path} holds no private key: tokens are made where the private key is")
    return key


def make_private_key(path: Path) -> None:
    """Make a new private key in a file that only its owner may read; an existing file stays as it is."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def make_token(key: Ed25519PrivateKey, role: str, subject: str, seconds: float = 900) -> str:
    """A signed token. role: device, user or admin. subject: who it is for. seconds: how long it is valid."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "role": role, "iat": now, "exp": int(now + seconds)}
    return jwt.encode(claims, key, algorithm="EdDSA")


class Verifier:
    """Checks tokens against the public half of a key file (a private or a public key, PEM)."""

    def __init__(self, path: Path) -> None:
        key = _read_key(path)
        self.key = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
        self.remembered: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def verify(self, authorization: str | None) -> Caller:
        """The caller of an Authorization header; without one, anonymous.

        Raises Problem 401 for anything but a valid token; the reason is not told, as it would help a forger.
        """
        if authorization is None:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        known = self.remembered.get(token)
        if known and known[0] > time.time() and scheme.lower() == "bearer":
            return known[1]
        if scheme.lower() != "bearer" or len(token) > LONGEST_TOKEN:
            raise unauthorized()
        try:
            claims = jwt.decode(
                token, self.key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY,
                options={"require": ["exp", "iat", "aud", "iss", "sub"], "strict_aud": True},
            )  # fmt: skip
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise unauthorized() from None
        if claims.get("role") not in ROLES or not isinstance(claims["sub"], str) or not claims["sub"]:
            raise unauthorized()
        until = int(claims["exp"]) + LEEWAY
        caller = Caller(claims["role"], claims["sub"], until)
        self.remembered[token] = (until, caller)
        if len(self.remembered) > REMEMBERED:
            self.remembered.popitem(last=False)
        return caller


def unauthorized() -> Problem:
    """401 with the challenge of RFC 6750."""
    return Problem(401, "a valid bearer token is needed", headers={"WWW-Authenticate": 'Bearer realm="aqm"'})


def _read_key(path: Path) -> Ed25519PrivateKey | Ed25519PublicKey:
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise SettingError(f"AQM_TOKEN_KEY_FILE: can't read {path} ({error.strerror})") from None
    try:
        key = (
            serialization.load_pem_private_key(pem, None)
            if b"PRIVATE" in pem
            else serialization.load_pem_public_key(pem)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise SettingError(f"AQM_TOKEN_KEY_FILE: {path} holds no Ed25519 key in PEM form")
    return key


def main(arguments: Sequence[str]) -> int:
    """The command line: print a token."""
    parser = argparse.ArgumentParser(prog="aqm token", description="Print a token for trying the server.")
    parser.add_argument("--role", choices=ROLES, default="device", help="HTTP role (default: device)")
    parser.add_argument("--user", required=True, help="subject: the UUID of the user or device")
    parser.add_argument("--hours", type=float, default=24, help="how long it is valid (default: 24)")
    options = parser.parse_args(arguments)
    if options.role != "admin":
        try:
            options.user = str(UUID(options.user))
        except ValueError:
            parser.error("argument --user: must be a UUID")
    if not 0 < options.hours <= 24 * 366:
        parser.error("argument --hours: must be above 0 and at most a year")
    chosen = os.environ.get("AQM_TOKEN_KEY_FILE")
    path = Path(chosen or Path(os.environ.get("AQM_DATA_DIR") or ".aqm") / "token_key.pem")
    if not chosen:
        # Only at its usual place: a mistyped path would make tokens that nobody accepts.
        make_private_key(path)
    print(make_token(read_private_key(path), options.role, options.user, options.hours * 3600))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SettingError as error:
        sys.exit(f"aqm token: {error}")
