"""./aqm itself, with the packages of whoever runs the tests, so that it installs nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT


@dataclass(frozen=True)
class Command:
    """Runs ./aqm in the checkout with settings of a test's own."""

    environment: dict[str, str]

    def shell(self, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a script, as somebody types it in the checkout."""
        return subprocess.run(
            ["sh", "-c", script], cwd=ROOT, env=os.environ | self.environment | settings, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip


def make_command(folder: Path, **settings: str) -> Command:
    """./aqm with the data folder `data` in a folder, and settings."""
    venv = folder / "venv"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes())
    for stamp in (".aqm-runtime", ".aqm-dev"):
        (venv / stamp).write_text(f"{wanted.hexdigest()}  -\n")
    return Command({"AQM_VENV": str(venv), "AQM_DATA_DIR": str(folder / "data"), **settings})
