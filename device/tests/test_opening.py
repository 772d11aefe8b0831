"""Opening a store: the passphrase, the header, older and newer versions, damage, and what the factory picks."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import math
import os
import signal
import sqlite3
import stat
import uuid
from importlib.resources import files
from pathlib import Path

import pytest

from device.backends.redis.store import RedisStore
from device.backends.sqlite import VERSION, SQLiteStore
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
from device.header import change_header, unlock_file
from device.redis_server import RedisServer
from device.sealing import Cost, Sealer, make_header, unlock

from .conftest import CHEAP, PASSPHRASE, Place, fetch


@pytest.mark.parametrize("wrong", ["another passphrase", PASSPHRASE + " ", b"k" * 32])
async def test_a_wrong_passphrase_is_one_clear_error(place: Place, wrong: str | bytes) -> None:
    async with await place.open() as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    with pytest.raises(WrongPassphraseError):
        await place.open(wrong)
    assert await fetch((await place.open()).vault, "name") == b"private"


async def test_a_key_of_32_bytes_opens_as_a_passphrase_does(place: Place) -> None:
    key = os.urandom(32)
    async with await place.open(key) as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    for wrong in (os.urandom(32), PASSPHRASE):
        with pytest.raises(WrongPassphraseError):
            await place.open(wrong)
    assert await fetch((await place.open(key)).vault, "name") == b"private"


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
        ({"iterations": math.inf}, DamagedStoreError),
        ({"version": 2}, NewerStoreError),
    ):
        with pytest.raises(error):
            unlock(json.dumps(fields | changes).encode(), PASSPHRASE)
    for nonsense in (b"", b"{}", b"[]", b"\xff\xfe", b'{"version": ' + b"[" * 200_000):
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
        assert await fetch(other.vault, "name") == b"private"


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
                    assert await fetch(opened.vault, key_id) in (key, None)
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
        assert await fetch(opened.vault, "name") == b"private"
        assert await opened.inventory.contacts() == {}
    assert connection.execute("pragma user_version").fetchone() == (VERSION,)
    connection.execute(f"pragma user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(NewerStoreError, match=r"device\.db"):
        await in_file.open()


def put_version_1(place: Place, keys: int) -> None:
    """What the first version of this package had in Redis: keys, the first burned, and a coin."""
    header = make_header(PASSPHRASE, CHEAP)
    sealer, until = unlock(header, PASSPHRASE), round(place.clock() * 1000) + 10 * 24 * 60 * 60 * 1000
    with place.redis() as client:
        client.function_load("#!lua name=aqm\nredis.register_function('aqm_get_key', function() return 1 end)")
        client.set("aqm:1:header", header)
        for number in range(keys):
            key = f"aqm:1:key:key-{number}"
            fields = {"state": "ACTIVE", "category": "GOLD", "expires_at": until}
            if number:
                client.zadd("aqm:1:idx:vault:GOLD", {f"key-{number}": until})
                client.hset(key, "sealed", sealer.seal(f"key-{number}", "GOLD", b"private"))
            client.hset(key, mapping=fields if number else fields | {"state": "BURNED"})
            client.pexpire(key, 10 * 24 * 60 * 60 * 1000)
        contact = str(uuid.UUID(int=1))
        client.hset("aqm:1:contacts", contact, "BESTIE")
        client.zadd("aqm:1:idx:contacts", {contact: until})
        client.hset("aqm:1:budget:BESTIE", mapping={"GOLD": 7, "SILVER": 0, "BRONZE": 0})
        client.zadd(f"aqm:1:idx:inventory:{contact}:GOLD", {"coin": 1})
        client.hset(f"aqm:1:coin:{contact}:coin", mapping={"public_key": "public", "category": "GOLD"})


@pytest.mark.parametrize("is_interrupted", [False, True])
async def test_an_older_prefix_is_migrated(in_redis: Place, is_interrupted: bool) -> None:
    put_version_1(in_redis, 1200)
    with in_redis.redis() as client:
        if is_interrupted:
            client.copy("aqm:1:header", "aqm:2:header")
            client.rename("aqm:1:key:key-7", "aqm:2:key:key-7")
            client.hset("aqm:2:key:key-7", mapping={"stored_at": 1, "is_last_resort": 0})
        opened = await in_redis.open()
        assert client.keys("aqm:1:*") == []
        assert client.function_list("aqm") == []
        assert client.pttl("aqm:2:key:key-1") > 0, "the expiry moved with the key"
    if not is_interrupted:
        assert await opened.vault.count_active() == {"GOLD": 1199, "SILVER": 0, "BRONZE": 0}
        assert len(await opened.vault.list_keys()) == 1199
    for key_id in ("key-1", "key-7"):
        assert await fetch(opened.vault, key_id) == b"private"
    # What is known of the time is that version 1 stored keys 20 days ago.
    await opened.vault.purge_expired(is_certain=True)
    with pytest.raises(DuplicateKeyError):
        await opened.vault.store_key("key-0", "GOLD", b"private")
    (contact,) = await opened.inventory.contacts()
    assert await opened.inventory.room(contact) == {"GOLD": 7, "SILVER": 0, "BRONZE": 0}
    assert await opened.inventory.select_coin(contact, "GOLD") is None, "nobody knows how old it is"


async def test_a_newer_store_in_redis_is_refused_before_anything_is_written(in_redis: Place) -> None:
    with in_redis.redis() as client:
        client.function_flush("SYNC")
        client.set("aqm:version", 3)
        client.set("aqm:3:header", "something newer")
        with pytest.raises(NewerStoreError):
            await in_redis.open()
        assert sorted(client.keys()) == [b"aqm:3:header", b"aqm:version"]
        assert client.function_list() == []


async def test_another_master_key_in_the_same_redis_is_noticed(in_redis: Place) -> None:
    opened = await in_redis.open()
    await opened.vault.store_key("before", "GOLD", b"private")
    with in_redis.redis() as client:
        client.flushall()
    with pytest.raises(BackendUnavailableError, match="open it again"):
        await opened.vault.store_key("name", "GOLD", b"private")
    other = await in_redis.open("another passphrase")
    for refused in (
        opened.vault.store_key("name", "GOLD", b"private"),
        opened.vault.burn_key("name"),
        opened.inventory.set_budget("BESTIE", 1, 1, 1),
        opened.vault.fetch_key("name"),
    ):
        with pytest.raises(BackendUnavailableError, match="open it again"):
            await refused
    await other.vault.store_key("name", "GOLD", b"private")


async def test_records_in_redis_without_their_header_are_not_given_another(in_redis: Place) -> None:
    async with await in_redis.open() as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    with in_redis.redis() as client:
        client.delete("aqm:2:header")
    with pytest.raises(DamagedStoreError, match="header"):
        await in_redis.open()


async def test_redis_forgets_expired_keys_by_itself(in_redis: Place) -> None:
    vault = (await in_redis.open()).vault
    await vault.store_key("name", "GOLD", b"private")
    day = 24 * 60 * 60 * 1000
    with in_redis.redis() as client:
        assert 90 * day - 60_000 < client.pttl("aqm:2:key:name") <= 90 * day, "a clock that jumps costs no key"
        await vault.burn_key("name")
        assert b"sealed" not in client.hgetall("aqm:2:key:name")
        assert 90 * day - 60_000 < client.pttl("aqm:2:key:name") <= 90 * day
        assert {key for key in client.scan_iter() if client.ttl(key) == -1 and b":budget:" not in key} == {
            b"aqm:version", b"aqm:2:header", b"aqm:2:identity", b"aqm:2:clock", b"aqm:2:uncleaned",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"appendonly": "no"}, "appendonly"),
        ({"appendfsync": "no"}, "appendfsync"),
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
                await fetch(opened.vault, "name")
            server.start()
            assert await fetch(opened.vault, "name") == b"private", "it comes back by itself"


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
                    await fetch(vault, "name")
            finally:
                os.kill(pid, signal.SIGCONT)
            assert await fetch(vault, "other") is None
            assert await fetch(vault, "name") == b"private"


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
        assert await fetch(again.vault, "name") == b"private"


async def test_who_picks_at_once_takes_what_the_first_has_noted(
    in_redis: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis starts between their looks: only the second one meets it, and notes it first."""
    genuine, (first, second) = RedisStore.prepare, (asyncio.Event(), asyncio.Event())

    async def prepare(store: RedisStore) -> None:
        if not first.is_set():
            first.set()
            await second.wait()
            raise BackendUnavailableError("it does not answer yet")
        await genuine(store)

    monkeypatch.setattr(RedisStore, "prepare", prepare)
    late = asyncio.create_task(pick(tmp_path, in_redis.url))
    await first.wait()
    early = await pick(tmp_path, in_redis.url)
    await early.vault.store_key("name", "GOLD", b"private")
    second.set()
    async with early, await late as other:
        assert (early.backend, other.backend) == ("redis", "redis")
        assert await fetch(other.vault, "name") == b"private"


