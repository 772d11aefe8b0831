"""What no log may hold: the whole suite is the canary, since every log that its servers write is read at their end.

Tests use addresses at example.*, passwords of horses and staples, and data keys of one byte repeated; tokens, hashes and
blobs tell themselves by their form.
"""

from __future__ import annotations

import re

SECRETS = {
    "email address": rb"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}",
    "password": rb"(?i)horse|staple",
    "password hash": rb"\$2[aby]\$\d\d\$",
    "data key": rb"([0-9a-f]{2})\1{31}",
    "private key": rb"PRIVATE KEY",
    "access token": rb"eyJ[\w-]{10,}",
    # Five capitals: no path and no name. A kid looks like it and is public.
    "token or blob": rb"(?<!\"kid\":\")(?<![\w+/-])(?=([\w+/-]*[A-Z]){5})[\w+/-]{43,}",
    "bytea": rb"\\x[0-9a-f]{16,}",
}


def find_secrets(text: bytes) -> list[str]:
    """The kinds of secrets in a log, each with its line, in which the secret itself is left out."""
    found = []
    for line in text.splitlines():
        for kind, pattern in SECRETS.items():
            if re.search(pattern, line):
                found.append(f"{kind}: {re.sub(pattern, b'<...>', line).decode(errors='replace')}")
    return found


def check_log(text: bytes) -> None:
    """Fails when a log has a secret."""
    assert find_secrets(text) == []
