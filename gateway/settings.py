"""The gateway's settings: environment variables with defaults, checked once at the start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import limits
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

VARIABLES = frozenset({
    "AQM_AUTH", "AQM_COSTLY_CORES", "AQM_DATA_DIR", "AQM_DATA_KEYS_FILE", "AQM_DRAIN", "AQM_DSN", "AQM_GATEWAY_DSN",
    "AQM_GATEWAY_PASSWORD", "AQM_HOST", "AQM_LISTEN_DSN", "AQM_LOG_REQUESTS", "AQM_MAX_BATCH", "AQM_MAX_BODY",
    "AQM_MAX_STREAMS", "AQM_MAX_WAITING", "AQM_POOL_IDLE", "AQM_POOL_LIFETIME", "AQM_POOL_MAX", "AQM_POOL_MIN",
    "AQM_POOL_WAIT", "AQM_PORT", "AQM_PREPARE", "AQM_RATE_LIMIT", "AQM_REPLICA_DSN", "AQM_STATEMENT_TIMEOUT",
    "AQM_TOKEN_KEY_FILE", "AQM_TRUSTED_PROXIES", "AQM_VENV",
})  # fmt: skip
"""All that ./aqm help lists, those of other programs included."""

LOGIN = "aqm_gateway"
"""The gateway's own login; each HTTP role has one more, aqm_gateway_<role> (db/migrations/000)."""


class SettingError(Exception):
    """A setting is missing or malformed; the message names it."""


@dataclass(frozen=True)
class Settings:
    """What an operator can choose; ./aqm help lists the variables.

    Times are in seconds, sizes in bytes. gateway_dsn, replica_dsn and listen_dsn name a server and a database; the
    user in them is replaced by the login that a connection needs.
    """

    gateway_dsn: str = field(repr=False)
    password: str | None = field(repr=False)
    replica_dsn: str | None = field(repr=False)
    listen_dsn: str = field(repr=False)
    host: str
    port: int
    auth: str
    token_key_file: Path
    data_keys_file: Path
    may_make_data_keys: bool
    trusted_proxies: int
    costly_cores: float
    rate_limit: limits.RateLimitItem | None
    pool_min: int
    pool_max: int
    pool_wait: float
    pool_idle: float
    pool_lifetime: float
    statement_timeout: float
    max_body: int
    max_batch: int
    max_waiting: int
    max_streams: int
    prepare: bool
    log_requests: bool
    drain: float


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment; raises SettingError naming the variable that is wrong."""
    read = _Reader(environment)
    dsn = environment.get("AQM_GATEWAY_DSN") or environment.get("AQM_DSN")
    if not dsn:
        raise SettingError("AQM_DSN is not set: name a database, or use ./aqm run, which brings its own")
    password = environment.get("AQM_GATEWAY_PASSWORD") or _password(environment.get("AQM_GATEWAY_DSN"))
    settings = Settings(
        gateway_dsn=login_dsn(dsn, LOGIN, password, "AQM_DSN"),
        password=password,
        replica_dsn=login_dsn(replica, LOGIN, password, "AQM_REPLICA_DSN")
        if (replica := environment.get("AQM_REPLICA_DSN"))
        else None,
        listen_dsn=login_dsn(environment.get("AQM_LISTEN_DSN") or dsn, LOGIN, password, "AQM_LISTEN_DSN"),
        host=environment.get("AQM_HOST") or "127.0.0.1",
        port=int(read.number("AQM_PORT", 8080, 0, 65535)),
        auth=read.choice("AQM_AUTH", "none", "jwt"),
        token_key_file=token_key_file(environment),
        data_keys_file=data_keys_file(environment),
        # At their usual place only: a mistyped path would make keys that nobody else has.
        may_make_data_keys=not environment.get("AQM_DATA_KEYS_FILE"),
        trusted_proxies=int(read.number("AQM_TRUSTED_PROXIES", 0, 0, 100)),
        costly_cores=read.number("AQM_COSTLY_CORES", round(0.1 * (os.cpu_count() or 1), 2), 0.01, 1000),
        rate_limit=read.rate_limit("AQM_RATE_LIMIT", "200/second"),
        pool_min=int(read.number("AQM_POOL_MIN", 2, 0, 1000)),
        pool_max=int(read.number("AQM_POOL_MAX", 10, 1, 1000)),
        pool_wait=read.number("AQM_POOL_WAIT", 5, 0.01, 3600),
        pool_idle=read.number("AQM_POOL_IDLE", 300, 1, 86400),
        pool_lifetime=read.number("AQM_POOL_LIFETIME", 1800, 1, 86400),
        statement_timeout=read.number("AQM_STATEMENT_TIMEOUT", 10, 0.01, 3600),
        max_body=int(read.number("AQM_MAX_BODY", 6 * 2**20, 1024, 2**30)),
        max_batch=int(read.number("AQM_MAX_BATCH", 64, 1, 1000)),
        max_waiting=int(read.number("AQM_MAX_WAITING", 20_000, 1, 10**6)),
        max_streams=int(read.number("AQM_MAX_STREAMS", 10_000, 0, 10**6)),
        prepare=read.choice("AQM_PREPARE", "on", "off") == "on",
        log_requests=read.choice("AQM_LOG_REQUESTS", "on", "off") == "on",
        drain=read.number("AQM_DRAIN", 20, 0, 3600),
    )
    if settings.pool_min > settings.pool_max:
        raise SettingError("AQM_POOL_MIN must not be above AQM_POOL_MAX")
    if settings.auth == "none" and not _is_loopback(settings.host):
        raise SettingError(
            f"AQM_AUTH=none serves anyone who can reach it, so it binds to loopback only, not to AQM_HOST={settings.host}: "
            "set AQM_AUTH=jwt"
        )
    return settings


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like settings of ours and are none: mistyped, so that a default rules in their place."""
    return sorted(name for name in environment if name.startswith("AQM_") and name not in VARIABLES)


