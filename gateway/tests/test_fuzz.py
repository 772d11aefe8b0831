"""Schemathesis over the served OpenAPI: whatever is sent, the answer is one that the document names, and never 500."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

from conftest import Database, RunningGateway, make_coins, upload
from gateway.keys import make_private_key, read_private_key
from gateway.tokens import make_token


def fuzz(gateway: RunningGateway, *options: str) -> None:
    """Run schemathesis with its checks against a gateway; its seed is in its output.

    Not of streams, which don't end. Not with its check that all data of the right types is accepted: sizes and categories are rules of the functions.
    """
    seed, examples = os.environ.get("FUZZ_SEED", "1"), os.environ.get("FUZZ_EXAMPLES", "15")
    ran = subprocess.run(
        [str(Path(sys.executable).parent / "st"), "run", f"{gateway.url}/openapi.json", f"--max-examples={examples}",
         f"--seed={seed}", "--phases=examples,coverage,fuzzing", "--no-color",
         "--exclude-checks=positive_data_acceptance", "--exclude-tag=streams", *options],
        capture_output=True, text=True, check=False,
        # Beside the endpoint's own: no cassette, no files of its own in the checkout.
        cwd=gateway.log.parent,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert "fault" not in {line["event"] for line in gateway.log_lines()}


def test_no_request_breaks_an_endpoint(gateway: RunningGateway, database: Database) -> None:
    upload(database, uuid.UUID(int=1), make_coins(500))
    fuzz(gateway)


def test_no_request_with_a_token_breaks_an_endpoint(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    path = tmp_path / "token_key.pem"
    make_private_key(path)
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    for role in ("device", "admin"):
        token = make_token(read_private_key(path), role, str(uuid.uuid4()))
        fuzz(gateway, "--header", f"Authorization: Bearer {token}")
