"""Answers as bytes on the wire: they are written by us and not by aiohttp."""

from __future__ import annotations

import asyncio
import email.utils
import time
import uuid
from urllib.parse import urlsplit

import orjson
import pytest

from conftest import Database, RunningGateway, make_coins, upload

COUNT = "/v1/coins/count?user_id={}"
FETCH = "/v1/coins/fetch?target_user_id={}&requester_id={}&coin_category=GOLD&count=100"


async def connect(gateway: RunningGateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(gateway.url)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=2**16)


async def read_answer(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers by lower-case name, body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:])
    assert len(headers) == len(head) - 1, "no header is there twice"
    return head[0], headers, await reader.readexactly(int(headers["content-length"]))


@pytest.mark.parametrize(
    ("version", "header", "stays_open", "told"),
    [
        ("1.1", "", True, None),
        ("1.1", "Connection: close\r\n", False, "close"),
        ("1.0", "", False, "close"),
        ("1.0", "Connection: keep-alive\r\n", True, "keep-alive"),
    ],
)
async def test_a_connection_stays_open_as_the_client_wishes(
    gateway: RunningGateway, bob: uuid.UUID, version: str, header: str, stays_open: bool, told: str | None
) -> None:
    reader, writer = await connect(gateway)
    question = f"GET {COUNT.format(bob)} HTTP/{version}\r\nHost: x\r\nX-Request-Id: mine\r\n{header}\r\n".encode()
    for _ in range(2 if stays_open else 1):
        writer.write(question)
        status, headers, body = await read_answer(reader)
        assert status == "HTTP/1.1 200 OK"
        assert body == b'{"gold":0,"silver":0,"bronze":0}'
        assert headers["content-type"] == "application/json"
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"] == "mine"
        assert headers.get("connection") == told
        sent_at = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        assert abs(sent_at - time.time()) < 30
    if not stays_open:
        assert await reader.read() == b"", "the connection is closed"
    writer.close()


async def test_questions_sent_together_are_answered_in_their_order(
    database: Database, gateway: RunningGateway, bob: uuid.UUID
) -> None:
    upload(database, bob, make_coins(3))
    reader, writer = await connect(gateway)
    users = [bob, uuid.uuid4(), bob]
    writer.write(b"".join(f"GET {COUNT.format(user)} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for user in users))
    bodies = [(await read_answer(reader))[2] for _ in users]
    assert [b'"bronze":3' in body for body in bodies] == [True, False, True]
    writer.close()


async def test_who_does_not_read_fills_no_memory(
    database: Database, gateway: RunningGateway, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(100, "GOLD"))
    _, writer = await connect(gateway)
    before = resident_megabytes(gateway)
    # With one request id it is the same half megabyte each time: 200 in all, were they read.
    question = f"GET {FETCH.format(bob, alice)} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {uuid.uuid4()}\r\n\r\n".encode()
    writer.write(question * 400)
    most = 0.0
    for _ in range(30):
        await asyncio.sleep(0.1)
        most = max(most, resident_megabytes(gateway) - before)
    assert most < 60
    writer.close()


def resident_megabytes(gateway: RunningGateway) -> float:
    with open(f"/proc/{gateway.process.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


EXPECTING = "Host: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\nContent-Type: {type}\r\n\r\n"


@pytest.mark.parametrize(
    ("media_type", "status"),
    [("application/json", "HTTP/1.1 200 OK"), ("text/plain", "HTTP/1.1 415 Unsupported Media Type")],
)
async def test_who_asks_whether_to_send_a_body_is_told_to_go_on(
    gateway: RunningGateway, bob: uuid.UUID, media_type: str, status: str
) -> None:
    reader, writer = await connect(gateway)
    body = orjson.dumps({"user_id": str(bob), "coins": []})
    for _ in range(2):  # the connection is in order after a refusal, too
        head = "POST /v1/coins/upload HTTP/1.1\r\n" + EXPECTING.format(length=len(body), type=media_type)
        writer.write(head.encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await read_answer(reader))[0] == status
    writer.close()


async def test_an_old_client_is_not_told_to_go_on(gateway: RunningGateway) -> None:
    reader, writer = await connect(gateway)
    writer.write(
        f"POST /v1/coins/upload HTTP/1.0\r\n{EXPECTING.format(length=2, type='application/json')}{{}}".encode()
    )
    assert (await read_answer(reader))[0].endswith("422 Unprocessable Entity")
    writer.close()
