"""The production shape: what can be held of it without a Docker engine, and its commands, run against a real server."""

from __future__ import annotations

import configparser
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from conftest import ROOT, RunningGateway, free_port, is_healthy, make_coins, to_json, wait_until
from db.cluster import DATABASE, SETTINGS, Cluster
from db.migrate import GATEWAY_LOGINS
from gateway.settings import read_settings
from gateway.tokens import make_token

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = {path: path.read_text() for path in (ROOT / "db" / "Dockerfile", ROOT / "gateway" / "Dockerfile")}
OBSERVABILITY = ROOT / "docs" / "observability"
SECONDS = {"s": 1, "m": 60, "h": 3600}


def environment_of(service: str) -> dict[str, str]:
    """As compose gives it to a container when .env names no more than it must."""
    given = SERVICES[service].get("environment", {})
    return {name: value.replace("${TRUSTED_PROXIES:-1}", "1") for name, value in given.items()}


def script_of(service: str) -> str:
    """What a service's shell runs, as the shell sees it."""
    *_, script = SERVICES[service]["command"]
    return str(script).replace("$$", "$")


def server_settings() -> dict[str, str]:
    """What the file for the image sets."""
    return dict(re.findall(r"^([a-z_.]+) = '(.*)'$", (ROOT / "db" / "postgresql.conf").read_text(), re.MULTILINE))


def pgbouncer_settings() -> configparser.SectionProxy:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "db" / "pgbouncer.ini")
    return parser["pgbouncer"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_tells_its_health_or_ends(name: str) -> None:
    service = SERVICES[name]
    ends = service["restart"] == "no"
    assert ends != ("healthcheck" in service)
    waited_for = [other["depends_on"][name] for other in SERVICES.values() if name in other.get("depends_on", {})]
    condition = "service_completed_successfully" if ends else "service_healthy"
    assert all(wait == {"condition": condition} for wait in waited_for)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_images_run_as_somebody_and_from_a_version() -> None:
    for text in DOCKERFILES.values():
        for stage in text.split("FROM ")[1:]:
            assert re.match(r"[a-z]+:\S*\d\S*|debian:[a-z]+-slim", stage), stage
            assert re.findall(r"^USER (\S+)", stage, re.MULTILINE)[-1] not in ("root", "0")
    for service in SERVICES.values():
        assert "build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"])


def test_the_database_is_postgresql_16_and_not_published() -> None:
    postgres = DOCKERFILES[ROOT / "db" / "Dockerfile"]
    assert "FROM postgres:16-bookworm AS postgres" in postgres
    assert "postgresql-16-cron" in postgres
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["inside"]
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert sorted(port.split(":")[-1] for port in published) == ["8080", "9090"]
    assert all(re.match(r"(\$\{PUBLISH:-)?127\.0\.0\.1:", port) for port in published)


def test_no_password_is_written_down() -> None:
    for name in SERVICES:
        for variable, value in environment_of(name).items():
            assert not re.search(r"PASSWORD$|SECRET|TOKEN$", variable), "a secret is a file"
            if variable.endswith(("_FILE", "_KEY_FILE")):
                assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]
            if variable.endswith("_DSN"):
                assert "password" not in conninfo_to_dict(value)
    for text in DOCKERFILES.values():
        assert not re.search(r"^(ARG|ENV) \S*(PASSWORD|SECRET|KEY)", text, re.MULTILINE)
    for declared in COMPOSE["secrets"].values():
        assert re.match(r"\$\{SECRETS_DIR:\?", declared["file"]), "there is no default"
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])


def test_variables_are_known_and_explained() -> None:
    explained = subprocess.run([ROOT / "aqm", "help"], check=True, text=True, capture_output=True).stdout
    used = {word for service in SERVICES.values() for word in re.findall(r"AQM_[A-Z_]+", str(service))}
    assert used <= set(re.findall(r"AQM_[A-Z_]+", explained))
    example = (ROOT / ".env.example").read_text()
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert asked == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))


def test_the_gateway_checks_tokens_and_finishes_what_it_began() -> None:
    settings = read_settings(environment_of("gateway"))
    assert settings.auth == "jwt"
    assert (settings.pool_min, settings.pool_max) == (10, 50)
    number, unit = re.fullmatch(r"(\d+)([smh])", SERVICES["gateway"]["stop_grace_period"]).groups()
    # After the open requests come the calls that were sent: at most a statement's time.
    assert int(number) * SECONDS[unit] > settings.drain + settings.statement_timeout


def test_the_server_is_set_as_in_development() -> None:
    only_here = {"listen_addresses": "*", "default_text_search_config": "pg_catalog.english"}
    assert server_settings() == SETTINGS | only_here
    assert "config_file=/etc/postgresql/postgresql.conf" in SERVICES["postgres"]["command"]