async def test_a_note_of_a_place_that_is_out_of_reach_is_an_error_even_if_it_came_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    def faster(path: Path, _content: bytes) -> None:
        path.write_text("redis\n")

    async def close(store: SQLiteStore) -> None:
        closed.append(store.name)
        await original(store)

    original = SQLiteStore.close
    monkeypatch.setattr(SQLiteStore, "close", close)
    monkeypatch.setattr("device.factory.create_file", faster)
    with pytest.raises(BackendUnavailableError):
        await pick(tmp_path, f"unix://{tmp_path}/nothing.sock")
    assert closed == ["sqlcipher"]


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
        await fetch(opened.vault, "name")


@pytest.mark.parametrize("what", ["device.db", "device.db-wal"])
@pytest.mark.parametrize("is_replaced", [False, True])
async def test_a_file_that_is_removed_under_an_open_store_is_noticed(
    in_file: Place, what: str, is_replaced: bool
) -> None:
    opened = await in_file.open()
    await opened.vault.store_key("before", "GOLD", b"private")
    path = in_file.folder / what
    content = path.read_bytes()
    path.unlink()
    if is_replaced:
        path.write_bytes(content)
    with pytest.raises(DamagedStoreError, match="removed or replaced"):
        await opened.vault.store_key("name", "GOLD", b"private")


