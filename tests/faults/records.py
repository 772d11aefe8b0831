"""What a client saw: one file of JSON lines for each, only ever appended to.

A line is a question ("ask": claim or upload), what became of it ("status", or "failed" when nobody knows), or the
client's description of itself ("client"). "id" joins them; a retry is a new "ask" with the same id.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

import orjson

from .coins import Coin

Received = tuple[str, str]
"""key_id and fingerprint of a coin that came."""


class Recorder:
    """The records of one client.

    path: its file. ordered: whether it alone claims from its recipients, one after the other, so that order is owed.
    """

    def __init__(self, path: Path, requester: str, ordered: bool = False) -> None:
        self.file = path.open("ab")
        self._write(client=path.stem, requester=requester, ordered=ordered)

    def asks_for(self, request_id: str, user: str, category: str, count: int, requester: str) -> None:
        """A claim leaves."""
        self._write(ask="claim", id=request_id, user=user, category=category, count=count, requester=requester)

    def uploads(self, upload_id: str, user: str, coins: Sequence[Coin]) -> None:
        """An upload leaves."""
        self._write(ask="upload", id=upload_id, user=user, keys=[coin.key for coin in coins])

    def answered(self, request_id: str, status: int, coins: Sequence[Received] = ()) -> None:
        """An answer came, whole."""
        self._write(id=request_id, status=status, coins=coins)

    def failed(self, request_id: str, reason: str) -> None:
        """No answer came, or one that doesn't say whether it happened."""
        self._write(id=request_id, failed=reason)

    def close(self) -> None:
        """Write out what is left."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, **line: Any) -> None:
        self.file.write(orjson.dumps({"at": round(monotonic(), 4), **line}) + b"\n")
