"""Accounts and sessions among a million people: refreshes and roles, logins beside claims, known and unknown addresses."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from urllib.parse import urlsplit

from gateway.keys import read_data_keys

from ..goals import Goal, compare
from ..pgbench import PgBench
from ..report import Section
from ..results import P99, RATE, Result, latencies
from ..rounds import Contestant, run_rounds
from ..servers import Server, serving
from ..setup import PROBE, Bench

CLIENTS = 2
"""Sessions of pgbench: a core each, so that a time is a call's and not a queue's."""

CLAIMERS, LOGGERS_IN = 64, 4
SESSIONS_EACH = 3
PASSWORD = "correct horse"  # noqa: S105 - of people who do not exist
PEOPLE = """
with given as (
    select
        auth.current_key('index') as index_version, auth.current_key('encryption') as encryption_version,
        auth.hash_password(%(password)s) as password_hash
),
keyed as (
    select
        given.*, auth.data_key('index', index_version) as index_key,
        encode(auth.data_key('encryption', encryption_version), 'hex') as encryption_key
    from given
),
-- Their names are settled here: n is a person's number.
numbered as (select n, 'person-' || n || '@example.org' as email from generate_series(%(first)s::integer, %(last)s::integer) as n)
insert into auth.users (
    id, email_hash, email_encrypted, name_encrypted, password_hash, encryption_version, index_version
)
select
    md5('person ' || n)::uuid, crypto.hmac(email::bytea, index_key, 'sha256'),
    crypto.pgp_sym_encrypt(email, encryption_key, 'cipher-algo=aes256, compress-algo=0, s2k-mode=1'),
    crypto.pgp_sym_encrypt('Person ' || n, encryption_key, 'cipher-algo=aes256, compress-algo=0, s2k-mode=1'),
    password_hash, encryption_version, index_version
from numbered cross join keyed
"""
REFRESH_BYTES = "decode(md5('family ' || {n}), 'hex') || sha256(('token ' || {n})::bytea)"
SESSIONS = f"""
insert into auth.sessions (
    user_id, role, subject, family_hash, refresh_token_hash, access_token_exp, expires_at, device_type,
    browser_fingerprint
)
select
    md5('person ' || s.n %% %(people)s + 1)::uuid, 'user', md5('person ' || s.n %% %(people)s + 1)::uuid,
    sha256(decode(md5('family ' || s.n), 'hex')), sha256({REFRESH_BYTES.format(n="s.n")}), now(), now() + interval '30 days',
    'web', md5('browser ' || s.n)
