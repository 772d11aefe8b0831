"""A whole AQM of the harness's own: a durable cluster, gateways, a proxy before each of the two, and who restarts them.

clients ── proxy (TCP) ── gateways ── proxy (UNIX socket) ── PostgreSQL
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg

from db.cluster import DATABASE, ROOT, SOCKET_NAME, Cluster, ClusterError
from db.migrate import Migrator

from .errors import HarnessError
from .proxy import Proxy, Stream, is_database_question, is_http_question, is_whole_database, is_whole_http

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""What is asserted at the start: the harness's word on an installation with other settings is worth nothing."""

SETTINGS = {"shared_buffers": "128MB", "log_min_duration_statement": "-1"}
LOGIN = "aqm_gateway_device"
POOL = 4
"""Connections of a gateway for calls that don't travel in batches: few, so that 50 times as many callers are bearable."""

# Beside the product: what is deleted is written down in the deleting transaction itself, so that the checker can tell
# a purged coin from a lost one.
WITNESS = """
create schema witness;
create table witness.deleted_coin (user_id uuid, key_id text, fetched_by uuid);
create function witness.remember() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    insert into witness.deleted_coin values (old.user_id, old.key_id, old.fetched_by);
    return null;
end
$$;
create trigger remember after delete on coins.coin_inventory for each row execute function witness.remember()
"""

