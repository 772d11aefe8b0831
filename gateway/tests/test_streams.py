"""Streams of server-sent events: the state at the start, again at each notification, and no trace of who has left."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import RawTestServer

from conftest import Database, Project, RunningGateway, claim, make_coins, upload, wait_until
from gateway.app import Gateway
from gateway.keys import make_data_keys, make_private_key, read_private_key
from gateway.settings import read_settings
from gateway.tokens import make_token

Run = Callable[..., RunningGateway]
WATCH = "/v1/boxes/watch"


def add_watch(project: Project, roles: str = "aqm_anon, aqm_device") -> None:
    """A stream of a table's rows: what it shows is told by the channel boxes."""
    project.database.execute("""
        create table if not exists coins.box (user_id uuid, name text, picture_blob bytea);
        alter table coins.box owner to aqm_coins_owner;
        create sequence if not exists coins.reads;
        alter sequence coins.reads owner to aqm_coins_owner;
        do $$ begin
            if to_regtype('coins.box_seen') is null then
                create type coins.box_seen as (event text, name text, picture_blob bytea);
            end if;
        end $$;
        comment on column coins.box_seen.event is 'box_seen for each.';
    """)
    path = project.add(
        "watch_boxes", arguments="    p_user_id uuid", returns="returns setof coins.box_seen", roles=roles,
        comment="Watches boxes.\np_user_id: whose.\nErrors: none.", route="GET /v1/unused",
        body="""return query select case when b.name = 'nameless' then null else 'box_seen' end, b.name, b.picture_blob
            from coins.box as b where b.user_id = p_user_id order by b.name;""",
    )  # fmt: skip
    text = path.read_text()
    path.write_text(
        text[: text.index("select gateway.expose(")]
        + f"select gateway.expose_stream('GET {WATCH}', 'coins.watch_boxes', 'boxes', p_caller_argument => 'p_user_id');\n"
    )
    project.migrate()


@pytest.fixture
def watched(project: Project) -> Database:
    """A database with a stream."""
    add_watch(project)
    return project.database


def put(database: Database, user_id: uuid.UUID, *names: str, tell: str | None = None) -> None:
    """Make these a user's boxes, and say so."""
    database.execute("delete from coins.box where user_id = %s", [user_id])
    for name in names:
        database.execute("insert into coins.box values (%s, %s, null)", [user_id, name])
    database.execute("select pg_notify('boxes', %s)", [tell or str(user_id)])


