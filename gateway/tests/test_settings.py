"""Settings: defaults, refusals that name the variable, and nothing secret in a repr."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from gateway.settings import SettingError, read_settings

DSN = {"AQM_DSN": "postgresql://postgres:hunter2@db.internal/aqm"}


def test_defaults_are_those_that_help_lists() -> None:
    settings = read_settings(DSN)
    listed = dict(re.findall(r"^  (AQM_[A-Z_]+)(?:=(\S+))? ", (ROOT / "aqm").read_text(), re.MULTILINE))
    assert (settings.host, str(settings.port)) == (listed["AQM_HOST"], listed["AQM_PORT"])
    assert settings.auth == listed["AQM_AUTH"]
    assert settings.rate_limit is not None
    assert f"{settings.rate_limit.amount}/{settings.rate_limit.GRANULARITY.name}" == listed["AQM_RATE_LIMIT"]
    for name in ("pool_min", "pool_max", "pool_wait", "pool_idle", "pool_lifetime", "statement_timeout",
                 "max_body", "max_batch", "max_waiting", "max_streams", "drain"):  # fmt: skip
        assert float(getattr(settings, name)) == float(listed[f"AQM_{name.upper()}"]), name
    assert (settings.prepare, settings.log_requests) == (
        listed["AQM_PREPARE"] == "on",
        listed["AQM_LOG_REQUESTS"] == "on",
    )


def test_help_lists_every_setting_that_the_code_reads() -> None:
    listed = set(re.findall(r"^  (AQM_[A-Z_]+)", (ROOT / "aqm").read_text(), re.MULTILINE))
    read = {"AQM_VENV"}
    for path in [*ROOT.glob("gateway/*.py"), *ROOT.glob("db/*.py")]:
        read |= set(re.findall(r'"(AQM_[A-Z_]+)"', path.read_text()))
    assert read == listed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AQM_PORT", "http"), ("AQM_PORT", "70000"), ("AQM_AUTH", "maybe"), ("AQM_RATE_LIMIT", "fast"),
        ("AQM_POOL_MAX", "0"), ("AQM_POOL_MIN", "11"), ("AQM_POOL_WAIT", "nan"), ("AQM_MAX_BODY", "-1"),
        ("AQM_PREPARE", "yes"), ("AQM_STATEMENT_TIMEOUT", "inf"), ("AQM_HOST", "0.0.0.0"), ("AQM_HOST", "example.org"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        read_settings(DSN | {name: value})


def test_no_database_is_one_clear_error() -> None:
    with pytest.raises(SettingError, match="AQM_DSN is not set"):
        read_settings({})


def test_a_broken_connection_string_is_named_and_not_quoted() -> None:
    with pytest.raises(SettingError, match="AQM_DSN") as error:
        read_settings({"AQM_DSN": "postgresql://x:hunter2@["})
    assert "hunter2" not in str(error.value)


def test_without_tokens_only_loopback_is_served() -> None:
    assert read_settings(DSN | {"AQM_HOST": "::1"}).host == "::1"
    assert read_settings(DSN | {"AQM_HOST": "0.0.0.0", "AQM_AUTH": "jwt"}).host == "0.0.0.0"


def test_the_gateway_takes_neither_the_name_nor_the_password_of_the_administrator() -> None:
    settings = read_settings(DSN | {"AQM_GATEWAY_PASSWORD": "own"})
    assert "user=aqm_gateway" in settings.gateway_dsn
    assert "hunter2" not in settings.gateway_dsn
    assert "password=own" in settings.gateway_dsn


def test_no_password_is_in_a_repr() -> None:
    settings = read_settings(DSN | {"AQM_GATEWAY_PASSWORD": "own-secret", "AQM_REPLICA_DSN": "host=r password=p4ss"})
    assert not re.search("own-secret|p4ss|hunter2", repr(settings))
