"""What a device tells of its stores: each operation to a callback, and such a callback for Prometheus."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

Observe = Callable[[str, str, float, str], None]
"""Is told of each operation: its name (vault.burn_key), the backend, seconds, and "ok" or the name of the error."""

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1)


class Observed:
    """What has operations that are told of. area: its part of their names."""

    def __init__(self, area: str, backend: str, observe: Observe | None) -> None:
        self._area = area
        self._backend = backend
        self._observe = observe

    def tell(self, operation: str, seconds: float, outcome: str) -> None:
        """Tell of one operation. A callback that fails must not cost its result: a coin would be lost."""
        if self._observe:
            try:
                self._observe(f"{self._area}.{operation}", self._backend, seconds, outcome)
            except Exception as error:
                logging.getLogger(__name__).error("the observe callback failed: %s", type(error).__name__)


Owner = TypeVar("Owner", bound=Observed)
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Method = Callable[Concatenate[Owner, Parameters], Awaitable[Result]]


def observed(method: Method[Owner, Parameters, Result]) -> Method[Owner, Parameters, Result]:
    """An operation that is told of when it ends, however it does."""
    name = method.__name__

    @functools.wraps(method)
    async def timed(owner: Owner, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        started = time.perf_counter()
        outcome = "ok"
        try:
            return await method(owner, *args, **kwargs)
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            owner.tell(name, time.perf_counter() - started, outcome)

    return timed


class PrometheusMetrics:
    """Counts operations when given as observe. Contacts are never a label: who they are is private.

    registry: where the metrics are registered.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.operations = Counter(
            "aqm_device_operations", "Operations, by how they ended.", ["operation", "backend", "outcome"],
            registry=registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "aqm_device_operation_seconds", "Time an operation took.", ["operation", "backend"],
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self.keys = Gauge("aqm_device_vault_keys", "Private keys not used yet.", ["category"], registry=registry)
        self.coins = Gauge("aqm_device_inventory_coins", "Coins of all contacts.", ["category"], registry=registry)

    def __call__(self, operation: str, backend: str, seconds: float, outcome: str) -> None:
        """Count one operation."""
        self.operations.labels(operation, backend, outcome).inc()
        self.seconds.labels(operation, backend).observe(seconds)

    def set_levels(self, keys: Mapping[str, int], coins: Mapping[str, int]) -> None:
        """Show these levels, by category, until the next. keys: count_active(). coins: count_all()."""
        for gauge, counts in ((self.keys, keys), (self.coins, coins)):
            for category, count in counts.items():
                gauge.labels(category).set(count)
