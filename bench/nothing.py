"""An aiohttp route that does nothing: python -m bench.nothing PORT CATEGORY.

It answers every request with the same coin of that category: the most that a gateway on aiohttp could reach here.
Since it gives one coin to everybody, it also shows whether a load generator notices that.
"""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode

import orjson
import uvloop
from aiohttp import web

from .coins import SIZES
from .stock import make_key_id


def body_of(category: str) -> bytes:
    """An answer as long as a real one."""
    public_key, signature = (b64encode(bytes(size)).decode() for size in SIZES[category])
    coin = {
        "key_id": make_key_id(1, 0, 1),
        "coin_category": category,
        "public_key_b64": public_key,
        "signature_b64": signature,
    }
    return orjson.dumps({"coins": [coin]})


async def serve(port: int, category: str) -> None:
    """Serve until the process is ended."""
    body = body_of(category)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