from generate_series(%(first)s::integer, %(last)s::integer) as s (n)
"""
ROLES = """
insert into auth.user_roles (user_id, product_domain, role)
select md5('person ' || n)::uuid, 'escrow', 'member' from generate_series(%(first)s::integer, %(last)s::integer) as n
"""
STEP = 100_000
REFRESH = f"""
\\set n random(1, {{sessions}})
select * from auth.refresh(translate(encode({REFRESH_BYTES.format(n=":n")}, 'base64'), E'+/\\n', '-_'));
"""
ROLE = """
\\set n random(1, {people})
select * from auth.list_roles(md5('person ' || :n)::uuid, 'escrow');
"""


def run(bench: Bench) -> list[Section]:
    """Fill the tables, then each in its turn."""
    fill(bench)
    return [probes(bench), beside_claims(bench), known_and_unknown(bench)]


def fill(bench: Bench) -> None:
    """Make the people, their roles and sessions, by statements of a hundred thousand."""
    people = bench.options.people
    keys = read_data_keys(bench.home / "data_keys")
    with bench.ours.stock.connect() as connection:
        for name, value in keys.items():
            connection.execute("select set_config(%s, %s, false)", [name, value])
        for what, statement, count in (
            ("people", PEOPLE, people), ("roles", ROLES, people), ("sessions", SESSIONS, SESSIONS_EACH * people)
        ):  # fmt: skip
            for first in range(1, count + 1, STEP):
                bench.say(f"making {what}: {first - 1:,} of {count:,}")
                last = min(count, first + STEP - 1)
                values = {"first": first, "last": last, "people": people, "password": PASSWORD}
                connection.execute(statement.encode(), values)
        connection.execute("vacuum analyze auth.users, auth.user_roles, auth.sessions")


def probes(bench: Bench) -> Section:
    """The hot paths at the database."""
    people = bench.options.people
    dsn = bench.ours.stock.dsn

    def contestant(name: str, script: str) -> Contestant:
        folder = bench.home / name.replace(".", "-")
        return Contestant(
            name, PgBench(dsn, script.format(people=people, sessions=SESSIONS_EACH * people), folder, CLIENTS)
        )

    contestants = [contestant("auth.refresh", REFRESH), contestant("auth.list_roles", ROLE)]
    results = run_rounds(bench, contestants)
    return Section(
        title="Sessions and roles at the database",
        text=f"{people:,} people, {SESSIONS_EACH * people:,} sessions. pgbench, {CLIENTS} clients, prepared statements. A refresh "
        "checks a session, exchanges its token, writes it and commits; a role look-up reads.",
        results=results,
        goals=[Goal("auth.refresh", measure=P99, at_most=5), Goal("auth.list_roles", measure=P99, at_most=5)],
        unit="calls",
    )


def beside_claims(bench: Bench) -> Section:
    """Claims over HTTP, alone and while others log in as fast as they are let."""
    stock = bench.ours.stock
    alone = Contestant("claims alone", bench.http_load(bench.ours.server, CLAIMERS), stock)
    logins: list[float] = []

    @contextlib.contextmanager
    def logging_in() -> Iterator[None]:
        with login_load(bench, logins):
            yield

    beside = Contestant("claims beside logins", bench.http_load(bench.ours.server, CLAIMERS), stock, logging_in)
    results = run_rounds(bench, [alone, beside])
    rate = median(logins) if logins else 0.0
    return Section(
        title="Logins beside claims",
        text=f"{CLAIMERS} clients claim over HTTP; in every second turn {LOGGERS_IN} others log in without a pause, which a "
        f"gateway lets have a share of the machine: {rate:.1f} logins a second (median of the rounds).",
        results=results,
        goals=[Goal(beside.name, alone.name, RATE, at_least=0.8), *compare(beside.name, alone.name, P99)],
    )


@contextlib.contextmanager
def login_load(bench: Bench, rates: list[float]) -> Iterator[None]:
    """Log people in by some threads until the block ends; adds logins a second to a list."""
    stopping = threading.Event()
    counts = [0] * LOGGERS_IN

    def log_in(number: int) -> None:
        n = number
        with Client(bench.ours.server.url) as client:
            while not stopping.is_set():
                n = n % bench.options.people + LOGGERS_IN
                counts[number] += client.login(f"person-{n}@example.org", PASSWORD) == 200

    threads = [threading.Thread(target=log_in, args=[number]) for number in range(LOGGERS_IN)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        rates.append(sum(counts) / (time.monotonic() - started))


def known_and_unknown(bench: Bench) -> Section:
    """Refused logins of people who are there and of people who are not, in turn: does the time tell which."""
    tries = bench.options.tries
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    with gateway_without_rest(bench) as server, Client(server.url) as client, bench.ours.stock.connect() as connection:
        for number in range(1, tries // 2 + 1):
            if number % 20 == 0:
                # One address asks: it must not be locked. No account is tried five times.
                connection.execute("truncate auth.login_attempts")
            if number % 250 == 0:
                bench.say(f"refused logins: {2 * number:,} of {tries:,}")
            for kind in ("known", "unknown") if number % 2 else ("unknown", "known"):
                name = "person" if kind == "known" else "nobody"
                started = time.perf_counter()
                status = client.login(f"{name}-{number % bench.options.people + 1}@example.org", "wrong horse")
                times[kind].append((time.perf_counter() - started) * 1000)
                if status != 401:
                    raise AssertionError(f"a wrong password was answered with {status}")
    difference = median(times["known"]) - median(times["unknown"])
    results = {
        kind: [Result(coins=len(taken), seconds=sum(taken) / 1000, **latencies(taken))] for kind, taken in times.items()
    }
    results["known"][0] = replace(results["known"][0], more={"ms between medians": abs(difference)})
    return Section(
        title="Refused logins, known and unknown address",
        text=f"{tries:,} tries over HTTP, one at a time, in turn. Known minus unknown, of the medians: {difference:+.2f} ms.",
        results=results,
        goals=[Goal("known", measure="ms between medians", at_most=2)],
        unit="calls",
    )


def gateway_without_rest(bench: Bench) -> contextlib.AbstractContextManager[Server]:
    """A gateway whose logins don't wait for their share of the machine: that would be most of what is measured."""
    settings = {
        "AQM_DSN": bench.ours.stock.dsn, "AQM_PORT": "{port}", "AQM_DATA_DIR": str(bench.home), "AQM_COSTLY_CORES": "8",
    }  # fmt: skip
    return serving("AQM, logins at once", [sys.executable, "-m", "gateway"], bench.home, PROBE, settings)


class Client:
    """One connection over which logins are tried."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.connection.close()

    def login(self, email: str, password: str) -> int:
        """The status of a login."""
        body = json.dumps({"email": email, "password": password})
        self.connection.request("POST", "/auth/login", body, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status
