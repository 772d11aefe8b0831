"""Processes that use one store, for tests that kill them or let them race.

python -m device.tests.worker URL PASSPHRASE: each line on standard input forks a worker (the fork is quick, importing is
not); what a worker's operations did is written as soon as it is known, a line each, by one write.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

from device.errors import DuplicateKeyError, WrongPassphraseError
from device.factory import Database, DatabaseFactory, DatabaseSettings
from device.keys import Coin
from device.sealing import Cost

from .names import coin_id

CONTACT = uuid.UUID(int=1)
OTHER = "another passphrase"


def tell(*words: object) -> None:
    """Acknowledge: in the pipe before anything else happens."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def store_and_burn(database: Database, seed: int) -> None:
    """For ever: store keys, burn some of one's own, cache coins and take them."""
    chance = random.Random(seed)
    mine: list[str] = []
    await database.inventory.set_budget("WORK", 1000, 0, 0)
    await database.inventory.set_priority(CONTACT, "WORK")
    for number in range(10**9):
        key_id = f"{seed}-{number}"
        kind = chance.randrange(4)
        if kind == 0 and mine:
            burned = mine.pop(chance.randrange(len(mine)))
            tell("burning", burned)
            await database.vault.burn_key(burned)
            tell("burned", burned)
        elif kind == 1:
            coin = Coin(coin_id(key_id, time.time()), "GOLD", key_id.encode(), b"signature")
            await database.inventory.store_key(CONTACT, coin)
            tell("cached", coin.key_id)
        elif kind == 2:
            tell("taking")
            coin = await database.inventory.select_coin(CONTACT, "GOLD")
            tell("taken", coin.key_id if coin else "")
        else:
            await database.vault.store_key(key_id, "GOLD", key_id.encode())
            mine.append(key_id)
            tell("stored", key_id)


async def race(database: Database, seed: int) -> None:
    """Burn, store and take what others want as well; tell what was ours."""
    names = list(range(100))
    random.Random(seed).shuffle(names)

    async def try_all(number: int) -> None:
        if await database.vault.burn_key(f"burn-{number}"):
            tell("burned", number)
        coin = await database.inventory.select_coin(CONTACT, "GOLD")
        if coin:
            tell("taken", coin.key_id)
        with suppress(DuplicateKeyError):
            await database.vault.store_key(f"store-{number}", "GOLD", str(seed).encode())
            tell("stored", number, seed)

    await asyncio.gather(*map(try_all, names))
    tell("done")


async def change(settings: DatabaseSettings, passphrases: list[str]) -> None:
    """For ever: change the secret from one to the other and back."""
    cost = Cost(64, 1, 1)
    for turn in range(10**9):
        with suppress(WrongPassphraseError):
            await DatabaseFactory(settings, passphrases[turn % 2], cost=cost).change_secret(
                passphrases[1 - turn % 2], cost
            )
            tell("changed")


async def work(url: str, passphrase: str, what: str, seed: int) -> None:
    """One worker's life."""
    settings = DatabaseSettings(url, Path())
    if what == "change":
        await change(settings, [passphrase, OTHER])
    async with await DatabaseFactory(settings, passphrase, cost=Cost(64, 1, 1)).open() as database:
        await (race if what == "race" else store_and_burn)(database, seed)


def main(url: str, passphrase: str) -> None:
    """Fork workers for lines of two words, what and a seed: race, work or change until one is killed, or nothing."""
    for line in iter(sys.stdin.readline, ""):
        what, seed = line.split()
        pid = os.fork()
        if pid == 0:
            tell("pid", os.getpid())
            try:
                if what != "nothing":
                    asyncio.run(work(url, passphrase, what, int(seed)))
            except BaseException as error:
                tell("failed", repr(error))
            os._exit(0)
        if what != "race":
            os.waitpid(pid, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
