"""The gateway that the demo talks to: the one that runs already, or one of its own for as long as it lasts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from yarl import URL

from db.cluster import data_dir
from gateway.settings import Settings

PATIENCE = 30
"""Seconds that a gateway may take to start, and to stop."""


class ServerError(Exception):
    """There is no usable gateway; the message says why and what to do."""


@contextmanager
def gateway(settings: Settings) -> Iterator[tuple[URL, bool]]:
    """The address of a gateway, and whether it was started here, to be stopped at the end of the with block.

    Raises ServerError when the own one does not start.
    """
    running = URL.build(scheme="http", host=settings.host, port=settings.port)
    if settings.port and _get(running, "/v1/health") == (200, {"status": "ok", "db_connected": True}):
        yield running, False
        return
    log = data_dir() / "demo-gateway.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway"],
            env=os.environ | {"AQM_HOST": "127.0.0.1", "AQM_PORT": "0", "AQM_AUTH": "jwt", "AQM_DATA_DIR": str(data_dir())},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output,
        )  # fmt: skip
    try:
        yield URL.build(scheme="http", host="127.0.0.1", port=_port(process, log)), True
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait for the port that the kernel chose, as the gateway's log tells it."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if '"event":"ready"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.05)
    raise ServerError(f"the gateway did not start; its log is {log}")


def _get(url: URL, path: str) -> tuple[int, object]:
    """Status and JSON of an answer; 0 and None when there is none."""
    connection = HTTPConnection(str(url.host), url.port, timeout=3)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()
