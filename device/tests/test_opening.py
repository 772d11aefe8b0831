"""Opening a store: the passphrase, the header, older and newer versions, damage, and what the factory picks."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import stat
from importlib.resources import files
from pathlib import Path

import pytest

from device import factory
from device.backends.redis.store import RedisStore
from device.backends.sqlite import VERSION
from device.errors import (
    BackendUnavailableError,
    DamagedStoreError,
    DuplicateKeyError,
    InvalidArgumentError,
    NewerStoreError,
    StoreError,
    WrongPassphraseError,
)
from device.factory import Database, DatabaseFactory, DatabaseSettings
from device.header import unlock_file
from device.redis_server import RedisServer
from device.sealing import Cost, Sealer, make_header, unlock

from .conftest import CHEAP, PASSPHRASE, Place


@pytest.mark.parametrize("wrong", ["another passphrase", PASSPHRASE + " ", b"k" * 32])
async def test_a_wrong_passphrase_is_one_clear_error(place: Place, wrong: str | bytes) -> None:
    async with await place.open() as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    with pytest.raises(WrongPassphraseError):
        await place.open(wrong)
    assert await (await place.open()).vault.fetch_key("name") == b"private"


async def test_a_key_of_32_bytes_opens_as_a_passphrase_does(place: Place) -> None:
    key = os.urandom(32)
    async with await place.open(key) as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    for wrong in (os.urandom(32), PASSPHRASE):
        with pytest.raises(WrongPassphraseError):
            await place.open(wrong)
    assert await (await place.open(key)).vault.fetch_key("name") == b"private"


@pytest.mark.parametrize("secret", ["", b"", b"k" * 31, b"k" * 33])
async def test_what_is_no_secret_is_refused(place: Place, secret: str | bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="secret"):
        await place.open(secret)


def test_the_same_letters_composed_otherwise_are_the_same_passphrase() -> None:
    header = make_header("Zoe\u0308", CHEAP)
    assert isinstance(unlock(header, "Zo\u00eb"), Sealer)


def test_the_cost_is_the_headers_so_that_it_can_be_raised_later() -> None:
    assert {key: json.loads(make_header(PASSPHRASE, Cost(128, 2, 1)))[key] for key in ("memory_kib", "iterations")} == {
        "memory_kib": 128,
        "iterations": 2,
    }
    assert Cost() == Cost(memory_kib=65536, iterations=3, lanes=4), "RFC 9106, section 4"


def test_a_changed_header_is_refused() -> None:
    fields = json.loads(make_header(PASSPHRASE, CHEAP))
    for changes, error in (
        ({"salt": "00" * 16}, WrongPassphraseError),
        ({"iterations": 2}, WrongPassphraseError),
        ({"wrapped": fields["wrapped"][:-2]}, WrongPassphraseError),
        ({"wrapped": ""}, WrongPassphraseError),
        ({"wrapped": "xy"}, DamagedStoreError),
        ({"salt": ""}, DamagedStoreError),
        ({"memory_kib": 2**40}, DamagedStoreError),
        ({"memory_kib": 0}, DamagedStoreError),
        ({"iterations": "many"}, DamagedStoreError),
        ({"version": 2}, NewerStoreError),
    ):
        with pytest.raises(error):
            unlock(json.dumps(fields | changes).encode(), PASSPHRASE)
    for nonsense in (b"", b"{}", b"[]", b"\xff\xfe"):
        with pytest.raises(DamagedStoreError):
            unlock(nonsense, PASSPHRASE)


def test_a_record_opens_under_its_own_name_and_category_only() -> None:
    sealer = Sealer(b"k" * 32)
    sealed = sealer.seal("name", "GOLD", b"private")
    assert sealed != sealer.seal("name", "GOLD", b"private"), "no nonce comes twice"
    assert sealer.open("name", "GOLD", sealed) == b"private"
    attempts = [("other", "GOLD", sealed), ("name", "SILVER", sealed), ("name", "GOLD", b"\x02" + sealed[1:])]
    attempts += [("name", "GOLD", sealed[:length]) for length in range(len(sealed))]
    for attempt in attempts:
        with pytest.raises(DamagedStoreError):
            sealer.open(*attempt)
    with pytest.raises(DamagedStoreError):
        Sealer(b"j" * 32).open("name", "GOLD", sealed)


async def test_files_are_for_their_owner_alone(place: Place) -> None:
    opened = await place.open()
    await opened.vault.store_key("name", "GOLD", b"private")
    made = [path for path in place.folder.iterdir() if path.is_file()]
    assert len(made) == (0 if place.name == "redis" else 4), "header, opened, -wal and -shm"
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


async def test_many_may_open_a_new_store_at_once(place: Place) -> None:
    first, *others = await asyncio.gather(*(place.open() for _ in range(5)))
    await first.vault.store_key("name", "GOLD", b"private")
    for other in others:
        assert await other.vault.fetch_key("name") == b"private"


async def test_a_database_without_its_header_is_not_given_another(in_file: Place) -> None:
    async with await in_file.open():
        pass
    header = in_file.folder / "device.db.header"
    saved = header.read_bytes()
    header.unlink()
    with pytest.raises(DamagedStoreError, match=r"device\.db\.header"):
        await in_file.open()
    header.write_bytes(saved)
    async with await in_file.open():
        pass


async def test_a_flipped_byte_of_the_file_is_noticed(in_file: Place) -> None:
    """Everywhere by SQLCipher; in plain SQLite where it matters for a key."""
    keys = {f"key-{number}": os.urandom(64) for number in range(50)}
    async with await in_file.open() as opened:
        for key_id, key in keys.items():
            await opened.vault.store_key(key_id, "GOLD", key)
    whole = in_file.file.read_bytes()
    noticed = 0
    for place in range(20, len(whole), len(whole) // 40):
        in_file.file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            async with await in_file.open() as opened:
                for key_id, key in keys.items():
                    assert await opened.vault.fetch_key(key_id) in (key, None)
                await opened.inventory.contacts()
        except StoreError:
            noticed += 1
    assert noticed > 0
    if in_file.name == "sqlcipher":
        # The first page is read by all, the others by who needs them.
        in_file.file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        with pytest.raises(DamagedStoreError):
            await in_file.open()


async def test_another_file_is_not_taken_for_a_database(in_file: Place) -> None:
    content = b"not a opened " * 400
    unlock_file(in_file.file, PASSPHRASE, CHEAP)
    in_file.file.write_bytes(content)
    with pytest.raises(StoreError):
        await in_file.open()
    assert in_file.file.read_bytes() == content


async def test_a_plain_file_is_not_opened_as_an_encrypted_one_nor_the_reverse(tmp_path: Path) -> None:
    for kind, other in (("sqlite", "sqlcipher"), ("sqlcipher", "sqlite")):
        path = tmp_path / f"{kind}.db"
        for url in (f"{kind}:///{path}", f"{other}:///{path}"):
            opening = DatabaseFactory(DatabaseSettings(url), PASSPHRASE, cost=CHEAP).open()
            if url.startswith(f"{kind}:"):
                await (await opening).close()
            else:
                with pytest.raises(DamagedStoreError):
                    await opening


async def test_an_older_file_is_migrated_and_a_newer_one_refused(in_file: Place) -> None:
    sealer = unlock_file(in_file.file, PASSPHRASE, CHEAP)
    sealed = sealer.seal("name", "GOLD", b"private")
    driver, key = sqlite3, ""
    if in_file.name == "sqlcipher":
        import sqlcipher3

        driver, key = sqlcipher3, f"pragma key = \"x'{sealer.sqlcipher_key.hex()}'\";"
    connection = driver.connect(str(in_file.file))
    connection.executescript(key + files("device.backends").joinpath("migrations/1.sql").read_text())
    connection.execute("pragma user_version = 1")
    connection.execute(
        "insert into vault (key_id, category, expires_at, sealed) values ('name', 'GOLD', ?, ?)", (2**42, sealed)
    )
    connection.commit()
    async with await in_file.open() as opened:
        assert await opened.vault.fetch_key("name") == b"private"
        assert await opened.inventory.contacts() == {}
    assert connection.execute("pragma user_version").fetchone() == (VERSION,)
    connection.execute(f"pragma user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(NewerStoreError, match=r"device\.db"):
        await in_file.open()


async def test_an_older_prefix_is_migrated_and_a_newer_one_refused(in_redis: Place) -> None:
    async with await in_redis.open() as older:
        for number in range(1200):
            await older.vault.store_key(f"key-{number}", "GOLD", b"private")
        await older.vault.burn_key("key-0")
    with in_redis.redis() as client:
        newer = RedisStore(in_redis.url, version=2)
        await newer.prepare()
        sealer = await newer.unlock(PASSPHRASE, CHEAP)
        vault = factory.SecureVault(newer, sealer, in_redis.clock)
        assert client.keys("aqm:1:*") == []
        assert await vault.count_active() == {"GOLD": 1199, "SILVER": 0, "BRONZE": 0}
        assert await vault.fetch_key("key-1") == b"private"
        assert client.pttl("aqm:2:key:key-1") > 0, "the expiry moved with the key"
        with pytest.raises(DuplicateKeyError):
            await vault.store_key("key-0", "GOLD", b"private")
        await newer.close()
    with pytest.raises(NewerStoreError):
        await in_redis.open()


async def test_a_migration_that_was_interrupted_goes_on(in_redis: Place) -> None:
    async with await in_redis.open() as older:
        for key_id in ("moved", "left"):
            await older.vault.store_key(key_id, "GOLD", key_id.encode())
    with in_redis.redis() as client:
        client.rename("aqm:1:key:moved", "aqm:2:key:moved")
    newer = RedisStore(in_redis.url, version=2)
    await newer.prepare()
    vault = factory.SecureVault(newer, await newer.unlock(PASSPHRASE, CHEAP), in_redis.clock)
    for key_id in ("moved", "left"):
        assert await vault.fetch_key(key_id) == key_id.encode()
    await newer.close()


async def test_redis_forgets_expired_keys_by_itself(in_redis: Place) -> None:
    vault = (await in_redis.open()).vault
    await vault.store_key("name", "GOLD", b"private")
    day = 24 * 60 * 60 * 1000
    with in_redis.redis() as client:
        assert 30 * day - 60_000 < client.pttl("aqm:1:key:name") <= 30 * day
        await vault.burn_key("name")
        assert client.hgetall("aqm:1:key:name").keys() == {b"state", b"category", b"expires_at"}
        assert 30 * day - 60_000 < client.pttl("aqm:1:key:name") <= 30 * day
        assert [key for key in client.scan_iter() if client.ttl(key) == -1 and b":budget:" not in key] == [
            b"aqm:1:header"
        ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"appendonly": "no"}, "appendonly"),
        ({"maxmemory_policy": "allkeys-lru"}, "noeviction"),
    ],
)
async def test_a_redis_that_would_lose_keys_is_refused(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    with RedisServer(tmp_path / "redis", **settings) as server, pytest.raises(BackendUnavailableError, match=said):
        await Place("redis", server.url, tmp_path).open()


async def test_burning_works_when_redis_is_full(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        place = Place("redis", server.url, tmp_path)
        async with place.opened:
            vault = (await place.open()).vault
            await vault.store_key("name", "GOLD", b"private")
            with place.redis() as client:
                client.config_set("maxmemory", "1")
            with pytest.raises(BackendUnavailableError):
                await vault.store_key("other", "GOLD", b"private")
            assert await vault.burn_key("name")


async def test_a_redis_that_is_away_is_one_clear_error(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        place = Place("redis", server.url, tmp_path)
        async with place.opened:
            opened = await place.open()
            await opened.vault.store_key("name", "GOLD", b"private")
            server.stop()
            with pytest.raises(BackendUnavailableError):
                await opened.vault.fetch_key("name")
            server.start()
            assert await opened.vault.fetch_key("name") == b"private", "it comes back by itself"


async def test_a_redis_that_hangs_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RedisServer(tmp_path / "redis") as server:
        place = Place("redis", server.url, tmp_path)
        async with place.opened:
            vault = (await place.open()).vault
            await vault.store_key("name", "GOLD", b"private")
            with place.redis() as client:
                pid = int(client.info("server")["process_id"])
            monkeypatch.setattr("device.backends.redis.store.PATIENCE", 0.2)
            os.kill(pid, signal.SIGSTOP)
            try:
                with pytest.raises(BackendUnavailableError, match="TimeoutError"):
                    await vault.fetch_key("name")
            finally:
                os.kill(pid, signal.SIGCONT)
            assert await vault.fetch_key("other") is None
            assert await vault.fetch_key("name") == b"private"


async def pick(folder: Path, redis_url: str | None = None, secret: str = PASSPHRASE) -> Database:
    settings = DatabaseSettings("auto", folder, redis_url)
    return await DatabaseFactory(settings, secret, cost=CHEAP).open()


async def test_auto_takes_redis_when_it_is_there(
    in_redis: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    opened = await pick(tmp_path, in_redis.url)
    await opened.close()
    assert (opened.backend, opened.reason) == ("redis", "auto: Redis is there and keeps an AOF")
    assert opened.reason in caplog.text


async def test_auto_takes_an_encrypted_file_when_redis_is_away_and_keeps_to_it(in_redis: Place, tmp_path: Path) -> None:
    opened = await pick(tmp_path, f"unix://{tmp_path}/nothing.sock")
    await opened.vault.store_key("name", "GOLD", b"private")
    await opened.close()
    assert opened.backend == "sqlcipher"
    assert "does not answer" in opened.reason
    async with await pick(tmp_path, in_redis.url) as again:
        assert again.backend == "sqlcipher"
        assert await again.vault.fetch_key("name") == b"private"


async def test_auto_does_not_look_elsewhere_for_keys_that_are_in_redis(in_redis: Place, tmp_path: Path) -> None:
    await (await pick(tmp_path, in_redis.url)).close()
    with pytest.raises(BackendUnavailableError):
        await pick(tmp_path, f"unix://{tmp_path}/nothing.sock")
    with pytest.raises(BackendUnavailableError, match="redis_url"):
        await pick(tmp_path)


async def test_auto_takes_a_plain_file_without_sqlcipher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    async with await pick(tmp_path / "new" / "folder") as opened:
        assert opened.backend == "sqlite"
        assert opened.reason == "auto: no redis_url is set; sqlcipher3 is not installed"


@pytest.mark.parametrize(
    "url", ["", "postgresql://host", "sqlite:", "sqlite:///", "sqlcipher://x", "redis://[", "auto:"]
)
async def test_an_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="url"):
        await DatabaseFactory(DatabaseSettings(url), PASSPHRASE, cost=CHEAP).open()


async def test_a_file_that_cannot_be_made_is_one_clear_error(in_file: Place) -> None:
    (in_file.folder / "file").write_text("")
    with pytest.raises(BackendUnavailableError, match="file"):
        await in_file.open(url=f"{in_file.name}:///{in_file.folder}/file/device.db")


async def test_a_closed_store_says_so(place: Place) -> None:
    opened = await place.open()
    await opened.close()
    await opened.close()
    with pytest.raises(BackendUnavailableError, match="closed"):
        await opened.vault.fetch_key("name")
