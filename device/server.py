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
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from db.cluster import data_dir
from gateway.keys import read_private_key
from gateway.settings import Settings
from gateway.tokens import make_token

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
            env=os.environ | {"AQM_HOST": "127.0.0.1", "AQM_PORT": "0", "AQM_DATA_DIR": str(data_dir())},
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


class Tokens:
    """Makes the Authorization header for a gateway that wants one; raises SettingError without the private key."""

    def __init__(self, url: URL, settings: Settings) -> None:
        needs_tokens = _get(url, f"/v1/coins/count?user_id={UUID(int=0)}")[0] == 401
        self.key: Ed25519PrivateKey | None = read_private_key(settings.token_key_file) if needs_tokens else None

    def header(self, user_id: UUID) -> dict[str, str]:
        """The header of a device of one user."""
        return {"Authorization": f"Bearer {make_token(self.key, 'device', str(user_id))}"} if self.key else {}
