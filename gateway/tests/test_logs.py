"""What libraries log, as it stands in the gateway's log."""

from __future__ import annotations

import logging
import subprocess
import sys

import orjson

from conftest import ROOT

PROGRAM = """
import logging
from gateway.logs import configure_logs
configure_logs()
logger = logging.getLogger("psycopg")
logger.warning("error ignored terminating %r: %s", object(), ValueError("secret"))
logger.warning("%d of %s", 3, "secret")
logger.warning("%(name)s is left as it is", {"name": "secret"})
logger.warning("100 % of nothing")
logger.warning("%d", "secret")
"""


def test_a_librarys_message_has_its_numbers_and_the_kinds_of_the_rest() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True).stderr
    lines = [orjson.loads(line) for line in ran.splitlines()]
    assert [line["event"] for line in lines] == [
        "error ignored terminating object: ValueError",
        "3 of str",
        "%(name)s is left as it is",
        "100 % of nothing",
        "%d",
    ]
    assert {(line["logger"], line["level"]) for line in lines} == {
        ("psycopg", logging.getLevelName(logging.WARNING).lower())
    }
    assert "secret" not in ran
