"""AccountSession against the real gateway: one refresh for all, none lost, nothing told."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import orjson
import pytest
from yarl import URL

from conftest import Database, RunningGateway, make_coins
from device.answers import Epoch
from device.courier import CourierClient
from device.credentials import SAME_CHILD, AccountSession, SavedSession, sign_up
from device.errors import (
    BadAnswer,
    Conflict,
    InvalidRequest,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
)
from device.keys import Coin
from device.tests.servers import FAST, cutting, http, lying
from device.tests.test_courier import everything, seeded, until
from tests.faults.proxy import Point

Run = Callable[..., RunningGateway]
EMAIL, PASSWORD = "bob@example.org", "correct horse"
REUSED = "select count(*) from auth.audit_logs where action = 'session.token_reused'"


@dataclass
class Phone:
    """Bob's account on a real server, and what his phone keeps through a crash."""

    gateway: RunningGateway
    database: Database
    account: str
    kept: list[SavedSession] = field(default_factory=list)
    now: float = 0.0

    async def save(self, saved: SavedSession) -> None:
        """Keep a session."""
        await asyncio.sleep(0)
        self.kept.append(saved)

    async def login(self, name: str = "phone", password: str = PASSWORD) -> AccountSession:
        """A new session, whose clock is `now`."""
        return await AccountSession.login(
            self.gateway.url, EMAIL, password, name, self.save, FAST, clock=lambda: self.now
        )

    def resume(self) -> AccountSession:
        """The session as a new process finds it."""
        return AccountSession(self.kept[-1], self.save, clock=lambda: self.now)

    def courier(self, session: AccountSession, url: str | None = None) -> CourierClient:
        return CourierClient(url or self.gateway.url, session, FAST)

    def void_access_tokens(self) -> None:
        """As a change of roles does; the session goes on."""
        self.database.execute("select auth.grant_role(%s, 'escrow', 'arbitrator')", [self.account])

    async def refused(self, token: str | None) -> None:
        """Wait until the gateway has heard that a token is void."""
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session, asyncio.timeout(20):
            while True:
                async with session.get(f"{self.gateway.url}/v1/coins/count") as answer:
                    if answer.status == 401:
                        return
                await asyncio.sleep(0.01)

    async def refreshes(self) -> int:
        """How many the server has answered."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.gateway.url}/metrics") as answer:
            found = re.findall(
                r"^aqm_requests_total\{.*POST /auth/refresh.*\} (.*)$", await answer.text(), re.MULTILINE
            )
        return sum(int(float(number)) for number in found)


@pytest.fixture
async def phone(database: Database, run_gateway: Run) -> AsyncIterator[Phone]:
    gateway = await asyncio.to_thread(run_gateway, database.dsn, AQM_AUTH="jwt", AQM_POOL_WAIT="20")
    made = Phone(gateway, database, str(await sign_up(gateway.url, EMAIL, PASSWORD, FAST)))
    yield made
    if made.kept:
        assert database.value(REUSED) == 0, "the server took us for a thief"


async def test_a_device_logs_in_works_and_logs_out(phone: Phone) -> None:
    session = await phone.login()
    async with phone.courier(session) as his:
        assert his.user_id == phone.kept[0].user_id == session.user_id
        assert await his.upload([Coin(*coin) for coin in make_coins(2)], (await his.status()).epoch) == 2
        assert len(await his.claim(his.user_id, "BRONZE")) == 1
        assert await phone.refreshes() == 0
    again, tablet = await phone.login(), await phone.login("tablet")
    assert again.user_id == session.user_id != tablet.user_id
    resumed = phone.resume()
    async with phone.courier(resumed) as his:
        assert his.user_id == tablet.user_id
        await his.logout()
        await phone.refused(await resumed.token(his.wire))
        await his.logout()
        with pytest.raises(Unauthorized):
            await his.count()
    async with phone.courier(phone.resume()) as his:
        with pytest.raises(Unauthorized):
            await his.count()


async def test_refusals_of_a_sign_up(phone: Phone) -> None:
    password = "".join(("can", "ary"))
    with pytest.raises(Conflict) as taken:
        await sign_up(phone.gateway.url, EMAIL, PASSWORD, FAST)
    with pytest.raises(InvalidRequest) as short:
        await sign_up(phone.gateway.url, f"carol{EMAIL}", password, FAST)
    assert short.value.field == "password"
    for text in (password, EMAIL):
        assert text not in everything(taken.value) + everything(short.value)
    async with lying(b"") as liar:
        with pytest.raises(ServerUnavailable):
            await sign_up(liar.url, EMAIL, PASSWORD, FAST)
        assert len(liar.heads) == 1, "a second try would be refused"


async def test_refusals_of_a_login(phone: Phone) -> None:
    wrong = f"{PASSWORD} canary"
    for _ in range(5):
        with pytest.raises(Unauthorized) as caught:
            await phone.login(password=wrong)
    with pytest.raises(TooManyRequests) as locked:
        await phone.login()
    assert 20 <= locked.value.retry_after <= 30
    for text in ("canary", "bob@"):
        assert text not in everything(caught.value) + everything(locked.value)
    async with lying(b"") as liar:
        with pytest.raises(ServerUnavailable) as lost:
            await AccountSession.login(liar.url, EMAIL, wrong, "phone", phone.save, FAST)
        assert len(liar.heads) == 1, "guesses are counted, sessions opened"
    for text in ("canary", "bob@"):
        assert text not in everything(lost.value)
    phone.database.execute("delete from auth.login_attempts")
    phone.database.execute(
        "insert into auth.user_devices (subject, user_id) select gen_random_uuid(), %s from generate_series(1, 10)",
        [phone.account],
    )
    with pytest.raises(Conflict):
        await phone.login()


async def test_a_token_is_renewed_before_its_end_and_saved_before_it_is_used(phone: Phone) -> None:
    session = await phone.login()
    async with phone.courier(session) as his:
        first = await session.token(his.wire)
        phone.now = 900 - 61
        assert await session.token(his.wire) == first
        phone.now = 900 - 59
        assert await session.token(his.wire) != first
        assert (await phone.refreshes(), len(phone.kept)) == (1, 2)
        await his.count()

        async def fail(_: SavedSession) -> None:
            raise OSError("the disk is full")

        session._save = fail
        phone.now += 900
        for _ in range(2):
            with pytest.raises(OSError, match="full"):
                await his.count()
        session._save = phone.save
        await his.count()
        assert (await phone.refreshes(), len(phone.kept)) == (2, 3), "the new token waited to be saved"
    async with phone.courier(phone.resume()) as his:
        await his.count()


async def test_fifty_calls_at_once_share_one_refresh(phone: Phone) -> None:
    session = await phone.login()
    async with phone.courier(session) as his:
        for number, why in enumerate(("expired", "void", "resumed"), 1):
            if why == "expired":
                phone.now = 10_000
            elif why == "void":
                phone.void_access_tokens()
                await phone.refused(await session.token(his.wire))
            else:
                his.credentials = phone.resume()
            assert len(await asyncio.gather(*(his.count() for _ in range(50)))) == 50
            assert (await phone.refreshes(), len(phone.kept)) == (number, 1 + number), why


async def test_a_refresh_goes_on_when_who_asked_for_it_is_cancelled(phone: Phone) -> None:
    session = await phone.login()
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(saved: SavedSession) -> None:
        entered.set()
        await leave.wait()
        await phone.save(saved)

    session._save = slow
    phone.now = 10_000
    async with phone.courier(session) as his:
        call = asyncio.create_task(his.count())
        await entered.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        asyncio.get_running_loop().call_later(0.05, leave.set)
    assert len(phone.kept) == 2, "the client waited for it before it closed"


async def test_a_client_that_is_left_by_a_cancelled_caller_waits_for_the_refresh_and_closes(phone: Phone) -> None:
    session = await phone.login()
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(saved: SavedSession) -> None:
        entered.set()
        await leave.wait()
        await phone.save(saved)

    session._save = slow
    phone.now = 10_000
    his = phone.courier(session)

    async def app() -> None:
        async with his:
            await his.count()

    call = asyncio.create_task(app())
    await entered.wait()
    for _ in range(3):
        call.cancel()
        await asyncio.sleep(0.01)
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert len(phone.kept) == 2
    assert his.wire.http
    assert his.wire.http.closed


async def test_a_refresh_whose_answer_is_lost_gives_the_same_child(phone: Phone) -> None:
    chance = seeded()
    session = await phone.login()
    async with (
        cutting(phone.gateway.url, lambda data: data.startswith(b"POST /auth/refresh")) as (url, proxy),
        phone.courier(session, url) as his,
    ):
        for number in range(8):
            points = [list(Point)[number]] if number < 4 else chance.choices(list(Point), k=3)
            proxy.ordered.extend(points)
            phone.now += 10_000
            await his.count()
            assert not proxy.ordered
    assert len(phone.kept) == 9
    assert len({saved.refresh_token for saved in phone.kept}) == 9


async def test_an_app_that_is_killed_goes_on_with_what_it_saved(phone: Phone) -> None:
    await phone.login()
    for _ in range(3):
        async with phone.courier(phone.resume()) as his:
            await his.count()
    # Killed between the server's exchange and save: the saved token is the one before.
    before = phone.resume()

    async def die(_: SavedSession) -> None:
        raise SystemError

    before._save = die
    async with phone.courier(before) as his:
        with pytest.raises(SystemError):
            await his.count()
    async with phone.courier(phone.resume()) as his:
        await his.count()


async def test_a_gateway_that_is_killed_ends_no_session(phone: Phone, run_gateway: Run) -> None:
    session = await phone.login()
    stopping = False

    async def go_on(his: CourierClient) -> int:
        calls = 0
        while not stopping:
            phone.now += 1000
            await his.count()
            calls += 1
        return calls

    # Another that runs already: a start could take longer than the leeway for a lost answer.
    other = URL((await asyncio.to_thread(run_gateway, phone.database.dsn, AQM_AUTH="jwt")).url)
    async with cutting(phone.gateway.url) as (url, proxy), phone.courier(session, url) as his:
        running = [asyncio.create_task(go_on(his)) for _ in range(4)]
        await asyncio.sleep(0.3)
        before = len(phone.kept)
        phone.gateway.process.kill()
        await asyncio.sleep(0.1)
        proxy.connect = lambda: asyncio.open_connection(other.host, other.port)
        await asyncio.sleep(0.5)
        stopping = True
        assert all(await asyncio.gather(*running))
        assert len(phone.kept) > before > 1


async def test_a_session_that_was_revoked_is_unauthorized_and_its_stream_ends(phone: Phone) -> None:
    session = await phone.login()
    async with phone.courier(session) as his, aclosing(his.watch()) as events, asyncio.timeout(30):
        await until(events, lambda event: isinstance(event, Epoch))
        # The stream ends with the access token, and goes on with the next.
        phone.void_access_tokens()
        await until(events, lambda event: isinstance(event, Epoch))
        assert await phone.refreshes() == 1
        phone.database.execute("select auth.revoke_session(id, user_id) from auth.sessions")
        with pytest.raises(Unauthorized):
            await until(events, lambda _event: False)
        with pytest.raises(Unauthorized):
            await his.count()


async def test_a_refresh_is_not_repeated_beyond_the_servers_leeway(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later one would be taken for a thief's."""
    assert SAME_CHILD < 10
    monkeypatch.setattr("device.credentials.SAME_CHILD", 0.8)
    monkeypatch.setattr("device.credentials.REFRESH_ATTEMPT", 0.25)
    session = AccountSession(SavedSession(uuid.uuid4(), "canary"), _forget)
    patient = replace(FAST, deadline=60, chance=random.random)
    began = time.monotonic()
    async with lying(None) as liar, CourierClient(liar.url, session, patient) as his:
        with pytest.raises(ServerUnavailable) as caught:
            await his.count()
        assert 0.6 < time.monotonic() - began < 2
        assert len(liar.heads) >= 3
    assert "canary" not in everything(caught.value) + repr(session) + repr(session._saved)


async def _forget(_: SavedSession) -> None:
    """Save nothing."""


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": "x\r\nHost: elsewhere"},
        {"access_token": ""},
        {"refresh_token": "ä"},
        {"refresh_token": 7},
        {"subject": str(uuid.UUID(int=2))},
        {"subject": "canary"},
        {"expires_in": -1},
        {"expires_in": "900"},
    ],
)
async def test_tokens_that_no_server_of_ours_gives(changes: dict[str, Any]) -> None:
    tokens = {"access_token": "canary", "refresh_token": "canary", "subject": str(uuid.UUID(int=1)), "expires_in": 900}
    session = AccountSession(SavedSession(uuid.UUID(int=1), "canary"), _forget)
    async with lying(http(orjson.dumps(tokens | changes))) as liar, CourierClient(liar.url, session, FAST) as his:
        with pytest.raises(BadAnswer) as caught:
            await his.count()
    assert len(liar.heads) == 1
    assert "canary" not in everything(caught.value) + repr(vars(session)["_saved"])
