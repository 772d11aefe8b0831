"""The gateway's own duties: limits, waiting, draining, reconnecting, logs."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import aiohttp
import psycopg

from conftest import (
    CLAIM,
    Database,
    RunningGateway,
    count,
    is_healthy,
    make_coin,
    make_coins,
    stopwatch,
    to_json,
    upload,
    wait_until,
)

Run = Callable[..., RunningGateway]
FETCH, COUNT, UPLOAD = "/v1/coins/fetch", "/v1/coins/count", "/v1/coins/upload"


def question(target: uuid.UUID, requester: uuid.UUID | None = None) -> dict[str, str]:
    return {"target_user_id": str(target), "requester_id": str(requester or uuid.uuid4()), "coin_category": "BRONZE"}


def is_anyone_blocked(connection: psycopg.Connection) -> bool:
    """Whether a session of this database waits for a lock."""
    return connection.execute(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
    ).fetchone() == (True,)


async def test_a_caller_over_the_rate_is_told_when_to_return(
    database: Database, run_gateway: Run, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn, AQM_RATE_LIMIT="5/minute")
    upload(database, bob, make_coins(20))
    async with aiohttp.ClientSession(gateway.url) as http:
        answers = [await http.get(FETCH, params=question(bob, alice)) for _ in range(8)]
        assert [answer.status for answer in answers] == [200] * 5 + [429] * 3
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
        async with http.get(FETCH, params=question(bob)) as other:
            assert other.status == 200, "another sender is not held up"
    assert count(database, bob) == (0, 0, 14)


async def test_when_all_connections_are_taken_callers_get_503_and_are_told_to_return(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn, AQM_POOL_MIN="1", AQM_POOL_MAX="2", AQM_POOL_WAIT="0.3")
    with database.connect() as blocker:
        blocker.execute("begin; lock table coins.coin_inventory in access exclusive mode")
        async with aiohttp.ClientSession(gateway.url) as http:
            started = time.monotonic()
            asked = [asyncio.create_task(http.get(COUNT, params={"user_id": str(bob)})) for _ in range(12)]
            done, _ = await asyncio.wait(asked, timeout=5)
            assert len(done) == 10, "two hold the connections, ten are sent away"
            assert time.monotonic() - started < 10
            for task in done:
                answer = task.result()
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            async with http.get("/v1/health") as health:
                assert health.status == 200, "health does not queue behind calls"
            blocker.execute("rollback")
            assert {task.result().status for task in asked if await task} == {200, 503}


async def test_a_full_queue_of_claims_is_refused_at_once(database: Database, run_gateway: Run, bob: uuid.UUID) -> None:
    gateway = run_gateway(database.dsn, AQM_MAX_WAITING="5", AQM_MAX_BATCH="2", AQM_POOL_WAIT="30")
    upload(database, bob, make_coins(20))
    with database.connect() as blocker, database.connect() as observer:
        blocker.execute("begin; lock table coins.coin_inventory in access exclusive mode")
        async with aiohttp.ClientSession(gateway.url, connector=aiohttp.TCPConnector(limit=0)) as http:
            # One claim is in the database before the others come: else a burst may fill the queue before any is sent.
            first = asyncio.create_task(http.get(FETCH, params=question(bob)))
            await asyncio.to_thread(wait_until, lambda: is_anyone_blocked(observer))
            asked = [asyncio.create_task(http.get(FETCH, params=question(bob))) for _ in range(20)]
            done, _ = await asyncio.wait(asked, timeout=2)
            assert [task.result().status for task in done] == [503] * 15
            blocker.execute("rollback")
            answers = [await first, *await asyncio.gather(*asked)]
    statuses = [answer.status for answer in answers]
    assert (statuses.count(200), statuses.count(503)) == (6, 15), "one was sent, five waited"
    assert count(database, bob) == (0, 0, 14)


async def test_a_call_that_takes_too_long_is_504(database: Database, run_gateway: Run, bob: uuid.UUID) -> None:
    gateway = run_gateway(database.dsn, AQM_STATEMENT_TIMEOUT="0.2")
    with database.connect() as blocker:
        blocker.execute("begin; lock table coins.coin_inventory in access exclusive mode")
        async with aiohttp.ClientSession(gateway.url) as http:
            for path, params in ((COUNT, {"user_id": str(bob)}), (FETCH, question(bob))):
                async with http.get(path, params=params) as answer:
                    assert answer.status == 504, path


async def test_sigterm_answers_what_was_begun_and_refuses_new(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn)
    upload(database, bob, make_coins(10))
    with database.connect() as blocker:
        blocker.execute("begin; lock table coins.coin_inventory in access exclusive mode")
        async with aiohttp.ClientSession(gateway.url) as http:
            begun = [asyncio.create_task(http.get(FETCH, params=question(bob))) for _ in range(5)]
            await asyncio.sleep(0.3)
            gateway.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "draining" in gateway.log.read_text())
            blocker.execute("rollback")
            answers = await asyncio.gather(*begun)
            assert [answer.status for answer in answers] == [200] * 5
    assert await asyncio.to_thread(gateway.process.wait, 20) == 0
    assert count(database, bob) == (0, 0, 5)


async def test_terms_that_come_again_and_again_change_nothing(database: Database, run_gateway: Run) -> None:
    # ./aqm stop and service managers send one to the supervisor, which passes it on, and one to the gateway itself.
    gateway = run_gateway(database.dsn)
    while gateway.process.poll() is None:
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.0002)
    assert gateway.process.returncode == 0


async def test_a_client_that_hangs_up_does_not_leave_a_claim_half_done(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn)
    upload(database, bob, make_coins(3))
    with database.connect() as blocker:
        blocker.execute("begin; lock table coins.coin_inventory in access exclusive mode")
        async with aiohttp.ClientSession(gateway.url) as http:
            asked = asyncio.create_task(http.get(FETCH, params=question(bob)))
            await asyncio.sleep(0.3)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        blocker.execute("rollback")
    wait_until(lambda: count(database, bob) == (0, 0, 2), what="the claim that was sent is carried out")


async def test_it_comes_back_by_itself_when_connections_are_cut(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn)
    upload(database, bob, make_coins(10))
    async with aiohttp.ClientSession(gateway.url) as http:
        async with http.get(FETCH, params=question(bob)) as answer:
            assert answer.status == 200
        database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename like 'aqm_gateway%' and datname = current_database()"
        )

        async def works() -> bool:
            async with http.get(FETCH, params=question(bob)) as answer:
                assert answer.status in (200, 503)
                return answer.status == 200

        deadline = time.monotonic() + 10
        while not await works():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        async with http.get("/v1/health") as health:
            assert health.status == 200


async def test_without_a_database_it_starts_says_so_and_recovers(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    hidden = f"{database.name}_hidden"
    admin = database.dsn.replace(f"/{database.name}?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"alter database {database.name} rename to {hidden}")
        gateway = run_gateway(database.dsn, wait=False)
        async with aiohttp.ClientSession(gateway.url) as http:
            for _ in range(200):
                try:
                    async with http.get("/v1/health") as health:
                        await health.read()
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
            assert (health.status, (await health.json())["db_connected"]) == (503, False)
            async with http.get(COUNT, params={"user_id": str(bob)}) as answer:
                assert answer.status == 503
            connection.execute(f"alter database {hidden} rename to {database.name}")
            wait_until(lambda: '"event":"ready"' in gateway.log.read_text())
            async with http.get("/v1/health") as health:
                assert (health.status, (await health.json())["db_connected"]) == (200, True)
            async with http.get(COUNT, params={"user_id": str(bob)}) as answer:
                assert answer.status == 200


async def test_claims_in_one_batch_are_refused_one_by_one(
    database: Database, gateway: RunningGateway, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    upload(database, bob, make_coins(30))
    good = [question(bob) for _ in range(20)]
    bad = [question(bob) | {"coin_category": "TIN"} for _ in range(10)] + [
        question(bob) | {"count": "0"} for _ in range(10)
    ]
    with database.connect() as blocker:
        # Held up, so that they gather and travel together.
        blocker.execute("begin; lock table coins.coin_inventory in access exclusive mode")
        asked = [
            asyncio.create_task(http.get(FETCH, params=one)) for pair in zip(good, bad, strict=True) for one in pair
        ]
        await asyncio.sleep(0.5)
        blocker.execute("rollback")
        answers = await asyncio.gather(*asked)
    assert [answer.status for answer in answers] == [200, 422] * 20
    coins = [coin["key_id"] for answer in answers[::2] for coin in (await answer.json())["coins"]]
    assert len(set(coins)) == 20
    assert count(database, bob) == (0, 0, 10)
    async with http.get("/metrics") as metrics:
        text = await metrics.text()
    calls = float(text.split('aqm_batch_calls_sum{route="GET /v1/coins/fetch"} ')[1].split()[0])
    batches = float(text.split('aqm_batch_calls_count{route="GET /v1/coins/fetch"} ')[1].split()[0])
    assert calls == 40
    assert batches < 10, "concurrent claims travel together"


async def test_a_twin_that_raises_sends_its_calls_one_by_one(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    database.execute("""
        create or replace function coins.claim_coins_batch(uuid[], uuid[], text[], integer[])
        returns setof coins.batch_claimed_coin language plpgsql as
        $$ begin raise exception using errcode = 'PT409', message = 'broken on purpose'; end $$
    """.replace("(uuid[], uuid[], text[], integer[])",
                "(p_target_user_ids uuid[], p_requester_ids uuid[], p_coin_categories text[], p_counts integer[], p_request_ids uuid[])"))  # fmt: skip
    gateway = run_gateway(database.dsn)
    upload(database, bob, make_coins(10))
    async with aiohttp.ClientSession(gateway.url) as http:
        answers = await asyncio.gather(*(http.get(FETCH, params=question(bob)) for _ in range(10)))
        assert [answer.status for answer in answers] == [200] * 10
    assert count(database, bob) == (0, 0, 0)


async def test_a_claim_over_http_waits_for_a_lock_before_it_says_none(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    upload(database, bob, make_coins(1))
    with database.connect() as holder:
        holder.execute("begin")
        holder.execute(CLAIM, [bob, uuid.uuid4(), "BRONZE", 1])
        asked = asyncio.create_task(http.get(FETCH, params=question(bob)))
        await asyncio.sleep(0.015)
        holder.execute("rollback")
        answer = await asked
    # Either the batch came after the rollback or the second look did; never an empty answer with a coin in stock.
    given = len((await answer.json())["coins"])
    assert given == 1 or count(database, bob) == (0, 0, 1)


async def test_request_ids_are_in_the_answer_the_log_and_the_database(
    database: Database, gateway: RunningGateway, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    async with http.get(COUNT, params={"user_id": str(bob)}, headers={"X-Request-Id": "trace-7"}) as answer:
        assert answer.headers["X-Request-Id"] == "trace-7"
    async with http.get(COUNT, params={"user_id": str(bob)}, headers={"X-Request-Id": "no\tgood; drop"}) as answer:
        assert len(answer.headers["X-Request-Id"]) == 16
    wait_until(lambda: any(line.get("request_id") == "trace-7" for line in gateway.log_lines()))
    line = next(line for line in gateway.log_lines() if line.get("request_id") == "trace-7")
    assert (line["route"], line["status"]) == (f"GET {COUNT}", 200)
    with database.connect() as blocker:
        blocker.execute("begin; lock table coins.coin_inventory in access exclusive mode")
        asked = asyncio.create_task(http.get(COUNT, params={"user_id": str(bob)}, headers={"X-Request-Id": "trace-8"}))
        names = "select application_name from pg_stat_activity where datname = current_database()"
        await asyncio.sleep(0.3)
        assert ("aqm trace-8",) in database.rows(names)
        blocker.execute("rollback")
        await asked
    assert ("aqm trace-8",) not in database.rows(names), "the next call does not inherit it"


async def test_no_key_signature_or_person_is_in_any_log(
    database: Database,
    gateway: RunningGateway,
    http: aiohttp.ClientSession,
    cluster: object,
    bob: uuid.UUID,
    alice: uuid.UUID,
) -> None:
    coin = to_json(make_coin("canary-key-id"))
    await (await http.post(UPLOAD, json={"user_id": str(bob), "coins": [coin]})).read()
    await (await http.post(UPLOAD, json={"user_id": str(bob), "coins": [coin | {"coin_category": "canary"}]})).read()
    await (await http.get(FETCH, params=question(bob, alice))).read()
    await (await http.get(FETCH, params=question(bob, alice) | {"count": "0"})).read()
    await (await http.get(f"/{alice}/canary")).read()
    database.execute("select coins.set_claim_quota('pair', true, 1)")
    last, key = to_json(make_coin("canary-last")), str(uuid.uuid4())
    put = {"user_id": str(bob), "coin": last}
    for body in (put, put, {**put, "coin": coin}, {**put, "coin": last | {"signature_b64": coin["public_key_b64"]}}):
        await (await http.put("/v1/coins/last-resort", json=body)).read()
    for wish in ({"accept_last_resort": True}, {"count": 2}, {"count": 0}, {"canary": 1}):
        wish = {"target_user_id": str(bob), "coin_category": "BRONZE", **wish}
        claim = {"requester_id": str(alice), "claims": [wish]}
        for headers in ({"Idempotency-Key": key}, {"Idempotency-Key": f"canary{key}"}):
            await (await http.post("/v1/coins/claim", json=claim, headers=headers)).read()
            await (await http.get(FETCH, params=question(bob, alice), headers=headers)).read()
    for path in ("status", "claimed", "watch"):
        (await http.get(f"/v1/coins/{path}", params={"user_id": str(bob), "cursor": "canary"})).close()
        (await http.get(f"/v1/coins/{path}", params={"user_id": str(bob)})).close()
    for key_ids in (["canary-key-id"], "canary"):
        await (await http.post("/v1/coins/discard", json={"user_id": str(bob), "key_ids": key_ids})).read()
    logs = gateway.log.read_text() + cluster.log.read_text()  # type: ignore[attr-defined]
    blobs = [sent[name] for sent in (coin, last) for name in ("public_key_b64", "signature_b64")]
    for secret in (*blobs, "canary", str(bob), str(alice), key):
        assert secret not in logs, secret


async def test_a_log_without_room_fails_no_request(database: Database, run_gateway: Run, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(40))
    gateway = run_gateway(database.dsn, wait=False, log=Path("/dev/full"), AQM_STATEMENT_TIMEOUT="0.3")
    wait_until(lambda: is_healthy(gateway.url), what="the gateway serves")
    async with aiohttp.ClientSession(gateway.url) as http:
        for _ in range(20):
            async with http.get(FETCH, params=question(bob)) as answer:
                assert len((await answer.json())["coins"]) == 1
            await asyncio.sleep(0.01)  # the log is written now and then: what fails there is nobody's request
        with psycopg.connect(database.dsn) as connection:
            connection.execute("lock table coins.coin_inventory")
            async with http.get(COUNT, params={"user_id": str(bob)}) as answer:
                assert answer.status == 504, "and is a line of the log by itself"
        async with http.get(COUNT, params={"user_id": str(bob)}) as answer:
            assert answer.status == 200
    assert gateway.stop() == 0


async def test_a_replica_serves_only_what_may_run_there(
    database: Database, new_database: Callable[[], Database], run_gateway: Run, bob: uuid.UUID
) -> None:
    """A second database stands in for the replica's place: which server a call went to is told by its content."""
    replica = new_database()
    upload(replica, bob, make_coins(7))
    gateway = run_gateway(database.dsn, AQM_REPLICA_DSN=replica.dsn)
    async with aiohttp.ClientSession(gateway.url) as http:
        async with http.get(COUNT, params={"user_id": str(bob)}) as answer:
            assert (await answer.json())["bronze"] == 7
        async with http.get(FETCH, params=question(bob)) as answer:
            assert await answer.json() == {"coins": []}, "claims are the primary's"
    assert count(replica, bob) == (0, 0, 7)