async def test_a_header_without_its_database_is_no_new_store(in_file: Place) -> None:
    async with await in_file.open() as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    in_file.file.unlink()
    with pytest.raises(DamagedStoreError, match=r"device\.db is missing"):
        await in_file.open()


async def test_a_start_that_was_interrupted_goes_on(in_file: Place) -> None:
    in_file.file.touch()
    await (await in_file.open()).close()


def test_a_store_that_another_process_makes_meanwhile_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has made all of it just when this one has seen that there is no header."""
    database, exists = tmp_path / "device.db", Path.exists

    def late(path: Path) -> bool:
        found = exists(path)
        if path.name == "device.db.header" and not found:
            monkeypatch.setattr(Path, "exists", exists)
            unlock_file(database, PASSPHRASE, CHEAP)
            database.write_bytes(b"content")
        return found

    monkeypatch.setattr(Path, "exists", late)
    first = unlock_file(database, PASSPHRASE, CHEAP)
    assert first.identity == unlock_file(database, PASSPHRASE, CHEAP).identity


def refuse_links(*_arguments: object) -> None:
    raise PermissionError(1, "Operation not permitted")


async def test_a_file_system_without_links_will_do(in_file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refuse_links)
    async with await in_file.open() as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    assert await fetch((await in_file.open()).vault, "name") == b"private"
    assert [path.name for path in in_file.folder.glob("*.header*")] == ["device.db.header"]
    await (await pick(in_file.folder / "auto")).close()
    assert (in_file.folder / "auto" / "aqm-device.backend").read_text() == "sqlcipher\n"


@pytest.mark.parametrize("name", ["folder is a file", "note is a folder"])
async def test_a_folder_of_no_use_is_one_clear_error(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    if name == "folder is a file":
        folder.write_text("")
    else:
        (folder / "aqm-device.backend").mkdir(parents=True)
    for path in (folder, folder / "deeper") if name == "folder is a file" else (folder,):
        with pytest.raises(BackendUnavailableError, match="folder"):
            await pick(path)


async def test_a_note_that_cannot_be_written_closes_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[SQLiteStore] = []

    async def close(store: SQLiteStore) -> None:
        closed.append(store)
        await original(store)

    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    original = SQLiteStore.close
    monkeypatch.setattr(SQLiteStore, "close", close)
    monkeypatch.setattr("device.factory.create_file", refuse)
    with pytest.raises(BackendUnavailableError, match="No space"):
        await pick(tmp_path)
    assert len(closed) == 1


@pytest.mark.parametrize(
    "cost", [Cost(8, 1, 4), Cost(64, 0, 1), Cost(64, 1, 0), Cost(2**21, 1, 1), Cost(64, 21, 1), Cost(2**10, 1, 17)]
)
async def test_an_impossible_cost_is_refused_by_its_name(place: Place, cost: Cost) -> None:
    settings = DatabaseSettings(place.url, place.folder)
    with pytest.raises(InvalidArgumentError, match="cost"):
        await DatabaseFactory(settings, PASSPHRASE, place.clock, cost=cost).open()
    await place.open()


async def test_a_passphrase_that_is_no_text_is_refused_by_its_name(place: Place) -> None:
    with pytest.raises(InvalidArgumentError, match="secret"):
        await place.open("lone \ud800 surrogate")
    await (await place.open()).close()
    with pytest.raises(InvalidArgumentError, match="secret"):
        await place.open("lone \ud800 surrogate")


@pytest.mark.parametrize("url", ["redis://192.0.2.1/0", "redis://example.com:6379", "redis://?host=example.com"])
async def test_a_redis_elsewhere_must_be_encrypted(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="rediss"):
        await DatabaseFactory(DatabaseSettings(url), PASSPHRASE, cost=CHEAP).open()
    for here in ("redis://127.0.0.2:1", "redis://[::1]:1", "redis://localhost:1", "rediss://127.0.0.1:1"):
        with pytest.raises(BackendUnavailableError):
            await DatabaseFactory(DatabaseSettings(here), PASSPHRASE, cost=CHEAP).open()


@pytest.mark.parametrize(("secret", "new"), [(PASSPHRASE, "another"), (PASSPHRASE, b"k" * 32), (b"k" * 32, "another")])
async def test_the_secret_can_be_changed(place: Place, secret: str | bytes, new: str | bytes) -> None:
    opened = await place.open(secret)
    await opened.vault.store_key("name", "GOLD", b"private")
    settings = DatabaseSettings(place.url, place.folder)
    with pytest.raises(WrongPassphraseError):
        await DatabaseFactory(settings, "wrong", place.clock, cost=CHEAP).change_secret(new, CHEAP)
    changing = DatabaseFactory(settings, secret, place.clock, cost=CHEAP)
    for field, refused in (
        ("secret", changing.change_secret("", CHEAP)),
        ("cost", changing.change_secret("x", Cost(1, 1, 1))),
    ):
        with pytest.raises(InvalidArgumentError, match=field):
            await refused
    await changing.change_secret(new, Cost(128, 2, 1))
    await opened.vault.store_key("meanwhile", "GOLD", b"private")
    with pytest.raises(WrongPassphraseError):
        await place.open(secret)
    for again in (await place.open(new), await changing.open()):
        assert await fetch(again.vault, "name") == await fetch(again.vault, "meanwhile") == b"private"
        await again.close()
    if place.name != "redis":
        path = place.folder / "device.db.header"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_bytes()).get("iterations") == (2 if isinstance(new, str) else None)


async def test_two_who_change_the_secret_at_once_are_not_both_told_that_they_have(place: Place) -> None:
    await (await place.open()).close()
    secrets = [f"passphrase {number}" for number in range(4)]
    settings = DatabaseSettings(place.url, place.folder)
    told = await asyncio.gather(
        *(DatabaseFactory(settings, PASSPHRASE, place.clock).change_secret(secret, CHEAP) for secret in secrets),
        return_exceptions=True,
    )
    (changed,) = [secret for secret, error in zip(secrets, told, strict=True) if error is None]
    await (await place.open(changed)).close()
    # Who comes after the change has another's header before him.
    assert all(isinstance(error, BackendUnavailableError | WrongPassphraseError) for error in told if error), told


async def test_a_change_that_began_before_anothers_ended_is_refused(
    in_file: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has opened the old header, and gets the lock of that when the other lets go of it."""
    await (await in_file.open()).close()
    genuine = fcntl.flock

    def late(file: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", genuine)
        change_header(in_file.file, PASSPHRASE, "the other's", CHEAP)
        genuine(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(BackendUnavailableError, match="try again"):
        change_header(in_file.file, PASSPHRASE, "another", CHEAP)
    await (await in_file.open("the other's")).close()


def test_a_change_of_the_secret_removes_what_a_kill_has_left_and_nothing_else(tmp_path: Path) -> None:
    database = tmp_path / "dev[i]ce.db"
    unlock_file(database, PASSPHRASE, CHEAP)
    copies = [f"dev[i]ce.db.header.{name}" for name in ("bak", "20261122", "my-notes", "new", "bak.00c0ffee.new")]
    for name in (*copies, "dev[i]ce.db.header.00c0ffee.new", "device.db.header.00c0ffee.new"):
        (tmp_path / name).write_text("")
    change_header(database, PASSPHRASE, "another", CHEAP)
    assert {path.name for path in tmp_path.iterdir()} == {
        "dev[i]ce.db", "dev[i]ce.db.header", "device.db.header.00c0ffee.new", *copies,
    }  # fmt: skip


async def test_the_secret_of_no_store_cannot_be_changed(place: Place) -> None:
    for url in (place.url, "auto"):
        with pytest.raises(BackendUnavailableError):
            await DatabaseFactory(DatabaseSettings(url, place.folder), PASSPHRASE, cost=CHEAP).change_secret("x", CHEAP)


async def test_a_redis_that_became_unfit_is_refused(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        place = Place("redis", server.url, tmp_path)
        async with place.opened:
            opened = await place.open()
            vault = opened.vault
            with place.redis() as client:
                client.config_set("appendfsync", "no")
                client.client_kill_filter(_type="normal", skipme=True)
                with pytest.raises(BackendUnavailableError):
                    await vault.store_key("lost", "GOLD", b"private")
                with pytest.raises(BackendUnavailableError, match="appendfsync"):
                    await vault.store_key("lost", "GOLD", b"private")
                client.config_set("appendfsync", "always")
                await vault.store_key("kept", "GOLD", b"private")
                client.config_set("appendonly", "no")
                opened.store._look_at = 0.0  # type: ignore[attr-defined]
                with pytest.raises(BackendUnavailableError, match="appendonly"):
                    await vault.store_key("lost", "GOLD", b"private")
