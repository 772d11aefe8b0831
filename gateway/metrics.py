"""What Prometheus reads at /metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from psycopg_pool import PoolTimeout, TooManyRequests

from .catalog import Catalog
from .database import Server
from .problems import Problem

FRESH_FOR = 15.0
"""Seconds for which values from the database are shown again: counting an inventory is work."""

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counters of the gateway, the state of its pools, and the gauges that functions of the database give."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "aqm_requests", "Requests answered, by route and status.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "aqm_request_seconds",
            "Time to answer a request.",
            ["route"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.rows = Counter(
            "aqm_rows", "Rows that endpoints answered with: coins handed out.", ["route"], registry=self.registry
        )
        self.batch_sizes = Histogram(
            "aqm_batch_calls", "Calls that travelled together.", ["route"],
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), registry=self.registry,
        )  # fmt: skip
        self.cache_hits = Counter(
            "aqm_cache_hits", "Answers that were kept and given again, by route.", ["route"], registry=self.registry
        )
        self.cache_misses = Counter(
            "aqm_cache_misses", "Answers of routes that may be kept for which the database was asked.", ["route"],
            registry=self.registry,
        )  # fmt: skip
        self.streams = Gauge("aqm_streams", "Clients that watch.", registry=self.registry)
        self.children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.row_children: dict[str, Counter] = {}
        self.from_database: list[Metric] = []
        self.read_at = float("-inf")

    def count(self, route: str, status: int, seconds: float | None) -> None:
        """Count an answer and the time that it took."""
        children = self.children.get((route, status))
        if children is None:
            children = self.requests.labels(route, status), self.seconds.labels(route)
            self.children[route, status] = children
        children[0].inc()
        if seconds is not None:
            children[1].observe(seconds)

    def count_rows(self, route: str, rows: int) -> None:
        """Count the rows of an answer."""
        child = self.row_children.get(route)
        if child is None:
            child = self.row_children[route] = self.rows.labels(route)
        child.inc(rows)

    def watch_pools(self, servers: dict[str, Server]) -> None:
        """Show the pools of these servers from now on."""
        self.registry.register(_Pools(servers))

    async def render(self, server: Server, catalog: Catalog) -> bytes:
        """The page in Prometheus's text format. A gauge that the database can't give now is left out."""
        if time.monotonic() - self.read_at > FRESH_FOR:
            self.read_at = time.monotonic()
            up = GaugeMetricFamily("aqm_database_up", "Whether the database answered.", value=0)
            with suppress(psycopg.Error, PoolTimeout, TooManyRequests, TimeoutError, Problem):
                await server.query("select 1")
                up = GaugeMetricFamily("aqm_database_up", "Whether the database answered.", value=1)
            gauges: list[Metric] = [up]
            for metric in catalog.metrics:
                # One that fails, or takes too long, must not hide the others.
                with suppress(psycopg.Error, PoolTimeout, TooManyRequests, TimeoutError, Problem):
                    gauges.append(
                        _gauge(metric.name, metric.help, await server.query(f"select * from {metric.function}()"))
                    )
            self.from_database = gauges
        return generate_latest(self.registry) + generate_latest(_Fixed(self.from_database))


class _Pools(Collector):
    def __init__(self, servers: dict[str, Server]) -> None:
        self.servers = servers

    def collect(self) -> Iterator[Metric]:
        gauges = {
            "pool_size": GaugeMetricFamily("aqm_pool_connections", "Connections open.", labels=["server", "pool"]),
            "pool_available": GaugeMetricFamily("aqm_pool_idle", "Connections idle.", labels=["server", "pool"]),
            "in_use": GaugeMetricFamily("aqm_pool_in_use", "Connections in use.", labels=["server", "pool"]),
            "pool_max": GaugeMetricFamily("aqm_pool_max", "Connections allowed.", labels=["server", "pool"]),
            "requests_waiting": GaugeMetricFamily("aqm_pool_waiting", "Calls waiting.", labels=["server", "pool"]),
            "requests_wait_ms": GaugeMetricFamily(
                "aqm_pool_wait_milliseconds", "Time waited for connections, in all.", labels=["server", "pool"]
            ),
            "usage_ms": GaugeMetricFamily(
                "aqm_pool_usage_milliseconds", "Time connections were in use, in all.", labels=["server", "pool"]
            ),
        }
        for name, server in self.servers.items():
            for pool_name, pool in server.pools.items():
                stats: dict[str, Any] = pool.get_stats()
                stats["in_use"] = stats.get("pool_size", 0) - stats.get("pool_available", 0)
                for key, gauge in gauges.items():
                    gauge.add_metric([name, pool_name], stats.get(key, 0))
        yield from gauges.values()


class _Fixed(CollectorRegistry):
    """A registry that holds finished metrics."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        super().__init__()
        self.metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def _gauge(name: str, help_text: str, answer: Any) -> Metric:
    value = answer.columns.index("value")
    labels = [column for column in answer.columns if column != "value"]
    gauge = GaugeMetricFamily(name, help_text.splitlines()[0], labels=labels)
    for row in answer.rows:
        gauge.add_metric([str(row[place]) for place in range(len(row)) if place != value], float(row[value]))
    return gauge
