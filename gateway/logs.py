"""Structured logs: JSON, one line a request, to standard error. Nothing of a request's content is ever in them."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog


def configure_logs() -> None:
    """Send structlog's and the libraries' records to standard error as JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


class _Forward(logging.Handler):
    """Records of libraries: level, logger and the kind of error. Their messages may quote a connection string, a row
    or a request, so the text of an exception stays out."""

    def emit(self, record: logging.LogRecord) -> None:
        event: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            event["error"] = type(record.exc_info[1]).__name__
            trace = record.exc_info[2]
            while trace and trace.tb_next:
                trace = trace.tb_next
            if trace:
                event["at"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        structlog.get_logger().log(record.levelno, str(record.msg), **event)


def log() -> Any:
    """The gateway's logger."""
    return structlog.get_logger()