class Watcher:
    """Reads a stream event by event."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def part(self) -> list[str]:
        """The lines up to the next empty one; none at the end of the stream."""
        lines: list[str] = []
        async with asyncio.timeout(25):
            while line := (await self.answer.content.readline()).decode():
                if line == "\n":
                    break
                lines.append(line.rstrip("\n"))
        return lines

    async def names(self, count: int) -> list[str]:
        """The names in the next events."""
        found = []
        for _ in range(count):
            event, data = await self.part()
            assert event == "event: box_seen"
            found.append(json.loads(data.removeprefix("data: "))["name"])
        return found


OPEN: list[aiohttp.ClientResponse] = []


@pytest.fixture(autouse=True)
async def hang_up() -> AsyncIterator[None]:
    """Closes the streams of the test at its end."""
    yield
    while OPEN:
        OPEN.pop().close()


async def ask(http: aiohttp.ClientSession, user_id: object, **options: Any) -> aiohttp.ClientResponse:
    """The beginning of an answer."""
    answer = await http.get(WATCH, params={"user_id": str(user_id)}, **options)
    OPEN.append(answer)
    return answer


async def watch(http: aiohttp.ClientSession, user_id: uuid.UUID, **options: Any) -> Watcher:
    """A stream that has begun."""
    answer = await ask(http, user_id, **options)
    assert answer.status == 200, await answer.text()
    watcher = Watcher(answer)
    assert await watcher.part() == ["retry: 2000"]
    return watcher


@pytest.fixture
async def http(watched: Database, run_gateway: Run) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway with a stream."""
    gateway = run_gateway(watched.dsn)
    async with aiohttp.ClientSession(gateway.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def open_streams(http: aiohttp.ClientSession) -> float:
    async with http.get("/metrics") as answer:
        return float((await answer.text()).split("\naqm_streams ")[1].split()[0])


async def until_open(http: aiohttp.ClientSession, count: int) -> None:
    """Wait until so many streams are open."""
    async with asyncio.timeout(20):
        while await open_streams(http) != count:
            await asyncio.sleep(0.05)


async def test_it_tells_the_state_at_the_start_and_whenever_it_changes(
    watched: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    put(watched, bob, "a", "b")
    watcher = await watch(http, bob)
    assert watcher.answer.headers["Content-Type"] == "text/event-stream"
    assert watcher.answer.headers["Cache-Control"] == "no-store"
    assert watcher.answer.headers["X-Accel-Buffering"] == "no"
    assert watcher.answer.headers["X-Request-Id"]
    assert await watcher.part() == ["event: box_seen", 'data: {"name":"a","picture_b64":null}']
    assert await watcher.names(1) == ["b"]
    # Somebody else's news are not bob's; his own come, and those for everyone.
    put(watched, alice, "x")
    put(watched, bob, "c")
    assert await watcher.names(1) == ["c"]
    put(watched, bob, "d", tell="*")
    assert await watcher.names(1) == ["d"]
    other = await watch(http, alice)
    assert await other.names(1) == ["x"]
    watched.execute("select pg_notify('boxes', 'nonsense'), pg_notify('gateway', %s)", [str(bob)])
    put(watched, bob, "e")
    assert await watcher.names(1) == ["e"]


async def test_notifications_that_come_together_are_answered_once(
    watched: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    put(watched, bob, "a")
    watcher = await watch(http, bob)
    assert await watcher.names(1) == ["a"]
    with watched.connect() as connection:
        connection.execute("update coins.box set name = 'b'")
        connection.execute("select pg_notify('boxes', %s || left('', n)) from generate_series(1, 5) as n", [str(bob)])
        connection.execute("select pg_notify('boxes', '*')")
    assert await watcher.names(1) == ["b"]
    put(watched, bob, "c")
    assert await watcher.names(1) == ["c"], "b came once"


async def test_a_state_without_rows_is_silence_that_says_it_is_there(
    watched: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    watcher = await watch(http, bob)
    assert await watcher.part() == [": still here"]
    put(watched, bob, "a")
    assert await watcher.names(1) == ["a"]


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 422), ({"user_id": "x"}, 422), ({"user_id": str(uuid.uuid4()), "more": "1"}, 422)],
)
async def test_bad_input_is_an_answer_not_a_stream(
    http: aiohttp.ClientSession, query: dict[str, str], status: int
) -> None:
    async with http.get(WATCH, params=query) as answer:
        assert (answer.status, answer.content_type) == (status, "application/problem+json")
    for method in ("HEAD", "POST"):
        async with http.request(method, WATCH, params=query) as answer:
            assert answer.status == 405
    assert await open_streams(http) == 0


async def test_a_caller_has_four_streams_and_the_server_so_many(
    watched: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(watched.dsn, AQM_MAX_STREAMS="5")
    async with aiohttp.ClientSession(gateway.url, connector=aiohttp.TCPConnector(limit=0)) as http:
        watchers = [await watch(http, bob) for _ in range(4)]
        async with http.get(WATCH, params={"user_id": str(bob)}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        await watch(http, uuid.uuid4())
        async with http.get(WATCH, params={"user_id": str(uuid.uuid4())}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert await open_streams(http) == 5
        # Who has hung up makes room, long before a write would have noticed it.
        watchers[0].answer.close()
        watchers[1].answer.close()
        async with asyncio.timeout(10):
            for _ in range(2):
                while (await ask(http, bob)).status != 200:
                    await asyncio.sleep(0.05)
        assert await open_streams(http) == 5


async def test_a_stream_asks_for_the_token_that_a_call_needs_and_ends_with_it(
    project: Project, run_gateway: Run, tmp_path: Path, bob: uuid.UUID
) -> None:
    add_watch(project, roles="aqm_device")
    make_private_key(tmp_path / "token_key.pem")
    key = read_private_key(tmp_path / "token_key.pem")
    gateway = run_gateway(project.database.dsn, AQM_AUTH="jwt", AQM_RATE_LIMIT="6/hour")

    def bearer(role: str, subject: object, seconds: float = 900) -> dict[str, str]:
        return {"Authorization": f"Bearer {make_token(key, role, str(subject), seconds)}"}

    put(project.database, bob, "a")
    async with aiohttp.ClientSession(gateway.url) as http:
        for headers, params, status in (
            ({}, {}, 401), (bearer("user", bob), {}, 403), (bearer("device", bob), {"user_id": str(uuid.uuid4())}, 403),
            (bearer("device", "nobody"), {}, 422), (bearer("device", bob, -60), {}, 401),
        ):  # fmt: skip
            async with http.get(WATCH, params=params, headers=headers) as answer:
                assert answer.status == status
        # Clocks may differ by 30 s: for so long an expired token is good.
        watcher = await watch(http, bob, headers=bearer("device", bob, -27))
        assert await watcher.names(1) == ["a"]
        assert await watcher.part() == [], "it has ended, whole"
        assert watcher.answer.content.exception() is None
        statuses = []
        for _ in range(6):
            async with http.get(WATCH, headers=bearer("device", bob)) as answer:
                statuses.append(answer.status)
        assert statuses[-1] == 429
        assert statuses[0] == 200


async def test_after_the_listener_was_cut_everybody_is_told_again(
    watched: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    watcher = await watch(http, bob)
    # What is said while nobody listens is lost: the state itself must be read again.
    with watched.connect() as connection:
        connection.execute("begin")
        connection.execute("insert into coins.box values (%s, 'a', null)", [bob])
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'aqm gateway listener'"
        )
        connection.execute("commit")
    assert await watcher.names(1) == ["a"]
    put(watched, bob, "b")
    assert await watcher.names(1) == ["b"]


async def test_it_lasts_through_a_time_without_database(
    watched: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    put(watched, bob, "a")
    watcher = await watch(http, bob)
    assert await watcher.names(1) == ["a"]
    admin = watched.dsn.replace(f"/{watched.name}?", "/postgres?")
    elsewhere = Database(watched.name, admin)
    elsewhere.execute(f"alter database {watched.name} allow_connections false")
    try:
        elsewhere.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [watched.name])
        async with http.get(WATCH, params={"user_id": str(bob)}) as answer:
            assert answer.status == 503
    finally:
        elsewhere.execute(f"alter database {watched.name} allow_connections true")
    assert await watcher.names(1) == ["a"], "told again when it is back"
    put(watched, bob, "b")
    while (name := (await watcher.names(1))[0]) != "b":
        assert name == "a"


async def test_a_deploy_changes_an_open_stream_or_ends_it(project: Project, run_gateway: Run, bob: uuid.UUID) -> None:
    add_watch(project)
    gateway = run_gateway(project.database.dsn)
    put(project.database, bob, "a")
    async with aiohttp.ClientSession(gateway.url) as http:
        watcher = await watch(http, bob)
        assert await watcher.names(1) == ["a"]
        path = project.folder / "functions" / "coins" / "watch_boxes.sql"
        path.write_text(path.read_text().replace("'box_seen' end, b.name", "'box_seen' end, upper(b.name)"))
        project.migrate()
        assert await watcher.names(1) == ["A"]
        path.unlink()
        project.migrate()
        assert await watcher.part() == []
        async with http.get(WATCH, params={"user_id": str(bob)}) as answer:
            assert answer.status == 404


async def test_the_gateway_stops_at_once_and_ends_streams_whole(
    watched: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(watched.dsn)
    async with aiohttp.ClientSession(gateway.url) as http:
        watchers = [await watch(http, uuid.uuid4()) for _ in range(10)]
        started = time.monotonic()
        assert await asyncio.to_thread(gateway.stop) == 0
        assert time.monotonic() - started < 10, "half of the drain"
        for watcher in watchers:
            assert await watcher.part() == []
    assert not [line for line in gateway.log_lines() if line["level"] == "error"]


async def test_nothing_is_left_of_clients_that_hang_up(watched: Database, tmp_path: Path) -> None:
    """In this process, so that its tasks can be counted."""
    settings = read_settings({"AQM_DSN": watched.dsn, "AQM_RATE_LIMIT": "off", "AQM_DATA_DIR": str(tmp_path)})
    make_private_key(settings.token_key_file)
    make_data_keys(settings.data_keys_file)
    gateway = Gateway(settings)
    await gateway.start()
    async with RawTestServer(gateway.handle) as server:
        await gateway.routes.ready.wait()

        async def settle(count: int) -> None:
            async with asyncio.timeout(20):
                while len(gateway.streams.open) != count:
                    watched.execute("select pg_notify('boxes', '*')")
                    await asyncio.sleep(0.1)

        at_rest = 0
        for _ in range(3):
            async with aiohttp.ClientSession(server.make_url("/"), connector=aiohttp.TCPConnector(limit=0)) as http:
                for _ in range(100):
                    (await watch(http, uuid.uuid4())).answer.close()
                async with asyncio.TaskGroup() as group:
                    for _ in range(50):
                        task = group.create_task(http.get(WATCH, params={"user_id": str(uuid.uuid4())}))
                        asyncio.get_running_loop().call_later(0.005, task.cancel)
            await settle(0)
            await asyncio.sleep(0.2)
            tasks = len(asyncio.all_tasks())
            at_rest = at_rest or tasks
            assert tasks <= at_rest
            assert not gateway.streams.groups
    await gateway.stop()


async def test_who_does_not_read_costs_no_memory_and_is_hung_up_on(
    watched: Database, run_gateway: Run, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    gateway = run_gateway(watched.dsn)
    host, port = gateway.url.removeprefix("http://").split(":")
    # A state of half a megabyte, told again and again to a client with a small window that never reads.
    watched.execute("insert into coins.box values (%s, repeat('x', 500000), null)", [bob])
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((host, int(port)))
        client.sendall(f"GET {WATCH}?user_id={bob} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        async with aiohttp.ClientSession(gateway.url) as http:
            await until_open(http, 1)
            other = await watch(http, alice)

            def resident() -> int:
                status = Path(f"/proc/{gateway.process.pid}/status").read_text()
                return int(status.split("VmRSS:")[1].split()[0])

            before = resident()
            for number in range(200):
                put(watched, alice, str(number), tell="*")
                assert await other.names(1) == [str(number)], "others are not held up"
            assert resident() - before < 20_000, "kB: not a hundred megabytes of states"
            await until_open(http, 1)
    wait_until(lambda: not [line for line in gateway.log_lines() if line["level"] == "error"])


async def test_a_device_is_told_that_its_stock_is_low_when_a_claim_makes_it_so(
    database: Database, gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(10))
    async with aiohttp.ClientSession(gateway.url) as http:
        answer = await http.get("/v1/coins/watch", params={"user_id": str(bob)})
        OPEN.append(answer)
        watcher = Watcher(answer)
        assert await watcher.part() == ["retry: 2000"]

        async def low(count: int) -> set[str]:
            assert (await watcher.part())[0] == "event: epoch"
            parts = [await watcher.part() for _ in range(count)]
            assert {event for event, _ in parts} == {"event: low_stock"}
            return {json.loads(data.removeprefix("data: "))["coin_category"] for _, data in parts}

        assert await low(2) == {"GOLD", "SILVER"}
        await asyncio.to_thread(claim, database, bob, alice, "BRONZE")
        assert await low(3) == {"GOLD", "SILVER", "BRONZE"}


async def test_openapi_documents_it(http: aiohttp.ClientSession) -> None:
    async with http.get("/openapi.json") as answer:
        operation = (await answer.json())["paths"][WATCH]["get"]
    content = operation["responses"]["200"]["content"]["text/event-stream"]
    assert "box_seen for each." in content["schema"]["description"]
    assert list(content["x-data"]["properties"]) == ["name", "picture_b64"]
    assert [p["name"] for p in operation["parameters"]] == ["user_id"]
