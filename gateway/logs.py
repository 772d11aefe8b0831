"""Structured logs: JSON, one line a request, to standard error. Nothing of a request's content is ever in them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

GATHERED_FOR = 0.05
"""Seconds in which lines of requests are gathered for one write: a write and a flush a line cost a fifth of the speed."""


class _StandardError:
    """Standard error, for whoever writes whole lines of bytes. A full disk or a reader that has gone costs lines of the
    log, never a request: without room for its log the gateway goes on serving."""

    def write(self, lines: bytes | bytearray) -> None:
        """Write, or lose, what is given: past Python's buffer, which would keep it and fail again at the end."""
        rest = memoryview(lines)
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(sys.stderr.fileno(), rest) :]

    def flush(self) -> None:
        """Nothing is held back."""


STANDARD_ERROR = _StandardError()


def configure_logs() -> None:
    """Send structlog's and the libraries' records to standard error as JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=STANDARD_ERROR),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    # What it can't parse, a client can send: no fault of ours, and every line would be the attacker's.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    # The listener tells once what the pools would tell for each connection.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


class RequestLog:
    """The lines of requests, in the same form as all others, gathered for a moment and written together."""

    def __init__(self) -> None:
        self.lines = bytearray()  # a list would keep each line in the kilobyte that it was made in

    def write(self, **event: Any) -> None:
        """Add a line; it is written within GATHERED_FOR seconds, or by flush()."""
        if not self.lines:
            asyncio.get_running_loop().call_later(GATHERED_FOR, self.flush)
        event |= {"event": "request", "level": "info", "timestamp": datetime.now(UTC)}
        self.lines += orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)

    def flush(self) -> None:
        """Write what was gathered."""
        lines, self.lines = self.lines, bytearray()
        STANDARD_ERROR.write(lines)
        STANDARD_ERROR.flush()


class _Kind(str):
    """A word that stands for a value, and looks the same as %s and %r."""

    __repr__ = str.__str__


def _message(record: logging.LogRecord) -> str:
    """A record's message with its numbers; of other values only the kind, since they may quote anything."""
    given = record.args if isinstance(record.args, tuple) else ()
    kinds = tuple(value if isinstance(value, int | float) else _Kind(type(value).__name__) for value in given)
    try:
        return str(record.msg) % kinds
    except (TypeError, ValueError):
        return str(record.msg)


class _Forward(logging.Handler):
    """Records of libraries: level, logger and the kind of error. Their messages may quote a connection string, a row
    or a request, so the text of an exception stays out."""

    def emit(self, record: logging.LogRecord) -> None:
        event: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            event |= fault(record.exc_info[1])
        structlog.get_logger().log(record.levelno, _message(record), **event)


def fault(error: BaseException) -> dict[str, str]:
    """An exception without its text: its kind and the place it comes from."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"
    return {"error": type(error).__name__, "at": place}


def log() -> Any:
    """The gateway's logger."""
    return structlog.get_logger()