async def test_no_right_or_role_is_left_behind_on_a_connection(
    database: Database, gateway: RunningGateway, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    for _ in range(3):
        await (await http.get(COUNT, params={"user_id": str(bob)})).read()
        await (await http.get(FETCH, params=question(bob))).read()
        await (await http.post("/v1/admin/purge-stale", json={})).read()
    logins = database.rows(
        "select distinct usename from pg_stat_activity where datname = current_database() and application_name like 'aqm gateway%'"
    )
    assert {("aqm_gateway",), ("aqm_gateway_admin",), ("aqm_gateway_device",)} == set(logins)
    for login in ("aqm_gateway", "aqm_gateway_device", "aqm_gateway_anon", "aqm_gateway_admin"):
        with database.connect(user=login) as connection:
            for statement in (
                "select from coins.coin_inventory",
                "set role aqm_coins_owner",
                "select coins.claim_refusal(null, null, null, null)",
            ):
                try:
                    connection.execute(statement)
                except psycopg.errors.InsufficientPrivilege:
                    continue
                raise AssertionError(f"{login} may: {statement}")


async def test_one_callers_uploads_do_not_hold_up_another_callers_claims(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn, AQM_RATE_LIMIT="200/second", AQM_POOL_MAX="4")
    upload(database, bob, make_coins(5))
    mallory = uuid.uuid4()
    body = {"user_id": str(mallory), "coins": [to_json(make_coin("a"))]}
    with database.connect() as blocker:
        # Mallory's uploads queue up behind each other.
        blocker.execute("begin")
        blocker.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"coins.lock_user {mallory}"])
        async with aiohttp.ClientSession(gateway.url) as http:
            uploads = [asyncio.create_task(http.post(UPLOAD, json=body)) for _ in range(8)]
            done, _ = await asyncio.wait(uploads, timeout=1)
            assert [task.result().status for task in done] == [429] * 4
            async with asyncio.timeout(5), http.get(FETCH, params=question(bob)) as answer:
                assert len((await answer.json())["coins"]) == 1
            blocker.execute("rollback")
            assert sorted([(await task).status for task in uploads]) == [200] * 4 + [429] * 4


