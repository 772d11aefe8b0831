"""Server-sent events, as far as our server sends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp

from .errors import BadAnswer

SILENCE = 45.0
"""Seconds after which a stream is taken for dead; the server says something every 15."""

LARGEST_EVENT = 64 * 1024
"""Bytes."""


async def read_events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, str]]:
    """Name and data of each event until the stream ends.

    Raises BadAnswer for an event that is too large, TimeoutError for silence, and what aiohttp raises.
    """
    pending = b""
    while True:
        async with asyncio.timeout(SILENCE):
            piece = await content.readany()
        if not piece:
            return
        *events, pending = (pending + piece).split(b"\n\n")
        if len(pending) > LARGEST_EVENT:
            raise BadAnswer("the stream has an event that is too large")
        for event in events:
            fields = dict(line.partition(": ")[::2] for line in event.decode(errors="replace").split("\n"))
            if "event" in fields:
                yield fields["event"], fields.get("data", "")
