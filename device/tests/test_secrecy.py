"""Nothing private in a file, a log, a repr or an exception; a burned key's sealed bytes leave the files."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import random
import traceback
import uuid
from collections.abc import Iterable
from pathlib import Path

import pytest

from device.errors import DeviceError
from device.factory import DatabaseFactory, DatabaseSettings
from device.keys import Coin
from device.redis_server import RedisServer

from .conftest import CHEAP, PASSPHRASE, Place, fetch


def read(folders: Iterable[Path]) -> dict[Path, bytes]:
    """Every file under some folders."""
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def holds(content: bytes, sealed: bytes) -> bool:
    """Whether a file has a part of some sealed bytes: SQLite writes over the beginning of what it frees."""
    return sealed[8:32] in content or sealed[-24:] in content


def spellings(secret: bytes) -> list[bytes]:
    return [secret, secret.hex().encode(), base64.b64encode(secret), repr(secret)[2:-1].encode()]


async def test_no_secret_is_in_a_file_a_log_a_repr_or_an_exception(
    place: Place, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = [os.urandom(64) for _ in range(20)]
    told: list[object] = []
    asyncio.get_running_loop().set_debug(True)
    opened = await place.open(observe=lambda *event: told.append(event))
    contact = uuid.uuid4()
    for number, key in enumerate(keys):
        await opened.vault.store_key(f"key-{number}", "GOLD", key)
        assert await fetch(opened.vault, f"key-{number}") == key
    await opened.inventory.set_priority(contact, "BESTIE")
    for provoked in (
        opened.vault.store_key("key-0", "GOLD", keys[0]),
        opened.vault.store_key("key-99", "IRON", keys[0]),
        opened.vault.store_key("", "GOLD", keys[0]),
        opened.inventory.store_key(contact, Coin("", "GOLD", b"", b"")),
        place.open("not " + PASSPHRASE),
        place.open(keys[0][:32]),
        place.open(url=f"sqlite:///{redis_server.log}/no/such/folder/device.db"),
    ):
        try:
            await provoked
        except DeviceError as error:
            told += [str(error), repr(error), error.args, "".join(traceback.format_exception(error))]
        else:
            pytest.fail("an error was expected")
    await opened.vault.burn_key("key-0")
    files = read([place.folder, redis_server.folder])
    told += [opened, opened.vault, opened.inventory, opened.store, opened.vault._sealer, caplog.text]
    told += [vars(opened.inventory), place.opened]
    everything = "\n".join(map(repr, told)).encode()
    master = opened.vault._sealer.sqlcipher_key
    for secret in (*keys, PASSPHRASE.encode(), master):
        for spelling in spellings(secret):
            assert spelling not in everything
            for path, content in files.items():
                assert spelling not in content, path
    if place.name == "sqlcipher":
        for path, content in files.items():
            if path.parent == place.folder:
                assert str(contact).encode() not in content, "who one's contacts are is hidden"


def test_settings_and_factory_show_no_password(tmp_path: Path) -> None:
    settings = DatabaseSettings("redis://:hunter2@localhost:1/0", tmp_path, "redis://:hunter2@localhost:1/0")
    factory = DatabaseFactory(settings, PASSPHRASE, cost=CHEAP)
    shown = repr(settings) + repr(factory)
    assert "hunter2" not in shown
    assert PASSPHRASE not in shown


async def test_errors_of_redis_show_no_password(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    factory = DatabaseFactory(DatabaseSettings("redis://:hunter2@localhost:1/0", tmp_path), PASSPHRASE, cost=CHEAP)
    with pytest.raises(DeviceError) as caught:
        await factory.open()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)) + caplog.text


async def test_sealed_bytes_of_a_burned_key_leave_the_files_soon(in_file: Place) -> None:
    opened = await in_file.open()
    for key_id in ("burned", "kept"):
        await opened.vault.store_key(key_id, "GOLD", os.urandom(64))
    burned, kept = [await opened.store.get_key(key_id, 0) for key_id in ("burned", "kept")]
    assert burned
    assert kept
    if in_file.name == "sqlite":
        assert any(burned[1] in content for content in read([in_file.folder]).values()), "this test can see it"
    await opened.vault.burn_key("burned")
    async with asyncio.timeout(10):
        while (in_file.folder / "device.db-wal").stat().st_size:
            await asyncio.sleep(0.05)
    files = read([in_file.folder]).values()
    assert not any(holds(content, burned[1]) for content in files)
    if in_file.name == "sqlite":
        assert any(kept[1] in content for content in files)


async def test_no_move_between_pages_leaves_a_copy_behind(in_file: Place) -> None:
    """secure_delete misses some of what stays behind when records move because others are deleted.

    The seed and the sizes are of such a case: without VACUUM one record's copy stays (SQLite 3.40).
    """
    chance = random.Random(1)
    now, later = 10**12, 2 * 10**12
    sealed = {f"key-{number}": os.urandom(chance.choice((61, 93))) for number in range(200)}
    async with await in_file.open() as opened:
        store = opened.store
        for key_id, record in sealed.items():
            await store.put_key(key_id, "GOLD", record, later, now, False)
        for key_id in chance.sample(list(sealed), 150):
            await store.burn_key(key_id, now, now + 1)
        await store.purge_keys(now + 1)
        for key_id in sealed:
            await store.burn_key(key_id, now, later)
    files = read([in_file.folder]).values()
    assert [key_id for key_id, record in sealed.items() if any(holds(content, record) for content in files)] == []


async def test_sealed_bytes_of_burned_keys_leave_all_files_by_close(tmp_path: Path, place: Place) -> None:
    """On Redis with a server of its own: the files of the others' are full of what other tests wrote."""
    with RedisServer(tmp_path / "redis") as server:
        if place.name == "redis":
            place = Place("redis", server.url, tmp_path)
        opened = await place.open()
        sealed = {}
        for number in range(200):
            await opened.vault.store_key(f"key-{number}", "GOLD", os.urandom(64))
            found = await opened.store.get_key(f"key-{number}", 0)
            assert found
            sealed[f"key-{number}"] = found[1]
        if place.name != "sqlcipher":
            assert any(sealed["key-7"] in content for content in read([tmp_path]).values()), "this test can see it"
        for key_id in sealed:
            assert await opened.vault.burn_key(key_id)
        await opened.close()
        files = read([tmp_path]).values()
        assert [key_id for key_id, record in sealed.items() if any(holds(content, record) for content in files)] == []


async def test_sealed_bytes_of_a_burned_key_leave_the_aof_soon_even_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer(tmp_path / "redis") as server:
        place = Place("redis", server.url, tmp_path)
        async with place.opened:
            killed = await place.open()
            await killed.vault.store_key("name", "GOLD", os.urandom(64))
            found = await killed.store.get_key("name", 0)
            assert found
            await killed.vault.burn_key("name")
            assert any(found[1] in content for content in read([tmp_path]).values()), "this test can see it"
            monkeypatch.setattr("device.backends.redis.store.CLEAN_AFTER", 0.1)
            await place.open()
            async with asyncio.timeout(10):
                while any(found[1] in content for content in read([tmp_path]).values()):
                    await asyncio.sleep(0.05)
