"""How values travel to the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from conftest import Database
from gateway.database import array_of


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("text", ["GOLD", "", "null", "NULL", None, '"', "\\", '\\"', "a,b", "{}", " a ", "\n\t", "ä€𝄞", "%s"]),
        ("integer", [1, -(2**31), None]),
        ("bigint", [2**63 - 1, 0]),
        ("boolean", [True, None]),
        ("timestamptz", [datetime(2026, 1, 31, tzinfo=UTC)]),
        ("text", [None]),
    ],
)
def test_an_array_arrives_as_it_was(database: Database, type_: str, values: list[Any]) -> None:
    with psycopg.connect(database.dsn) as connection:
        arrived = connection.execute(f"select %b::{type_}[]".encode(), [array_of(values)]).fetchone()
    assert arrived == (values,)
