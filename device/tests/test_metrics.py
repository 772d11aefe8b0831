"""Every operation is told of; Prometheus shows how many, how long, and the levels."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from prometheus_client import CollectorRegistry

from device.errors import DuplicateKeyError, OverBudgetError
from device.keys import Coin
from device.metrics import PrometheusMetrics

from .conftest import Place
from .names import coin_id

COIN = Coin(coin_id("coin"), "GOLD", b"public", b"signature")


async def test_every_operation_is_told_of(place: Place) -> None:
    told: list[tuple[str, str, float, str]] = []
    opened = await place.open(observe=lambda *event: told.append(event))
    vault, inventory, contact = opened.vault, opened.inventory, uuid.uuid4()
    await vault.store_key("name", "GOLD", b"private")
    with pytest.raises(DuplicateKeyError):
        await vault.store_key("name", "GOLD", b"private")
    await vault.fetch_key("name")
    await vault.burn_key("name")
    await vault.purge_expired()
    await vault.count_active()
    await vault.list_keys()
    with pytest.raises(OverBudgetError):
        await inventory.store_key(contact, COIN)
    await inventory.set_budget("BESTIE", 1, 1, 1)
    await inventory.set_priority(contact, "BESTIE")
    await inventory.store_key(contact, COIN)
    await inventory.select_coin(contact, "GOLD")
    await inventory.count_coins(contact)
    await inventory.count_all()
    await inventory.room(contact)
    await inventory.contacts()
    await inventory.garbage_collect()
    await inventory.remove_contact(contact)
    assert [(operation, outcome) for operation, _, _, outcome in told] == [
        ("vault.store_key", "ok"),
        ("vault.store_key", "DuplicateKeyError"),
        ("vault.fetch_key", "ok"),
        ("vault.burn_key", "ok"),
        ("vault.purge_expired", "ok"),
        ("vault.count_active", "ok"),
        ("vault.list_keys", "ok"),
        ("inventory.store_key", "OverBudgetError"),
        ("inventory.set_budget", "ok"),
        ("inventory.set_priority", "ok"),
        ("inventory.store_key", "ok"),
        ("inventory.select_coin", "ok"),
        ("inventory.count_coins", "ok"),
        ("inventory.count_all", "ok"),
        ("inventory.room", "ok"),
        ("inventory.contacts", "ok"),
        ("inventory.garbage_collect", "ok"),
        ("inventory.remove_contact", "ok"),
    ]
    assert {backend for _, backend, _, _ in told} == {place.name}
    assert all(0 < seconds < 10 for _, _, seconds, _ in told)


async def test_a_cancelled_operation_is_told_of(place: Place) -> None:
    told: list[str] = []
    opened = await place.open(observe=lambda *event: told.append(event[3]))
    fetching = asyncio.create_task(opened.vault.fetch_key("name"))
    await asyncio.sleep(0)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert told == ["CancelledError"]


async def test_a_callback_that_fails_costs_no_result(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    def observe(*_event: object) -> None:
        raise RuntimeError("words that may be private")

    opened = await place.open(observe=observe)
    await opened.vault.store_key("name", "GOLD", b"private")
    found = await opened.vault.fetch_key("name")
    assert found
    assert found.private_key == b"private"
    assert "RuntimeError" in caplog.text
    assert "words" not in caplog.text


async def test_prometheus_shows_operations_and_levels(place: Place) -> None:
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    opened = await place.open(observe=metrics)
    contact = uuid.uuid4()
    await opened.vault.store_key("name", "GOLD", b"private")
    await opened.inventory.set_priority(contact, "BESTIE")
    await opened.inventory.store_key(contact, COIN)
    metrics.set_levels(await opened.vault.count_active(), await opened.inventory.count_all())
    labels = {"operation": "vault.store_key", "backend": place.name}
    assert registry.get_sample_value("aqm_device_operations_total", labels | {"outcome": "ok"}) == 1
    assert registry.get_sample_value("aqm_device_operation_seconds_count", labels) == 1
    for gauge in ("aqm_device_vault_keys", "aqm_device_inventory_coins"):
        assert registry.get_sample_value(gauge, {"category": "GOLD"}) == 1
        assert registry.get_sample_value(gauge, {"category": "BRONZE"}) == 0
