"""Any sequence of operations does on each backend what a model in plain Python does."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from device.backends.base import BUDGETS, CATEGORIES
from device.clock import DAY
from device.errors import DuplicateCoinError, DuplicateKeyError, OverBudgetError, StaleCoinError, UnknownPriorityError
from device.keys import Coin
from device.redis_server import RedisServer

from .conftest import BACKENDS, Place, fetch
from .names import START, coin_id

numbers = st.integers(0, 5)
names = st.sampled_from([f"name-{number}" for number in range(6)])
categories = st.sampled_from(CATEGORIES)
people = st.sampled_from([uuid.UUID(int=number) for number in range(1, 4)])
priorities = st.sampled_from([*BUDGETS, "UNKNOWN"])


class Machine(RuleBasedStateMachine):
    """A store beside its model. Times are in days, as whole numbers: no test is about rounding."""

    backend: str
    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="aqm-model-"))
        url = self.server.url if self.backend == "redis" else f"{self.backend}:///{self.folder}/device.db"
        self.place = Place(self.backend, url, self.folder)
        if self.backend == "redis":
            with self.place.redis() as client:
                client.flushall()
        self.opened = self.run(self.place.open())
        self.day = 0
        self.keys: dict[str, tuple[str, bytes | None, int]] = {}  # category, bytes unless burned, until
        self.budgets = dict(BUDGETS)
        self.priorities: dict[uuid.UUID, str] = {}
        self.used: dict[uuid.UUID, int] = {}
        self.coins: dict[uuid.UUID, list[Coin]] = {}
        self.taken: dict[tuple[uuid.UUID, str | bytes], int] = {}
        self.minted: dict[str, int] = {}

    def run(self, operation: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(operation)

    def teardown(self) -> None:
        self.run(self.place.opened.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def known(self, name: str) -> bool:
        return name in self.keys and self.keys[name][2] > self.day

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.day += days
        self.run(self.place.later(self.opened, days * DAY))

    @rule()
    def restart(self) -> None:
        self.run(self.opened.close())
        self.opened = self.run(self.place.open())

    @rule(name=names, category=categories, content=st.binary(max_size=80))
    def store_key(self, name: str, category: str, content: bytes) -> None:
        storing = self.opened.vault.store_key(name, category, content)
        if self.known(name):
            with pytest.raises(DuplicateKeyError):
                self.run(storing)
        else:
            self.run(storing)
            self.keys[name] = category, content, self.day + 30

    @rule(name=names)
    def burn_key(self, name: str) -> None:
        is_active = self.known(name) and self.keys[name][1] is not None
        assert self.run(self.opened.vault.burn_key(name)) == is_active
        if is_active:
            self.keys[name] = self.keys[name][0], None, self.day + 30

    @rule()
    def purge(self) -> None:
        expired = [name for name in self.keys if not self.known(name)]
        active = [name for name in expired if self.keys[name][1] is not None]
        purged = self.run(self.opened.vault.purge_expired(is_certain=True))
        # On Redis a name's expired key may have been counted beside the one that took its place.
        assert purged == len(active) or (self.backend == "redis" and purged > len(active))
        for name in expired:
            del self.keys[name]

    @rule(person=people, number=numbers, key=numbers, category=categories, age=st.integers(-2, 25))
    def store_coin(self, person: uuid.UUID, number: int, key: int, category: str, age: int) -> None:
        public_key = b"%d" % key
        coin = Coin(coin_id(number, START + (self.day - age) * DAY), category, public_key, b"signature")
        storing = self.opened.inventory.store_key(person, coin)
        self.minted[coin.key_id] = self.day - age
        taken = max(self.taken.get((person, known), 0) for known in (coin.key_id, public_key))
        if not -1 <= age <= 23:
            with pytest.raises(StaleCoinError):
                self.run(storing)
        elif taken > self.day or self.is_like(coin, self.fresh(person)):
            with pytest.raises(DuplicateCoinError):
                self.run(storing)
        elif self.is_like(coin, self.coins.get(person, [])):
            # Like a stale one, which may be there yet.
            with suppress(DuplicateCoinError, OverBudgetError):
                self.run(storing)
                self.add(person, coin)
        elif self.room(person)[category] == 0:
            with pytest.raises(OverBudgetError):
                self.run(storing)
        else:
            self.run(storing)
            self.add(person, coin)

    @rule(person=people, wished=categories)
    def select_coin(self, person: uuid.UUID, wished: str) -> None:
        if person in self.used:
            self.used[person] = self.day
        expected = None
        for category in CATEGORIES[CATEGORIES.index(wished) :]:
            expected = expected or next((coin for coin in self.fresh(person) if coin.category == category), None)
        assert self.run(self.opened.inventory.select_coin(person, wished)) == expected
        if expected:
            self.coins[person].remove(expected)
            self.taken[person, expected.key_id] = self.taken[person, expected.public_key] = self.day + 30

    @rule(person=people, number=numbers, key=numbers, category=categories)
    def note_used(self, person: uuid.UUID, number: int, key: int, category: str) -> None:
        coin = Coin(coin_id(number, START + self.day * DAY), category, b"%d" % key, b"signature")
        is_noted = self.run(self.opened.inventory.note_used(person, coin))
        names = [(person, coin.key_id), (person, coin.public_key)]
        if any(self.taken.get(name, 0) > self.day for name in names) or self.is_like(coin, self.fresh(person)):
            assert not is_noted
        elif not self.is_like(coin, self.coins.get(person, [])):
            assert is_noted
        if is_noted:
            self.taken |= dict.fromkeys(names, self.day + 30)
            self.priorities.setdefault(person, "STRANGER")
            self.used.setdefault(person, self.day)

    @rule(person=people, priority=priorities)
    def set_priority(self, person: uuid.UUID, priority: str) -> None:
        setting = self.opened.inventory.set_priority(person, priority)
        if priority not in self.budgets:
            with pytest.raises(UnknownPriorityError):
                self.run(setting)
            return
        kept: list[Coin] = []
        stale = [coin for coin in self.coins.get(person, []) if not self.is_fresh(coin)]
        before = self.fresh(person)
        for coin in before:
            most = self.budgets[priority][CATEGORIES.index(coin.category)]
            if sum(each.category == coin.category for each in kept) < most:
                kept.append(coin)
        assert self.run(setting) == len(before) - len(kept)
        self.coins[person], self.priorities[person], self.used[person] = stale + kept, priority, self.day

    @rule(priority=st.sampled_from(list(BUDGETS)), budget=st.tuples(*[st.integers(0, 4)] * 3))
    def set_budget(self, priority: str, budget: tuple[int, int, int]) -> None:
        self.run(self.opened.inventory.set_budget(priority, *budget))
        self.budgets[priority] = budget

    @rule(person=people)
    def remove_contact(self, person: uuid.UUID) -> None:
        removed = self.run(self.opened.inventory.remove_contact(person))
        assert len(self.fresh(person)) <= removed <= len(self.coins.get(person, []))
        self.forget(person)

    @precondition(lambda self: self.used)
    @rule()
    def garbage_collect(self) -> None:
        unused = {person: day for person, day in self.used.items() if day <= self.day - 30}
        collected = self.run(self.opened.inventory.garbage_collect(is_certain=True))
        assert set(collected) == set(unused)
        assert [unused[person] for person in collected] == sorted(unused.values())
        for person in collected:
            self.forget(person)
        for person in self.coins:
            self.coins[person] = self.fresh(person)

    def add(self, person: uuid.UUID, coin: Coin) -> None:
        self.coins.setdefault(person, []).append(coin)
        self.priorities.setdefault(person, "STRANGER")
        self.used.setdefault(person, self.day)

    def is_like(self, coin: Coin, others: list[Coin]) -> bool:
        return any(coin.key_id == each.key_id or coin.public_key == each.public_key for each in others)

    def forget(self, person: uuid.UUID) -> None:
        for of in (self.coins, self.priorities, self.used):
            of.pop(person, None)  # type: ignore[attr-defined]
        self.taken = {place: until for place, until in self.taken.items() if place[0] != person}

    def is_fresh(self, coin: Coin) -> bool:
        return self.minted[coin.key_id] >= self.day - 23

    def fresh(self, person: uuid.UUID) -> list[Coin]:
        return list(filter(self.is_fresh, self.coins.get(person, [])))

    def room(self, person: uuid.UUID) -> dict[str, int]:
        budget = self.budgets[self.priorities.get(person, "STRANGER")]
        coins = [coin.category for coin in self.fresh(person)]
        return {name: max(0, most - coins.count(name)) for name, most in zip(CATEGORIES, budget, strict=True)}

    @invariant()
    def is_as_the_model(self) -> None:
        counts = dict.fromkeys(CATEGORIES, 0)
        for name in [f"name-{number}" for number in range(6)]:
            expected = self.keys[name][1] if self.known(name) else None
            assert self.run(fetch(self.opened.vault, name)) == expected
            if expected is not None:
                counts[self.keys[name][0]] += 1
        assert self.run(self.opened.vault.count_active()) == counts
        assert self.run(self.opened.inventory.contacts()) == self.priorities
        for person in self.priorities:
            assert self.run(self.opened.inventory.room(person)) == self.room(person)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_store_does_what_its_model_does(backend: str, redis_server: RedisServer) -> None:
    machine = type("Machine", (Machine,), {"backend": backend, "server": redis_server})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