def data_dir(environment: Mapping[str, str]) -> Path:
    """The project's data folder."""
    return Path(environment.get("AQM_DATA_DIR") or ".aqm")


def token_key_file(environment: Mapping[str, str]) -> Path:
    """The file of the key that signs tokens."""
    return Path(environment.get("AQM_TOKEN_KEY_FILE") or data_dir(environment) / "token_key.pem")


def data_keys_file(environment: Mapping[str, str]) -> Path:
    """The file of the data keys."""
    return Path(environment.get("AQM_DATA_KEYS_FILE") or data_dir(environment) / "data_keys")


def login_dsn(dsn: str, login: str, password: str | None = None, variable: str = "AQM_DSN") -> str:
    """A connection string with its user replaced, and its password where there is one."""
    try:
        parts: dict[str, Any] = conninfo_to_dict(dsn)
    except ProgrammingError:
        # The parser's message quotes the string, which may hold a password.
        raise SettingError(f"{variable} is no PostgreSQL connection string") from None
    if parts.get("user") != login:
        # Somebody else's password; the gateway's own is shared by its logins.
        parts.pop("password", None)
    return make_conninfo(**(parts | {"user": login} | ({"password": password} if password else {})))


def _password(dsn: str | None) -> str | None:
    return str(conninfo_to_dict(login_dsn(dsn, LOGIN)).get("password") or "") or None if dsn else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def number(self, name: str, default: float, least: float, most: float) -> float:
        text = self.environment.get(name) or str(default)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise SettingError(f"{name} must be a number from {least:g} to {most:g}, not {text!r}")
        return value

    def choice(self, name: str, *choices: str) -> str:
        value = self.environment.get(name) or choices[0]
        if value not in choices:
            raise SettingError(f"{name} must be {' or '.join(choices)}, not {value!r}")
        return value

    def rate_limit(self, name: str, default: str) -> limits.RateLimitItem | None:
        text = self.environment.get(name) or default
        if text == "off":
            return None
        try:
            return limits.parse(text)
        except ValueError:
            raise SettingError(f"{name} must be off or like 200/second, not {text!r}") from None
