"""What must not stop half-way because its caller was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def to_the_end(work: Awaitable[T]) -> T:
    """Do something to its end, however often the caller is cancelled meanwhile; who was is cancelled after it.

    work: a coroutine, or a task of the caller's, which still has the result when the caller was cancelled.

    Returns and raises what the work does. After a cancellation raises the first CancelledError, with the work's own error
    as its cause. What cancels all tasks of a loop, as asyncio.run() does when it ends, cancels the work as well.
    """
    task = asyncio.ensure_future(work)
    try:
        # wait() leaves the task alone when it is cancelled; so does shield(), which logs the task's error as nobody's, though.
        await asyncio.wait({task})
    except asyncio.CancelledError as cancellation:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            cancellation.__cause__ = task.exception()
        raise
    return task.result()