Say = Callable[[str], None]
Result = TypeVar("Result")


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = 60.0) -> None:
    """Wait until something is so; raises HarnessError, which says what, when it takes longer."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found if isinstance(found := condition(), bool) else await found):
        if asyncio.get_running_loop().time() > deadline:
            raise HarnessError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(0.02)


@dataclass
class Installation:
    """What runs. keep_up: False while somebody wants the servers to stay down."""

    folder: Path
    cluster: Cluster
    say: Say
    gateways: list[Gateway] = field(default_factory=list)
    keep_up: bool = True
    restarts: int = 0
    turn: count[int] = field(default_factory=count)

    @property
    def dsn(self) -> str:
        """The database itself, as superuser."""
        return self.cluster.dsn()

    @property
    def proxied_dsn(self) -> str:
        """The database through the proxy, as the gateway's logins and the clients use it."""
        return f"postgresql://{LOGIN}@/{DATABASE}?host={quote(str(self.folder / 'proxy'), safe='')}"

    async def set_up(self, stack: contextlib.AsyncExitStack, gateways: int, settings: Mapping[str, str]) -> None:
        """Start everything; the stack takes it down again."""
        stack.push_async_callback(self._take_down)
        await asyncio.to_thread(self.cluster.start)
        await asyncio.to_thread(Migrator(self.dsn, say=lambda _line: None).apply)
        await self.execute(WITNESS)
        proxy_folder = self.folder / "proxy"
        proxy_folder.mkdir()
        self.database_proxy = Proxy(self._to_database, is_database_question, is_whole_database)
        listener = await asyncio.start_unix_server(self.database_proxy.serve, proxy_folder / SOCKET_NAME, backlog=1000)
        stack.push_async_callback(self.database_proxy.close)
        stack.callback(listener.close)
        for number in range(gateways):
            gateway = Gateway(self.folder / f"gateway-{number}.log", self.proxied_dsn, settings)
            stack.callback(gateway.kill)
            gateway.start()
            self.gateways.append(gateway)
        self.http_proxy = Proxy(self._to_gateway, is_http_question, is_whole_http)
        front = await asyncio.start_server(self.http_proxy.serve, "127.0.0.1", 0, backlog=1000)
        stack.push_async_callback(self.http_proxy.close)
        stack.callback(front.close)
        self.url = f"http://127.0.0.1:{front.sockets[0].getsockname()[1]}"
        supervisor = asyncio.create_task(self._supervise())
        stack.callback(supervisor.cancel)
        for gateway in self.gateways:
            await until(gateway.is_ready, "a gateway is ready")

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """A session as superuser, past the proxy."""
        return await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, application_name="aqm faults")

    async def patiently(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do something again until no restart comes between, for at most half a minute or so."""
        for _ in range(300):
            with contextlib.suppress(psycopg.OperationalError):
                return await work()
            await asyncio.sleep(0.1)
        return await work()

    async def query(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        """The rows of a statement, asked as superuser past the proxy; waits out a restart."""

        async def ask() -> list[tuple[Any, ...]]:
            async with await self.connect() as connection:
                cursor = await connection.execute(statement.encode(), values)
                return await cursor.fetchall() if cursor.description else []

        return await self.patiently(ask)

    async def execute(self, statement: str) -> None:
        """Run a statement for its effect."""
        await self.query(statement)

    async def read_settings(self) -> dict[str, str]:
        """The durability settings as a client's session has them."""
        async with await psycopg.AsyncConnection.connect(self.proxied_dsn, autocommit=True) as connection:
            found = {}
            for name in DURABLE:
                row = await (await connection.execute(f"show {name}".encode())).fetchone()
                found[name] = str(row[0]) if row else ""
            return found

    def postmaster(self) -> int:
        """The postmaster's process, or 0 while none has begun."""
        with contextlib.suppress(OSError, IndexError):
            return int((self.cluster.data / "postmaster.pid").read_text().split()[0])
        return 0

    async def backends(self) -> list[int]:
        """Processes of the clients' sessions, those at work first."""
        rows = await self.query(
            "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
            " and usename ~ 'gateway' order by state = 'active' desc, pid"
        )
        return [pid for (pid,) in rows]

    async def quiet(self) -> None:
        """Wait until nothing that clients have sent is still on its way: gateways drain, sessions end; and until new
        gateways are ready, so that what is asked then need not fail."""
        self.keep_up = False
        for gateway in self.gateways:
            gateway.process.send_signal(signal.SIGTERM)
        for gateway in self.gateways:
            await asyncio.to_thread(gateway.process.wait, 60)
        await self.database_proxy.close()
        await self.http_proxy.close()
        self.keep_up = True
        await until(self._is_idle, "the sessions' last statements ended")
        for gateway in self.gateways:
            await until(gateway.is_back, "a gateway is back")

    async def _is_idle(self) -> bool:
        """Whether no session of a client's runs a statement."""
        rows = await self.query("select from pg_stat_activity where state <> 'idle' and usename ~ 'gateway'")
        return not rows

    async def _supervise(self) -> None:
        """Start again what has died, as ./aqm run does for PostgreSQL and an init system for the gateway."""
        while True:
            await asyncio.sleep(0.1)
            if not self.keep_up:
                continue
            if not await asyncio.to_thread(self.cluster.is_running):
                self.restarts += 1
                with contextlib.suppress(ClusterError, psycopg.Error):
                    # A full disk makes it fail; then again, until there is room.
                    await asyncio.to_thread(self.cluster.start)
            for gateway in self.gateways:
                if gateway.process.poll() is not None and self.keep_up:
                    gateway.start()

    async def _to_database(self) -> Stream:
        return await asyncio.open_unix_connection(self.cluster.sockets / SOCKET_NAME)

    async def _to_gateway(self) -> Stream:
        """The gateways in turn; one that is away is passed over, as a load balancer does."""
        for _ in self.gateways:
            gateway = self.gateways[next(self.turn) % len(self.gateways)]
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", gateway.port)
        raise ConnectionRefusedError

    async def _take_down(self) -> None:
        self.keep_up = False
        if postmaster := self.postmaster():
            with contextlib.suppress(ProcessLookupError):
                # One that is stopped hears nothing else.
                os.kill(postmaster, signal.SIGCONT)
        with contextlib.suppress(ClusterError):
            await asyncio.to_thread(self.cluster.stop, "immediate")
        shutil.rmtree(self.cluster.sockets, ignore_errors=True)


class Gateway:
    """A gateway process that can be started again on its port."""

    def __init__(self, log: Path, dsn: str, settings: Mapping[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AQM_")}
        self.environment = inherited | {
            "AQM_DSN": dsn, "AQM_PORT": str(self.port), "AQM_DATA_DIR": str(log.parent), "AQM_RATE_LIMIT": "off",
            "AQM_LOG_REQUESTS": "off", "AQM_POOL_WAIT": "2", "AQM_POOL_MAX": str(POOL), "AQM_DRAIN": "10", **settings,
        }  # fmt: skip

    def start(self) -> None:
        """Start it; who asks it before it is ready is refused."""
        self.began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway"], cwd=ROOT, env=self.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output,
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def is_ready(self) -> bool:
        """Whether it has said so since it was started. Raises HarnessError when it has ended instead."""
        if self.process.poll() is not None:
            raise HarnessError(f"the gateway did not start; the end of its log:\n{self.log_tail()}")
        return b'"event":"ready"' in self.log.read_bytes()[self.began :]

    def is_back(self) -> bool:
        """Whether it runs again and is ready."""
        return self.process.poll() is None and self.is_ready()

    def log_tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@contextlib.asynccontextmanager
async def installed(
    folder: Path,
    say: Say,
    cluster: Cluster | None = None,
    gateways: int = 2,
    gateway_settings: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Installation]:
    """An installation for the length of a with block. settings: PostgreSQL's, over ours."""
    # Its socket's folder is for its owner alone, and proxies run as us.
    made = Installation(folder, cluster or Cluster(folder / "postgres", SETTINGS | DURABLE | dict(settings or {})), say)
    async with contextlib.AsyncExitStack() as stack:
        await made.set_up(stack, gateways, gateway_settings or {})
        yield made
