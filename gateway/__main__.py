"""Run the gateway: python -m gateway. Settings come from the environment; ./aqm help lists them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from types import FrameType

import uvloop
from aiohttp import web

from .app import Gateway, make_server
from .collector import collect_when_idle
from .keys import make_private_key, read_data_keys, read_key
from .logs import configure_logs, log
from .settings import SettingError, Settings, read_settings, unknown_variables

WELCOME = """
AQM is ready: {url}   API page: {url}/docs   Ctrl-C stops it
{auth}
Three commands to try:
  curl {url}/v1/health
  curl {url}/v1/coins/upload{token} -H 'content-type: application/json' -d '{{"user_id": "{bob}", "coins": \
[{{"key_id": "'$(date +%s%N)'", "coin_category": "BRONZE", "public_key_b64": "'$(head -c 32 /dev/urandom | base64 -w0)'", \
"signature_b64": "'$(head -c 64 /dev/urandom | base64 -w0)'"}}]}}'
  curl '{url}/v1/coins/fetch?target_user_id={bob}&requester_id={alice}&coin_category=BRONZE&count=1'{other_token}
"""
CATALOG_WITHIN = 2.0
"""Seconds for which requests are not accepted until the catalog is there."""

STOPS = (signal.SIGTERM, signal.SIGINT)

BOB = "b0b00000-0000-4000-8000-000000000000"
ALICE = "a11ce000-0000-4000-8000-000000000000"


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, then stop accepting, finish what was begun, and return the exit code."""
    gateway = Gateway(settings)
    runner = web.ServerRunner(make_server(gateway), shutdown_timeout=settings.drain)
    await runner.setup()
    await gateway.start()
    ready = asyncio.create_task(gateway.routes.ready.wait())
    # Who restarts one gateway after the other must not see a 503 of one that has just begun; without a database it says so.
    await asyncio.wait([ready], timeout=CATALOG_WITHIN)
    stopping = stop_on_signals()
    site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        await gateway.stop()
        print(
            f"aqm: can't listen on {settings.host}:{settings.port} ({error.strerror}); AQM_PORT chooses another port",
            file=sys.stderr,
        )
        return 1
    await asyncio.wait([ready, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        # A stream that is open waits for nothing.
        collecting = asyncio.create_task(collect_when_idle(lambda: gateway.under_way > len(gateway.streams.open)))
        # A lane that has its answer waits for the event loop to let go of the interpreter, while PostgreSQL has nothing
        # to do: 5 ms by default, longer than a batch takes (docs/adr/0017).
        sys.setswitchinterval(0.0005)
        port = runner.addresses[0][1]
        log().info("ready", host=settings.host, port=port, auth=settings.auth)
        print(welcome(settings, port), flush=True)
    await stopping.wait()
    if ready.done():
        collecting.cancel()
    log().info("draining")
    gateway.end_streams()
    await runner.cleanup()
    await gateway.stop()
    log().info("stopped")
    # Python gives the signals back to the system while it ends: one that comes then would change the exit code.
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    return 0


def stop_on_signals() -> asyncio.Event:
    """The event that the first SIGTERM or SIGINT sets; those that follow change nothing.

    They do follow: ./aqm stop and service managers send one to the supervisor, which passes it on, and one to us. So the
    handlers are not the event loop's own, which it takes away when it closes: a late signal would end us with its number.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)

    for number in STOPS:
        signal.signal(number, stop)
    return stopping


def welcome(settings: Settings, port: int) -> str:
    """What a newcomer reads when the server is up."""
    is_open = settings.auth == "none"
    return WELCOME.format(
        url=f"http://[{settings.host}]:{port}" if ":" in settings.host else f"http://{settings.host}:{port}",
        bob=BOB,
        alice=ALICE,
        auth="AQM_AUTH=none: NO TOKENS ARE CHECKED. Whoever reaches this address may do everything; loopback only.\n"
        if is_open
        else "AQM_AUTH=jwt: requests need a token, see ./aqm token --help\n",
        token="" if is_open else f' -H "authorization: Bearer $(./aqm token --user {BOB})"',
        other_token="" if is_open else f' -H "authorization: Bearer $(./aqm token --user {ALICE})"',
    )


def check() -> int:
    """Say what is wrong with the settings before anything is started; returns the exit code."""
    try:
        settings = read_settings({"AQM_DSN": "dbname=aqm", **os.environ})
        if os.environ.get("AQM_TOKEN_KEY_FILE"):
            read_key(settings.token_key_file)
        if os.environ.get("AQM_DATA_KEYS_FILE"):
            read_data_keys(settings.data_keys_file)
    except SettingError as error:
        print(f"aqm: {error}", file=sys.stderr)
        return 2
    return 0


def main() -> int:
    """Read the settings and serve; returns the exit code."""
    if sys.argv[1:] == ["--check"]:
        return check()
    configure_logs()
    try:
        settings = read_settings()
        for name in unknown_variables():
            log().warning("there is no such setting", setting=name)
        # At its usual place only: a mistyped path would make a key that nobody else has. A lost one does no harm beyond
        # itself: the new one is made known, and what the old one signed is good until that is retired.
        if not os.environ.get("AQM_TOKEN_KEY_FILE"):
            make_private_key(settings.token_key_file)
        return uvloop.run(serve(settings))
    except SettingError as error:
        print(f"aqm: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