def test_pgbouncer_knows_the_logins_and_leaves_connections_for_others() -> None:
    settings = pgbouncer_settings()
    figures = ("listen_port", "pool_mode", "default_pool_size", "max_client_conn", "auth_type")
    assert [settings[name] for name in figures] == ["6432", "transaction", "50", "500", "scram-sha-256"]
    assert tuple(re.search(r"for login in (.+); do", script_of("pgbouncer"))[1].split()) == GATEWAY_LOGINS
    # The others: listeners, which don't come this way, migrate, pg_cron, people in psql, replicas, backups.
    assert int(settings["max_db_connections"]) + 40 < int(SETTINGS["max_connections"])
    gateway = read_settings(environment_of("gateway"))
    assert gateway.pool_max * len(GATEWAY_LOGINS) <= int(settings["max_client_conn"])
    assert [gateway.pool_wait, gateway.pool_idle, gateway.pool_lifetime] == [
        float(settings[name]) for name in ("query_wait_timeout", "server_idle_timeout", "server_lifetime")
    ]
    assert not gateway.prepare
    assert gateway.statement_timeout == 10, "another needs SET, which in transaction mode reaches somebody else"
    assert conninfo_to_dict(gateway.gateway_dsn)["port"] == "6432"
    assert conninfo_to_dict(gateway.listen_dsn)["port"] == "5432"


def test_what_images_and_mounts_are_made_of_is_there() -> None:
    for path, text in DOCKERFILES.items():
        for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
            assert all((ROOT / source).exists() for source in line.split()), f"{path}: {line}"
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert all((ROOT / source).exists() for source, *_ in mounts if source.startswith("."))
    assert {source for source, *_ in mounts if not source.startswith(".")} == set(COMPOSE["volumes"])