async def test_a_twin_that_answers_nonsense_leaves_nobody_waiting(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    database.execute("""
        create or replace function coins.claim_coins_batch(
            p_target_user_ids uuid[], p_requester_ids uuid[], p_coin_categories text[], p_counts integer[], p_request_ids uuid[])
        returns setof coins.batch_claimed_coin language sql as
        $$ select 99, null::text, null::text, null::text, 'x', 'GOLD', ''::bytea, ''::bytea $$
    """)
    gateway = run_gateway(database.dsn)
    async with aiohttp.ClientSession(gateway.url) as http, asyncio.timeout(10):
        answers = await asyncio.gather(*(http.get(FETCH, params=question(bob)) for _ in range(3)))
        assert [answer.status for answer in answers] == [500] * 3
    assert gateway.stop() == 0


async def test_a_server_that_falls_silent_keeps_nobody_waiting_for_ever(
    database: Database, run_gateway: Run, bob: uuid.UUID
) -> None:
    gateway = run_gateway(database.dsn, AQM_POOL_WAIT="0.5", AQM_STATEMENT_TIMEOUT="0.5", AQM_DRAIN="2")
    upload(database, bob, make_coins(5))
    async with aiohttp.ClientSession(gateway.url) as http:
        for path, params in ((FETCH, question(bob)), (COUNT, {"user_id": str(bob)})):
            await (await http.get(path, params=params)).read()
        pids = [
            row[0]
            for row in database.rows(
                "select pid from pg_stat_activity where usename = 'aqm_gateway_device' and datname = current_database()"
            )
        ]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            async with asyncio.timeout(15):
                for path, params in ((FETCH, question(bob)), (COUNT, {"user_id": str(bob)})):
                    async with http.get(path, params=params) as answer:
                        assert answer.status == 503
            with stopwatch(15):
                gateway.process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(gateway.process.wait, 20) == 0
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


async def test_a_catalog_that_cannot_be_read_is_survived(
    database: Database, gateway: RunningGateway, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    database.execute("insert into gateway.route (method, path, function_name) values ('GET', '/v1/typo', 'coins.typo')")
    database.execute("notify gateway, 'reload'")
    wait_until(lambda: "catalog not read" in gateway.log.read_text())
    async with http.get(COUNT, params={"user_id": str(bob)}) as answer:
        assert answer.status == 200, "yesterday's catalog is better than none"
    database.execute("delete from gateway.route where path = '/v1/typo'")
    wait_until(lambda: sum(line["event"] == "catalog read" for line in gateway.log_lines()) == 2)


async def test_a_client_that_sends_rubbish_makes_no_fault_of_ours(gateway: RunningGateway) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with (
        aiohttp.ClientSession(gateway.url) as http,
        http.post(UPLOAD, data=b"this is no gzip", headers=headers, skip_auto_headers=["Content-Encoding"]) as answer,
    ):
        assert answer.status == 400
    _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
    writer.write(
        b"POST /v1/coins/upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
    writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.3)
    assert not [line for line in gateway.log_lines() if line["level"] == "error"]
