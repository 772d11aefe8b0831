"""CourierClient against the real gateway and database, through cuts and kills, and against servers that lie."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import signal
import ssl
import time
import traceback
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conftest import Database, RunningGateway, claim, count, make_coin, make_coins, upload
from device.answers import Epoch, LowStock, Wish
from device.calm import calm
from device.courier import BATCH, CourierClient
from device.credentials import AccountSession, Credentials, FixedToken, SavedSession, sign_up
from device.errors import (
    BadAnswer,
    Conflict,
    CourierClosed,
    CourierError,
    EpochChanged,
    Forbidden,
    Gone,
    InvalidArgumentError,
    InvalidRequest,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
)
from device.keys import Coin
from device.retries import Retries
from device.tests.servers import FAST, cutting, http, lying
from gateway.keys import read_private_key
from gateway.tokens import make_token
from tests.faults.proxy import Point

Run = Callable[..., RunningGateway]
Call = Callable[[CourierClient], Awaitable[object]]


def mint(number: int, category: str = "BRONZE", prefix: str = "key") -> list[Coin]:
    """Coins of random bytes."""
    return [Coin(*coin) for coin in make_coins(number, category, prefix)]


def courier(url: str, user_id: uuid.UUID, retries: Retries = FAST) -> CourierClient:
    """A device of a server without tokens."""
    return CourierClient(url, Credentials(user_id), retries)


def seeded() -> random.Random:
    """Chance that can be played again."""
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FAULT_SEED={seed}")
    return random.Random(seed)


def given_to(database: Database, sender: uuid.UUID) -> list[str]:
    """Names of the coins that the database gave to a sender."""
    rows = database.rows("select key_id from coins.coin_inventory where fetched_by = %s order by key_id", [sender])
    return [key_id for (key_id,) in rows]


def everything(error: BaseException) -> str:
    """All that a log could show of an exception, its causes and contexts included."""
    texts: list[str] = []
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is not None:
            texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
            pending += [one.__cause__, one.__context__]
    return "\n".join([*texts, *traceback.format_exception(error)])


async def until(events: AsyncIterator[LowStock | Epoch], is_wanted: Callable[[LowStock | Epoch], bool]) -> None:
    """Read a stream up to the first event of a kind."""
    async for event in events:
        if is_wanted(event):
            return


# -- what it does


async def test_the_whole_way_of_coins(gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID) -> None:
    coins = mint(2 * BATCH + 10) + mint(3, "GOLD", "gold") + mint(3, "SILVER", "silver")
    began = datetime.now(UTC) - timedelta(minutes=1)
    async with courier(gateway.url, bob) as his, courier(gateway.url, alice) as hers:
        before = await his.status()
        assert (before.counts, before.last_resort) == ({"GOLD": 0, "SILVER": 0, "BRONZE": 0}, frozenset())
        assert before.low_stock.keys() == before.counts.keys()
        assert await his.upload([], before.epoch) == 0
        assert await his.upload(coins, before.epoch) == len(coins)
        assert await his.upload(coins, before.epoch) == 0
        assert await his.count() == {"GOLD": 3, "SILVER": 3, "BRONZE": 2 * BATCH + 10}

        assert await hers.claim(bob, "BRONZE") == coins[:1]
        assert await hers.claim(bob, "BRONZE", 5) == coins[1:6]
        assert await hers.claim(uuid.uuid4(), "BRONZE") == []
        claimed = [issued async for issued in his.claimed(began)]
        assert [(issued.key_id, issued.category) for issued in claimed] == [(c.key_id, "BRONZE") for c in coins[:6]]
        assert all(began < issued.claimed_at for issued in claimed)
        assert [issued async for issued in his.claimed(after=claimed[3].cursor)] == claimed[4:]

        kept = mint(1, "GOLD", "kept")[0]
        assert [await his.put_last_resort(kept) for _ in range(2)] == [False, True]
        wishes = [Wish(bob, "GOLD", 2), Wish(bob, "GOLD", 2, True), Wish(bob, "GOLD", 1, True), Wish(alice, "GOLD")]
        gold = [coin for coin in coins if coin.category == "GOLD"]
        outcomes = await hers.claim_many(wishes)
        assert [outcome.wish for outcome in outcomes] == wishes
        assert [outcome.coins for outcome in outcomes] == [gold[:2], gold[2:], [], []]
        assert [outcome.last_resort for outcome in outcomes] == [None, None, kept, None]
        assert {(outcome.remaining, outcome.retry_after) for outcome in outcomes} == {(0, None)}

        after = await his.status()
        assert (after.counts["GOLD"], after.last_resort, after.epoch) == (0, {"GOLD"}, before.epoch)
        assert await his.discard(["silver-000", "silver-001", "nothing"]) == 2
        assert await his.discard([]) == 0
        assert await his.discard() == 2 * BATCH + 4 + 1 + 1
        assert set((await his.count()).values()) == {0}


async def test_claimed_goes_through_all_pages(database: Database, gateway: RunningGateway, bob: uuid.UUID) -> None:
    for prefix, number in (("a", 1000), ("b", 1)):
        upload(database, bob, make_coins(number, prefix=prefix))
        for _ in range(-(-number // 100)):
            claim(database, bob, uuid.uuid4(), "BRONZE", 100)
    async with courier(gateway.url, bob) as his:
        claimed = [issued.key_id async for issued in his.claimed()]
    assert len(claimed) == len(set(claimed)) == 1001


async def test_a_key_of_the_apps_own_gives_the_same_coins_after_a_crash(
    database: Database, gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(4))
    key, many = uuid.uuid4(), uuid.uuid4()
    answers = []
    for _ in range(2):
        async with courier(gateway.url, alice) as hers:
            answers.append(
                (
                    await hers.claim(bob, "BRONZE", 2, idempotency_key=key),
                    await hers.claim_many([Wish(bob, "BRONZE", 2)], idempotency_key=many),
                )
            )
    assert answers[0] == answers[1]
    assert len(given_to(database, alice)) == 4


async def test_a_recipient_who_names_keys_oddly_spoils_nobodys_claim(
    gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    names = ["\x1b[31m\r\nSet-Cookie: a", "💰" * 36, "../../etc/passwd", "'; drop table", "-", " ", "&after=x#%00+"]
    coins = [Coin(*make_coin(name)) for name in names]
    async with courier(gateway.url, bob) as his, courier(gateway.url, alice) as hers:
        assert await his.upload(coins, (await his.status()).epoch) == len(names)
        (outcome,) = await hers.claim_many([Wish(bob, "BRONZE", 5)])
        assert outcome.coins + await hers.claim(bob, "BRONZE", 100) == coins
        claimed = [issued async for issued in his.claimed()]
        assert {issued.key_id for issued in claimed} == set(names)
        for place, issued in enumerate(claimed):
            assert [later async for later in his.claimed(after=issued.cursor)] == claimed[place + 1 :]


# -- refusals


INVALID: list[tuple[Call, str]] = [
    (lambda c: c.claim(uuid.uuid4(), "TIN"), "coin_category"),
    (lambda c: c.claim(uuid.uuid4(), "GOLD", 101), "count"),
    (lambda c: c.claim_many([]), "claims"),
    (lambda c: c.claim_many([Wish(uuid.uuid4(), "GOLD"), Wish(uuid.uuid4(), "TIN")]), "claims[1].coin_category"),
    (lambda c: c.upload([*mint(BATCH + 3), Coin("x", "GOLD", b"1", b"2")], 1), f"coins[{BATCH + 3}].public_key"),
    (lambda c: c.upload([Coin("x", "BRONZE", bytes(9999), b"2")], 1), "coins[0].public_key"),
    (lambda c: c.put_last_resort(Coin("", *make_coin("x")[1:])), "coin.key_id"),
    (lambda c: c.upload([Coin("\x00", *make_coin("x")[1:])], 1), "coins[0].key_id"),
    (lambda c: anext(c.claimed(after="nonsense")), "cursor"),
]


async def test_an_invalid_request_names_the_field(
    gateway: RunningGateway, bob: uuid.UUID, subtests: pytest.Subtests
) -> None:
    async with courier(gateway.url, bob) as his:
        assert (await his.status()).epoch == 1
        for call, field in INVALID:
            with subtests.test(field):
                with pytest.raises(InvalidRequest) as caught:
                    await call(his)
                assert caught.value.field == field
                assert caught.value.status in (413, 422)
                assert caught.value.request_id
                assert field in str(caught.value)


async def test_the_servers_time_is_the_date_of_its_answer(gateway: RunningGateway, bob: uuid.UUID) -> None:
    async with courier(gateway.url, bob) as his:
        assert abs(await his.server_time() - time.time()) < 60


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 784111777.0),
        ("", None),
        ("Date: Sun, 06 Nov 1994 08:49:37 -0000\r\n", None),
        ("Date: now\r\n", None),
        (f"Date: Sun, 06 Nov {'9' * 30} 08:49:37 GMT\r\n", None),
    ],
)
async def test_a_server_that_does_not_say_its_time(header: str, expected: float | None) -> None:
    async with lying(http("{}", headers=header)) as liar, courier(liar.url, uuid.uuid4()) as client:
        assert await client.server_time() == expected


async def test_conflicts_and_a_changed_epoch(database: Database, gateway: RunningGateway, bob: uuid.UUID) -> None:
    async with courier(gateway.url, bob) as his:
        epoch = (await his.status()).epoch
        coins = mint(1001)
        with pytest.raises(Conflict) as caught:
            await his.upload(coins, epoch)
        assert not isinstance(caught.value, EpochChanged)
        assert (caught.value.status, caught.value.code) == (409, "PT409")
        assert (await his.count())["BRONZE"] == 1000
        with pytest.raises(Conflict):
            await his.put_last_resort(coins[0])
        database.execute("select ops.fence_coins()")
        with pytest.raises(EpochChanged):
            await his.upload(mint(1, prefix="new"), epoch)
        now = await his.status()
        assert now.epoch > epoch
        assert await his.upload(coins, now.epoch) == 1, "the fence remembers the others"


async def test_a_claim_whose_coins_are_deleted_is_gone(
    database: Database, gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(2))
    key = uuid.uuid4()
    async with courier(gateway.url, alice) as hers:
        await hers.claim(bob, "BRONZE", idempotency_key=key)
        with pytest.raises(InvalidRequest) as caught:
            await hers.claim(bob, "BRONZE", 2, idempotency_key=key)
        assert caught.value.code == "PT422"
        database.execute("select coins.hard_delete_fetched(0)")
        with pytest.raises(Gone):
            await hers.claim(bob, "BRONZE", idempotency_key=key)


async def test_a_quota_that_is_used_up_says_when_to_return_and_is_not_waited_for_beyond_the_deadline(
    database: Database, gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(4))
    database.execute("select coins.set_claim_quota('pair', true, 2)")
    async with courier(gateway.url, alice) as hers:
        assert len(await hers.claim(bob, "BRONZE", 3)) == 2
        async with asyncio.timeout(10):
            with pytest.raises(TooManyRequests) as caught:
                await hers.claim(bob, "BRONZE")
    assert caught.value.retry_after > FAST.deadline


async def test_tokens_are_asked_for_and_heeded(
    database: Database, run_gateway: Run, tmp_path: Path, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    key = read_private_key(tmp_path / "token_key.pem")
    tokens = {role: make_token(key, role, str(bob)) for role in ("device", "user")}
    for credentials, kind in (
        (FixedToken(bob, tokens["device"]), None),
        (Credentials(bob), Unauthorized),
        (FixedToken(bob, tokens["device"][:-4]), Unauthorized),
        (FixedToken(bob, make_token(key, "device", str(bob), -60)), Unauthorized),
        (FixedToken(bob, tokens["user"]), Forbidden),
        (FixedToken(alice, tokens["device"]), Forbidden),
    ):
        async with CourierClient(gateway.url, credentials, FAST) as his:
            if kind is None:
                assert his.user_id == bob
                assert await his.count()
                continue
            with pytest.raises(kind) as caught:
                await his.count()
            with pytest.raises(kind):
                await anext(his.watch())
        assert tokens["device"][:20] not in everything(caught.value) + repr(credentials) + repr(his)
    assert caught.value.field == "user_id"


# -- lost answers


async def test_a_claim_whose_answer_is_lost_loses_no_coin_and_gets_none_twice(
    database: Database, gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    chance = seeded()
    upload(database, bob, make_coins(200))
    async with cutting(gateway.url) as (url, proxy), courier(url, alice) as hers:
        got: list[Coin] = []
        for number in range(24):
            points = list(Point) if number < 4 else chance.choices(list(Point), k=chance.randrange(4))
            proxy.ordered.extend(points[number : number + 1] if number < 4 else points)
            if number % 2:
                got += await hers.claim(bob, "BRONZE", 2)
            else:
                (outcome,) = await hers.claim_many([Wish(bob, "BRONZE", 2)])
                got += outcome.coins
            assert not proxy.ordered
        assert all(proxy.done[point] for point in Point)
    names = [coin.key_id for coin in got]
    assert len(names) == 48
    assert sorted(names) == given_to(database, alice), "each coin that was given away arrived, once"


async def test_an_upload_whose_answer_is_lost_stores_once(
    database: Database, gateway: RunningGateway, bob: uuid.UUID
) -> None:
    async with cutting(gateway.url) as (url, proxy), courier(url, bob) as his:
        epoch = (await his.status()).epoch
        for point in Point:
            coins = mint(20, prefix=point[:8])
            proxy.ordered.append(point)
            inserted = await his.upload(coins, epoch)
            assert proxy.done[point] == 1
            # What was stored by a try whose answer was lost is no news to the next.
            assert inserted in (0, 20)
            proxy.ordered.append(point)
            await his.put_last_resort(Coin(f"last-{point}", *make_coin("x")[1:]))
            assert await his.discard([f"last-{point}"]) <= 1
            proxy.ordered.clear()
    assert count(database, bob) == (0, 0, 20 * len(Point))


async def test_claims_go_on_while_the_gateway_is_killed(
    database: Database, run_gateway: Run, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn)
    upload(database, bob, make_coins(1000))
    async with courier(gateway.url, alice, replace(FAST, deadline=30)) as hers:
        got: list[Coin] = []

        async def go_on() -> None:
            for _ in range(20):
                got.extend(await hers.claim(bob, "BRONZE", 2))

        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(go_on())
            while len(got) < 50:
                await asyncio.sleep(0)
            await asyncio.to_thread(gateway.stop, signal.SIGKILL)
            assert len(got) < 400
            await asyncio.to_thread(run_gateway, database.dsn, AQM_PORT=gateway.settings["AQM_PORT"])
    names = [coin.key_id for coin in got]
    assert len(names) == len(set(names)) == 400
    assert sorted(names) == given_to(database, alice)


async def test_a_server_without_database_is_asked_again_when_it_said(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn, AQM_POOL_WAIT="0.3")
    upload(database, bob, make_coins(1))
    elsewhere = Database(database.name, database.dsn.replace(f"/{database.name}?", "/postgres?"))
    allow = f"alter database {database.name} allow_connections"
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            elsewhere.execute(f"{allow} true")
        await asyncio.sleep(0.3)

    patient = replace(FAST, deadline=30, sleep=pause, chance=lambda: 0.5)
    async with courier(gateway.url, bob, patient) as his:
        elsewhere.execute(f"{allow} false")
        elsewhere.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database.name])
        try:
            assert (await his.status()).counts["BRONZE"] == 1
        finally:
            elsewhere.execute(f"{allow} true")
    assert len(pauses) >= 3
    assert [seconds for seconds in pauses if seconds >= 1], "Retry-After: 1, and the jitter on top"


# -- watching


async def test_watch_tells_the_state_and_goes_on_after_cuts_and_restarts(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn)
    upload(database, bob, make_coins(1))
    async with (
        cutting(gateway.url) as (url, proxy),
        courier(url, bob) as his,
        aclosing(his.watch()) as events,
        asyncio.timeout(60),
    ):
        await until(events, lambda event: isinstance(event, Epoch))
        await until(
            events, lambda event: isinstance(event, LowStock) and (event.category, event.unclaimed) == ("BRONZE", 1)
        )
        for link in list(proxy.links):
            link.cancel()
        await until(events, lambda event: isinstance(event, Epoch))
        database.execute("select ops.fence_coins()")
        epoch = database.value("select number from coins.epoch")
        await until(events, lambda event: event == Epoch(epoch))
        await asyncio.to_thread(gateway.stop, signal.SIGKILL)
        await asyncio.to_thread(run_gateway, database.dsn, AQM_PORT=gateway.settings["AQM_PORT"])
        await until(events, lambda event: event == Epoch(epoch))


async def test_watch_ends_when_it_is_cancelled(gateway: RunningGateway, bob: uuid.UUID) -> None:
    async with courier(gateway.url, bob) as his:
        told = asyncio.Event()

        async def watch() -> None:
            async for _ in his.watch():
                told.set()

        task = asyncio.create_task(watch())
        async with asyncio.timeout(30):
            await told.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_watch_raises_what_will_not_pass_and_pauses_after_what_will(bob: uuid.UUID) -> None:
    stream = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    event = b'event: epoch\ndata: {"epoch":%d}\n\n'
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    answers = (
        stream
        + b'retry: 2000\n\nevent: new\ndata: 7\n\nevent: low_stock\ndata: {"coin_category":"TIN"}\n\n'
        + event % 1,
        http("", 503, "Retry-After: 9\r\n"),
        http("", 429, "Retry-After: 8\r\n"),
        b"",  # aiohttp repeats a GET by itself, once
        b"",
        stream + event % 2,
        stream + b"event: epoch\ndata: {\n\n",
    )
    async with lying(*answers) as liar, courier(liar.url, bob, replace(FAST, sleep=pause, chance=lambda: 1)) as his:
        events = his.watch()
        assert [await anext(events), await anext(events)] == [Epoch(1), Epoch(2)]
        with pytest.raises(BadAnswer):
            await anext(events)
    assert pauses == pytest.approx([0.2, 9.4, 8.8, 1.6, 3.2])
    async with lying(stream + b"event: " + b"x" * 200_000) as liar, courier(liar.url, bob) as his:
        with pytest.raises(BadAnswer):
            await anext(his.watch())


# -- a client that is not open


async def first_event(his: CourierClient) -> object:
    async with aclosing(his.watch()) as events:
        return await anext(events)


async def test_a_client_that_is_not_open_says_so(gateway: RunningGateway, bob: uuid.UUID) -> None:
    his = courier(gateway.url, bob)
    session = AccountSession(SavedSession(bob, "a refresh token"), AsyncMock())
    theirs = CourierClient(gateway.url, session, FAST)
    calls: list[Callable[[], Awaitable[object]]] = [
        his.count, his.status, his.discard, his.logout, theirs.count,
        lambda: his.upload(mint(1), 1),
        lambda: his.claim(bob, "GOLD"),
        lambda: first_event(his),
    ]  # fmt: skip
    for _ in range(2):
        for call in calls:
            async with asyncio.timeout(5):
                with pytest.raises(CourierClosed, match="async with"):
                    await call()
        async with his, theirs:
            assert await his.count()


async def test_what_is_under_way_when_a_client_is_closed_ends_with_a_typed_error(bob: uuid.UUID) -> None:
    async with lying(None) as liar:
        async with courier(liar.url, bob) as his:
            calls = [asyncio.create_task(call) for call in (his.count(), first_event(his))]
            await asyncio.sleep(0.1)
        async with asyncio.timeout(10):
            told = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in told] == [CourierClosed, CourierClosed], told


# -- a server that lies


def fetched(**changes: Any) -> bytes:
    """An answer of fetch with one BRONZE coin. changes: of the coin."""
    coin = {
        "key_id": "key",
        "coin_category": "BRONZE",
        "public_key_b64": base64.b64encode(bytes(32)).decode(),
        "signature_b64": base64.b64encode(bytes(64)).decode(),
    }
    return orjson.dumps({"coins": [coin | changes]})


LIES = {
    "no JSON": http("<html>"),
    "half of it": http(fetched()[:-10]),
    "no body": http(""),
    "no content": http("", 204),
    "no object": http("[]"),
    "no list": http('{"coins": {}}'),
    "no coin": http('{"coins": [null]}'),
    "too deep": http("[" * 100_000),
    "another category": http(fetched(coin_category="GOLD")),
    "a number": http(fetched(key_id=7)),
    "no name": http(fetched(key_id="")),
    "a long name": http(fetched(key_id="k" * 37)),
    "a short key": http(fetched(public_key_b64="AAAA")),
    "a long signature": http(fetched(signature_b64=base64.b64encode(bytes(65)).decode())),
    "no base64": http(fetched(public_key_b64="!" * 44)),
    "not quite base64": http(fetched(public_key_b64="A" * 42 + "B=")),
    "beyond ASCII": http(fetched(public_key_b64="ä" * 44)),
    "too many coins": http(fetched().replace(b"}]}", b"}," + fetched(key_id="2")[10:])),
    "a redirect": http("", 302, "Location: /v1/elsewhere\r\n"),
    "a redirect that keeps the method": http("", 308, "Location: http://localhost/\r\n"),
    "an odd success": http(fetched(), 201),
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 100_000,
    "a huge answer": http(b" " * (2**20 + 1)),
    "a huge answer in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"100000\r\n%b\r\n" % (b" " * 2**20) * 7,
    "no chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret-canary\r\n",
    "packed": http(bytes.fromhex("1f8b0800"), headers="Content-Encoding: gzip\r\n"),
}


@pytest.mark.parametrize("what", LIES)
async def test_a_lie_is_a_bad_answer_and_asked_once(what: str, bob: uuid.UUID) -> None:
    async with lying(LIES[what]) as liar, courier(liar.url, bob) as his:
        with pytest.raises(BadAnswer) as caught:
            await his.claim(uuid.uuid4(), "BRONZE")
    assert len(liar.heads) == 1
    assert "canary" not in everything(caught.value)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda c: c.count(), '{"gold": 1, "silver": -1, "bronze": 0}'),
        (lambda c: c.count(), '{"gold": 1, "silver": true, "bronze": 0}'),
        (lambda c: c.status(), '{"gold": 1, "silver": 1, "bronze": 0}'),
        (
            lambda c: c.status(),
            '{"epoch": 1, "last_resort": [["GOLD"]], "low_stock": {"gold": 1, "silver": 1, "bronze": 0}}',
        ),
        (lambda c: c.upload(mint(1), 0), '{"inserted": "1"}'),
        (lambda c: c.upload(mint(1), 0), '{"inserted": 2}'),
        (lambda c: c.discard(), "{}"),
        (lambda c: c.put_last_resort(mint(1)[0]), '{"replaced": 1}'),
        (
            lambda c: anext(c.claimed()),
            '{"coins": [{"key_id": "k", "coin_category": "GOLD", "cursor": "", "claimed_at": "?"}]}',
        ),
        (
            lambda c: anext(c.claimed()),
            '{"coins": [{"key_id": "k", "coin_category": "GOLD", "cursor": "", "claimed_at": "2026-01-01T00:00:00"}]}',
        ),
        (lambda c: c.claim_many([Wish(uuid.uuid4(), "GOLD")]), '{"claims": []}'),
        (lambda c: c.claim_many([Wish(uuid.uuid4(), "GOLD")]), '{"claims": [{"target_user_id": "x"}]}'),
    ],
)
async def test_other_routes_lies_are_bad_answers_too(call: Call, answer: str, bob: uuid.UUID) -> None:
    async with lying(http(answer)) as liar, courier(liar.url, bob) as his:
        with pytest.raises(BadAnswer):
            await call(his)


@pytest.mark.parametrize(
    ("changes", "coins"),
    [
        ({"target_user_id": str(uuid.UUID(int=9))}, []),
        ({"coin_category": "GOLD"}, []),
        ({"requested": 3}, []),
        ({"remaining": -1}, []),
        ({"retry_after": "1"}, []),
        ({}, [{"last_resort": True}]),
        ({}, [{"last_resort": 1}]),
        ({}, [{"last_resort": False}] * 2),
    ],
)
async def test_an_outcome_that_was_not_asked_for(changes: dict[str, Any], coins: list[Any], bob: uuid.UUID) -> None:
    coin = orjson.loads(fetched())["coins"][0]
    entry = {"target_user_id": str(uuid.UUID(int=1)), "coin_category": "BRONZE", "requested": 2, "remaining": 0,
             "retry_after": None, "coins": [coin | more for more in coins]}  # fmt: skip
    answer = http(orjson.dumps({"claims": [entry | changes]}))
    async with lying(answer) as liar, courier(liar.url, bob) as his:
        with pytest.raises(BadAnswer):
            await his.claim_many([Wish(uuid.UUID(int=1), "BRONZE", 2)])


async def test_a_coin_that_is_there_for_two_wishes(bob: uuid.UUID) -> None:
    coin = orjson.loads(fetched())["coins"][0] | {"last_resort": False}
    entry = {"target_user_id": str(bob), "coin_category": "BRONZE", "requested": 1, "remaining": 0,
             "retry_after": None, "coins": [coin]}  # fmt: skip
    async with lying(http(orjson.dumps({"claims": [entry] * 2}))) as liar, courier(liar.url, bob) as his:
        with pytest.raises(BadAnswer):
            await his.claim_many([Wish(bob, "BRONZE")] * 2)


async def test_claimed_that_goes_round_in_circles_ends(bob: uuid.UUID) -> None:
    def page(cursor: str) -> bytes:
        coin = {"key_id": "k", "coin_category": "GOLD", "cursor": cursor, "claimed_at": "2026-01-01T00:00:00+00:00"}
        return http(orjson.dumps({"coins": [coin] * 1000}))

    for pages in ([page("a"), page("b")] * 9, [page("a"), page("b"), page("start")] * 9):
        async with lying(*pages) as liar, courier(liar.url, bob) as his:
            with pytest.raises(BadAnswer):
                async for _ in his.claimed(after="start"):
                    pass
            assert len(liar.heads) == 3


async def test_a_flood_of_events_is_one_of_a_kind_in_a_second(bob: uuid.UUID) -> None:
    stream = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    low = b'event: low_stock\ndata: {"coin_category":"%b","unclaimed":%d,"low_stock":10}\n\n'
    flood = b"".join(low % (category, left) for left in range(9, -1, -1) for category in (b"GOLD", b"BRONZE"))
    flood += b"".join(b'event: epoch\ndata: {"epoch":%d}\n\n' % number for number in range(500))
    async with lying(stream + flood) as liar, courier(liar.url, bob, replace(FAST, first_wait=0.001)) as his:
        began, seen = time.monotonic(), []
        with suppress(TimeoutError):
            async with aclosing(his.watch()) as events, asyncio.timeout(2.5):
                async for event in events:
                    seen.append(event)
        assert len(liar.heads) > 3, "it comes again and again"
    kinds = Counter(type(event).__name__ + getattr(event, "category", "") for event in seen)
    assert kinds.keys() == {"Epoch", "LowStockGOLD", "LowStockBRONZE"}
    assert max(kinds.values()) <= (time.monotonic() - began) + 1
    assert seen[-1] in (Epoch(499), LowStock("GOLD", 0, 10), LowStock("BRONZE", 0, 10)), "the newest is told"


async def test_what_is_held_back_is_told_after_the_pause() -> None:
    more = asyncio.Event()

    async def source() -> AsyncGenerator[LowStock | Epoch, None]:
        yield Epoch(1)
        await more.wait()
        yield Epoch(2)
        yield Epoch(3)
        raise ServerUnavailable("the end")

    events = calm(source(), 0.2)
    assert await anext(events) == Epoch(1)
    began = time.monotonic()
    more.set()
    assert await anext(events) == Epoch(3)
    assert time.monotonic() - began > 0.15
    with pytest.raises(ServerUnavailable):
        await anext(events)


# -- a CA of one's own


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "aqm test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )  # fmt: skip
    path = folder / "ca.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


async def test_a_private_ca_is_trusted_when_it_is_named(bob: uuid.UUID, tmp_path: Path) -> None:
    path = certificate(tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=path)
    counts = http('{"gold": 1, "silver": 2, "bronze": 3}')
    async with lying(counts, ssl=server_side) as liar:
        async with CourierClient(liar.url, Credentials(bob), FAST, ssl=trusting) as his:
            assert (await his.count())["GOLD"] == 1
        async with CourierClient(liar.url, Credentials(bob), replace(FAST, deadline=0.2)) as his:
            with pytest.raises(ServerUnavailable):
                await his.count()
        liar.answers[:] = [
            http(orjson.dumps({"access_token": "a", "refresh_token": "b", "subject": str(bob), "expires_in": 900}))
        ]
        saved = []

        async def save(session: SavedSession) -> None:
            saved.append(session)

        session = await AccountSession.login(liar.url, "a@example.org", "pw", "phone", save, FAST, ssl=trusting)
        assert [session.user_id, saved[0].user_id] == [bob, bob]
        liar.answers[:] = [http(orjson.dumps({"id": str(bob)}))]
        assert await sign_up(liar.url, "a@example.org", "pw", FAST, ssl=trusting) == bob
    careless = ssl.create_default_context(cafile=path)
    careless.check_hostname = False
    for context in (careless, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)):
        with pytest.raises(InvalidArgumentError, match="ssl"):
            CourierClient("https://127.0.0.1", Credentials(bob), ssl=context)


# -- when to try again


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 500, 501])
async def test_what_will_not_pass_is_asked_once(status: int, bob: uuid.UUID) -> None:
    async with lying(http("<html>canary</html>", status, "Retry-After: 0\r\n")) as liar, courier(liar.url, bob) as his:
        with pytest.raises(CourierError) as caught:
            await his.count()
    assert (len(liar.heads), caught.value.status) == (1, status)
    assert "canary" not in everything(caught.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_may_pass_is_asked_again(status: int, bob: uuid.UUID) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    busy = http("<html>", status, "Retry-After: 2\r\n")
    odd = http("", status, "Retry-After: soon\r\n")
    fine = http('{"gold": 1, "silver": 2, "bronze": 3}')
    patient = Retries(deadline=30, first_wait=1, longest_wait=3, sleep=pause, chance=lambda: 0.5)
    async with (
        lying(busy, odd, b"", b"HTTP/1.1 200 OK\r\nContent-Le", fine[:-5], fine) as liar,
        courier(liar.url, bob, patient) as his,
    ):
        assert await his.count() == {"GOLD": 1, "SILVER": 2, "BRONZE": 3}
        assert len(liar.heads) == 6
    asked = 2.0 if status in (429, 503) else 0.0
    # After a connection that ended without an answer aiohttp repeats a GET once by itself.
    assert pauses == [asked + 0.5, 1.0, 1.5, 1.5]


async def test_after_the_deadline_it_gives_up_and_says_why(bob: uuid.UUID) -> None:
    hurried = replace(FAST, deadline=0.4, attempt=0.15)
    async with lying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1") as liar, courier(liar.url, bob, hurried) as his:
        async with asyncio.timeout(10):
            with pytest.raises(ServerUnavailable) as caught:
                await his.claim(uuid.uuid4(), "BRONZE")
        keys = {line for head in liar.heads for line in head.split("\r\n") if line.startswith("Idempotency-Key")}
        assert (len(keys), len(liar.heads) > 2) == (1, True)
    assert isinstance(caught.value.__cause__, OSError)
    async with courier("http://127.0.0.1:1", bob, hurried) as his:
        with pytest.raises(ServerUnavailable) as caught:
            await his.count()
    assert isinstance(caught.value.__cause__, OSError)
    async with lying(None) as liar, courier(liar.url, bob, hurried) as his:
        with pytest.raises(ServerUnavailable) as caught:
            await his.count()
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_the_jitter_is_full_and_the_pauses_have_a_limit() -> None:
    retries = Retries(first_wait=1, longest_wait=8, chance=lambda: 1.0)
    assert [retries.wait(failures) for failures in (0, 1, 2, 3, 4, 10_000)] == [1, 2, 4, 8, 8, 8]
    assert replace(retries, chance=lambda: 0.0).wait(3, retry_after=2) == 2


# -- secrets


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org", "http://example.org", "http://192.0.2.1", "https://a:canary@example.org", "x", "https://"],
)
def test_a_url_that_would_tell_secrets_is_refused(url: str, bob: uuid.UUID) -> None:
    with pytest.raises(ValueError, match="url must be") as caught:
        courier(url, bob)
    assert "canary" not in everything(caught.value)


SECRET = "eyJhbGciOiJFZERTQSJ9.canary_canary_canary_canary.canary"


@pytest.mark.parametrize(
    "answer",
    [
        *LIES.values(),
        http(f'{{"code": "{SECRET}", "field": "{SECRET}", "detail": "{SECRET}"}}', 422, f"X-Request-Id: {SECRET}\r\n"),
        http(f'{{"code": "22023", "detail": "{SECRET} canary"}}', 422),
        http(SECRET, 503, f"Retry-After: {SECRET}\r\n"),
        f"HTTP/1.1 200 {SECRET}\r\nX: {SECRET}".encode(),
        f"HTTP/1.1 200 {SECRET}\r\nX: {SECRET}\r\nContent-Length: 50\r\n\r\n{SECRET}".encode(),
        f"HTTP/1.1 200 {SECRET}\x00\r\n\r\n".encode(),
        f"{SECRET}\r\n\r\n".encode(),
    ],
)  # fmt: skip
async def test_no_error_tells_a_secret(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Neither what we sent nor what a server says back."""
    bob, alice = uuid.uuid4(), uuid.uuid4()
    credentials = FixedToken(bob, SECRET)
    caplog.set_level(0)
    async with lying(answer) as liar, CourierClient(liar.url, credentials, replace(FAST, deadline=0.1)) as his:
        for call in (his.claim(alice, "BRONZE"), his.upload(mint(1), 0), anext(his.watch())):
            with pytest.raises((CourierError, TimeoutError)) as caught:
                async with asyncio.timeout(0.5):
                    await call
            texts = everything(caught.value) + repr(his) + repr(credentials) + caplog.text
            for secret in ("canary", str(alice), str(bob), "AAAAAAAA"):
                assert secret not in texts
        assert any(f"Authorization: Bearer {SECRET}" in head for head in liar.heads)
    coin = mint(1)[0]
    assert repr(coin) == "Coin(key_id='key-000', category='BRONZE')"
