"""What must not stop half-way because its caller was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Do something to its end; a caller that is cancelled meanwhile is cancelled after it."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # An error is then nobody's any more: gather() takes it.
        await asyncio.gather(task, return_exceptions=True)
        raise