async def test_alerts_and_dashboard_read_what_the_gateway_exports(
    gateway: RunningGateway, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    body = {"user_id": str(bob), "coins": [to_json(coin) for coin in make_coins(1)]}
    question = {"target_user_id": str(bob), "requester_id": str(alice), "coin_category": "BRONZE"}
    assert (await http.post("/v1/coins/upload", json=body)).status == 200
    assert (await http.get("/v1/coins/fetch", params=question)).status == 200
    page = await (await http.get("/metrics")).text()
    families = list(text_string_to_metric_families(page))
    samples = [sample for family in families for sample in family.samples]
    # Without a replica or a large table a gauge is there and has no value yet.
    exported = {sample.name for sample in samples} | {family.name for family in families if family.type == "gauge"}
    labels = {label for sample in samples for label in sample.labels}

    alerts = (OBSERVABILITY / "alerts.yml").read_text()
    dashboard = (OBSERVABILITY / "dashboard.json").read_text()
    json.loads(dashboard)
    read = set(re.findall(r"aqm_[a-z_]+", alerts + dashboard))
    assert read
    assert read <= exported
    # Prometheus adds instance and keeps job to itself; the others have no value here.
    named = set(re.findall(r"\$labels\.([a-z_]+)|\{\{([a-z_]+)\}\}", alerts + dashboard))
    assert "job" not in labels
    assert {first or second for first, second in named} <= labels | {"instance", "replica", "table_name", "chain"}


def test_alerts_are_loaded_and_the_gateway_is_scraped() -> None:
    configuration = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
    mounted = {mount.split(":")[1] for mount in SERVICES["prometheus"]["volumes"]}
    assert configuration["rule_files"] == ["alerts.yml"]
    assert {"/etc/prometheus/prometheus.yml", "/etc/prometheus/alerts.yml"} <= mounted
    assert configuration["scrape_configs"][0]["static_configs"] == [{"targets": ["gateway:8080"]}]
    for group in yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert {"alert", "expr", "for", "labels", "annotations"} == set(rule)
            assert rule["labels"]["severity"] in ("page", "ticket")


# -- a rehearsal: the containers' commands, against a server that asks for passwords over TCP as the image's does


@pytest.fixture
def secret_files(tmp_path: Path) -> Path:
    """A folder as /run/secrets; the passwords hold what a shell, a URI and a quoted string would stumble over."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("postgres_password", "gateway_password"):
        (folder / name).write_text(f"{secrets.token_hex(8)}'\"$HOME %20@/\\ö\n")
    return folder


@pytest.fixture
def server(secret_files: Path) -> Iterator[str]:
    """The address of a server with the image's settings and the rule of its pg_hba.conf."""
    home = Path(tempfile.mkdtemp(prefix="aqm-test-"))
    home.chmod(0o755)
    # All of 127.0.0.0/8 is this machine: an address of our own, where port 5432 is free.
    address = f"127.{secrets.randbelow(200) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    here = {"listen_addresses": address, "shared_buffers": "64MB"}
    cluster = Cluster(home / "postgres", settings=server_settings() | here, throw_away=True)
    try:
        cluster.start()
        with (cluster.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            password = (secret_files / "postgres_password").read_text().rstrip("\n")
            connection.execute(sql.SQL("alter role postgres password {}").format(password))
            connection.execute("select pg_reload_conf()")
        yield f"{address}:5432"
    finally:
        cluster.stop("immediate")
        shutil.rmtree(home)


def start(
    service: str, server: str, secret_files: Path, port: int = 0, pair_quota: str = "1000"
) -> subprocess.Popen[str]:
    """Run a service's command in its environment, with this machine's addresses, files and Python."""

    def here(text: str) -> str:
        for there, instead in (
            ("postgres:5432", server),
            ("pgbouncer:6432", server),
            ("0.0.0.0", "127.0.0.1"),
            ("/run/secrets", str(secret_files)),
            ("python -", f"{sys.executable} -"),
            ("${PAIR_QUOTA:-1000}", pair_quota),
        ):
            text = text.replace(there, instead)
        return text

    environment = {name: here(value) for name, value in environment_of(service).items()} | {"AQM_PORT": str(port)}
    return subprocess.Popen(
        ["sh", "-euc", here(script_of(service))], cwd=ROOT, env=os.environ | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def quotas(server: str, secret_files: Path) -> list[tuple[str, int, bool]]:
    """What each quota is set to, in coins a day."""
    password = (secret_files / "postgres_password").read_text().rstrip("\n")
    with psycopg.connect(f"postgresql://postgres@{server}/{DATABASE}", password=password) as connection:
        return connection.execute("""
            select scope, coins, is_enabled from coins.claim_quota where period = '1 day' order by scope
        """).fetchall()


@pytest.mark.parametrize(
    ("pair_quota", "expected", "code"), [("250", (250, True), 0), ("0", (1000, False), 0), ("many", (1000, False), 1)]
)
def test_the_quota_of_a_pair_is_a_setting(
    server: str, secret_files: Path, pair_quota: str, expected: tuple[int, bool], code: int
) -> None:
    migrate = start("migrate", server, secret_files, pair_quota=pair_quota)
    said, _ = migrate.communicate(timeout=60)
    assert migrate.returncode == code, said
    assert quotas(server, secret_files)[0] == ("pair", *expected)


async def test_the_containers_commands_work(server: str, secret_files: Path, bob: uuid.UUID, alice: uuid.UUID) -> None:
    for _ in range(2):  # every deploy runs it
        migrate = start("migrate", server, secret_files)
        said, _ = migrate.communicate(timeout=60)
        assert migrate.returncode == 0, said
    assert "pg_cron" not in said, "a warning about jobs"
    assert quotas(server, secret_files) == [("pair", 1000, True), ("recipient", 10000, False)]
    for login in GATEWAY_LOGINS:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{login}:wrong@{server}/{DATABASE}")

    key = Ed25519PrivateKey.generate()
    (secret_files / "token_key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (secret_files / "data_keys").write_text(f"encryption 1 {secrets.token_hex(32)}\nindex 1 {secrets.token_hex(32)}\n")
    port = free_port()
    gateway = start("gateway", server, secret_files, port)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_healthy(url) or gateway.poll() is not None, what="gateway is up")
        *_, program = SERVICES["gateway"]["healthcheck"]["test"]
        health = subprocess.run([sys.executable, "-c", program.replace(":8080", f":{port}")], check=False)
        assert health.returncode == 0

        coins = make_coins(2, "GOLD")
        body = {"user_id": str(bob), "coins": [to_json(coin) for coin in coins]}
        question = {"target_user_id": str(bob), "requester_id": str(alice), "coin_category": "GOLD"}
        bobs, alices = ({"Authorization": f"Bearer {make_token(key, 'device', str(user))}"} for user in (bob, alice))
        async with aiohttp.ClientSession(url) as http:
            assert (await http.post("/v1/coins/upload", json=body)).status == 401
            assert (await http.post("/v1/coins/upload", json=body, headers=alices)).status == 403
            uploaded = await http.post("/v1/coins/upload", json=body, headers=bobs)
            assert await uploaded.json() == {"inserted": 2}
            fetched = await http.get("/v1/coins/fetch", params=question, headers=alices)
            assert await fetched.json() == {"coins": [to_json(coins[0])]}
            counted = await http.get("/v1/coins/count", params={"user_id": str(bob)}, headers=bobs)
            assert await counted.json() == {"gold": 1, "silver": 0, "bronze": 0}
            person = {"email": "bob@example.org", "password": "correct horse"}
            assert (await http.post("/users", json=person)).status == 200
            tokens = await (await http.post("/auth/login", json=person)).json()
            own = {"Authorization": f"Bearer {tokens['access_token']}"}
            assert (await http.get(f"/users/{tokens['subject']}", headers=own)).status == 200
            assert (await http.post("/auth/logout", json={}, headers=own)).status == 204
    finally:
        gateway.terminate()
        said, _ = gateway.communicate(timeout=30)
    assert gateway.returncode == 0, said
    assert (secret_files / "gateway_password").read_text()[:16] not in said
