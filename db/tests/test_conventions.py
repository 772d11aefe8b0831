"""What is asked of every function, table and role, held against the catalog and the files: what no test holds, drifts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg.rows import class_row

from conftest import ROOT, Database, migrated_copy
from db.cluster import Cluster
from gateway.problems import status_of

FILES = sorted((ROOT / "db" / "functions").glob("*/*.sql"))

COMMITS = {"ops.run_until_done"}
"""Procedures that commit: those can be neither SECURITY DEFINER nor pin their search_path."""

MAY_EXECUTE: dict[str, set[str]] = {
    "public": set(),
    "aqm_anon": {
        "auth.confirm_email",
        "auth.create_user",
        "auth.list_signing_keys",
        "auth.login",
        "auth.refresh",
        "auth.request_password_reset",
        "auth.reset_password",
        "escrow.find_product",
        "escrow.find_profile",
        "escrow.list_arbitrators",
        "escrow.make_nonce",
        "escrow.search_products",
        "escrow.sign_in",
    },
    "aqm_device": {
        "auth.logout",
        "coins.claim_coins",
        "coins.claim_coins_batch",
        "coins.claim_many",
        "coins.coin_status",
        "coins.count_coins",
        "coins.discard_coins",
        "coins.list_claimed",
        "coins.put_last_resort",
        "coins.upload_coins",
        "coins.watch_stock",
    },
    "aqm_user": {
        "auth.change_email",
        "auth.change_password",
        "auth.close_account",
        "auth.find_company",
        "auth.find_partner_config",
        "auth.find_user",
        "auth.list_companies",
        "auth.list_company_members",
        "auth.list_partner_configs",
        "auth.list_roles",
        "auth.list_sessions",
        "auth.logout",
        "auth.request_email_check",
        "auth.revoke_session",
        "auth.update_user",
    },
    "aqm_wallet": {
        "escrow.add_evidence",
        "escrow.add_review",
        "escrow.cancel_order",
        "escrow.complete_order",
        "escrow.confirm_order",
        "escrow.create_order",
        "escrow.create_product",
        "escrow.delete_product",
        "escrow.dispute_order",
        "escrow.find_order",
        "escrow.find_product",
        "escrow.find_profile",
        "escrow.list_arbitrators",
        "escrow.list_evidence",
        "escrow.list_messages",
        "escrow.list_orders",
        "escrow.list_own_products",
        "escrow.resolve_dispute",
        "escrow.search_products",
        "escrow.send_message",
        "escrow.update_product",
        "escrow.update_profile",
    },
    "aqm_worker": {
        "auth.claim_email_events",
        "auth.logout",
        "auth.settle_email_event",
        "escrow.apply_chain_event",
        "escrow.find_chain_cursor",
        "escrow.move_chain_cursor",
        "escrow.roll_back_chain",
    },
    "aqm_admin": {
        "auth.add_company_member",
        "auth.change_email",
        "auth.create_company",
        "auth.create_user",
        "auth.delete_company",
        "auth.delete_user",
        "auth.erase_user",
        "auth.find_company",
        "auth.find_partner_config",
        "auth.find_user",
        "auth.grant_role",
        "auth.list_companies",
        "auth.list_company_members",
        "auth.list_partner_configs",
        "auth.list_roles",
        "auth.list_sessions",
        "auth.list_users",
        "auth.logout",
        "auth.remove_company_member",
        "auth.request_email_check",
        "auth.revoke_role",
        "auth.revoke_session",
        "auth.set_active",
        "auth.set_kyc",
        "auth.set_partner_config",
        "auth.update_company",
        "auth.update_user",
        "coins.hard_delete_fetched",
        "coins.purge_stale",
        "escrow.apply_chain_event",
        "escrow.blacklist_wallet",
        "escrow.clear_wallet",
        "escrow.daily_stats",
        "escrow.find_chain_cursor",
        "escrow.find_order",
        "escrow.find_product",
        "escrow.find_profile",
        "escrow.list_arbitrators",
        "escrow.list_blacklist",
        "escrow.list_evidence",
        "escrow.list_messages",
        "escrow.list_orders",
        "escrow.move_chain_cursor",
        "escrow.roll_back_chain",
        "escrow.search_products",
        "escrow.update_profile",
    },
    "aqm_monitor": {
        "auth.emails_given_up",
        "auth.oldest_email_seconds",
        "auth.verify_audit",
        "coins.claims_last_hour",
        "coins.inventory_by_category",
        "coins.top_inventories",
        "escrow.chain_ages",
        "escrow.waiting_orders",
        "gateway.list_fields",
        "gateway.list_metrics",
        "gateway.list_routes",
        "ops.bloat",
        "ops.cron_health",
        "ops.index_sizes",
        "ops.job_alarms",
        "ops.job_last_success",
        "ops.replication_lag_seconds",
        "ops.dead_rows_percent",
        "ops.oldest_snapshot",
        "ops.pool_usage",
        "ops.replication_lag",
        "ops.slow_queries",
        "ops.table_sizes",
    },
    "aqm_jobs": {
        "auth.discard_devices",
        "auth.purge_login_attempts",
        "auth.purge_one_time_tokens",
        "auth.purge_sessions",
        "auth.roll_months",
        "auth.seal_audit",
        "coins.guard_purge_stale",
        "coins.hard_delete_fetched",
        "coins.purge_claim_requests",
        "coins.purge_quota_use",
        "coins.purge_stale",
        "coins.roll_spent_months",
        "escrow.apply_timeouts",
        "escrow.check_profiles",
        "escrow.purge_messages",
        "escrow.purge_nonces",
        "escrow.purge_products",
        "ops.find_job",
        "ops.record_job_alarm",
        "ops.record_job_success",
        "ops.run_until_done",
    },
    "aqm_gateway": {
        "auth.emails_given_up",
        "auth.list_data_keys",
        "auth.list_signing_keys",
        "auth.oldest_email_seconds",
        "auth.register_signing_key",
        "coins.inventory_by_category",
        "escrow.chain_ages",
        "escrow.waiting_orders",
        "gateway.list_fields",
        "gateway.list_metrics",
        "gateway.list_revocations",
        "gateway.list_routes",
        "ops.job_alarms",
        "ops.job_last_success",
        "ops.replication_lag_seconds",
        "ops.dead_rows_percent",
    },
}
"""All that each role may call; owners, who may call what is theirs, are not listed."""

REGISTERS = {"gateway.expose", "gateway.expose_metric", "gateway.expose_stream", "ops.keep_trigger", "ops.schedule_job"}
"""What files of functions call when they are applied."""

CONTEXTS_MAY_CALL = {
    ("aqm_auth_owner", "coins.discard_coins"),
    ("aqm_auth_owner", "gateway.bust_cache"),
    ("aqm_auth_owner", "gateway.revoke_session"),
    ("aqm_coins_owner", "gateway.bust_cache"),
    ("aqm_escrow_owner", "auth.write_audit"),
    ("aqm_escrow_owner", "gateway.bust_cache"),
    ("aqm_ops_owner", "coins.fence_inventory"),
}
"""What the functions of a context may call of another's."""

MAY_TOUCH = {("aqm_monitor", "ops.schema_version", "SELECT")}
"""All rights on tables that anyone but the owner of the context has."""

MAY_BECOME = {
    ("aqm_gateway_anon", "aqm_anon"),
    ("aqm_gateway_device", "aqm_device"),
    ("aqm_gateway_user", "aqm_user"),
    ("aqm_gateway_wallet", "aqm_wallet"),
    ("aqm_gateway_worker", "aqm_worker"),
    ("aqm_gateway_admin", "aqm_admin"),
    ("aqm_ops_owner", "pg_monitor"),
}
"""Who has the rights of another role."""


class Routine(NamedTuple):
    """A function or procedure of ours, as the catalog has it."""

    name: str
    schema: str
    owner: str
    is_definer: bool
    settings: list[str]
    arguments: list[str]
    callers: list[str]
    comment: str | None


ROUTINES = """
select
    n.nspname || '.' || p.proname as name,
    n.nspname as schema,
    p.proowner::regrole::text as owner,
    p.prosecdef as is_definer,
    coalesce(p.proconfig, '{}') as settings,
    array(
        select coalesce(a.name, '')
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes::text[])
            as a (type, name, mode)
        where coalesce(a.mode, 'i') in ('i', 'b', 'v')
    ) as arguments,
    array(
        select case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
        where a.grantee <> p.proowner
    ) as callers,
    obj_description(p.oid, 'pg_proc') as comment
from pg_proc as p
inner join pg_namespace as n on n.oid = p.pronamespace
where n.nspowner::regrole::text like 'aqm%owner'
order by 1
"""


@pytest.fixture(scope="module")
def catalog(cluster: Cluster, template: str) -> Iterator[Database]:
    """A migrated database that these tests only read."""
    with migrated_copy(cluster, template) as database:
        yield database


@pytest.fixture(scope="module")
def routines(catalog: Database) -> list[Routine]:
    """Every function and procedure of ours."""
    with catalog.connect() as connection:
        found = connection.cursor(row_factory=class_row(Routine)).execute(ROUTINES).fetchall()
    assert found
    return found


def name_of(path: Path) -> str:
    """The function that a file is about: its folder is the schema."""
    return f"{path.parent.name}.{path.stem}"


# -- functions in the catalog


def test_functions_in_the_database_are_the_files_on_disk(routines: list[Routine]) -> None:
    assert {routine.name for routine in routines} == {name_of(path) for path in FILES}


def test_nothing_is_overloaded(routines: list[Routine]) -> None:
    names = [routine.name for routine in routines]
    assert len(names) == len(set(names))


def test_every_function_pins_its_search_path(routines: list[Routine]) -> None:
    assert {r.name for r in routines if "search_path=pg_catalog, pg_temp" not in r.settings} == COMMITS


def test_every_function_belongs_to_the_owner_of_its_context(routines: list[Routine]) -> None:
    assert [(r.name, r.owner) for r in routines if r.owner != f"aqm_{r.schema}_owner"] == []


def test_only_an_exported_function_runs_with_the_rights_of_its_owner(routines: list[Routine]) -> None:
    assert [r.name for r in routines if r.is_definer and not r.callers] == []


def test_every_argument_starts_with_p(routines: list[Routine]) -> None:
    assert [(r.name, a) for r in routines for a in r.arguments if not a.startswith("p_")] == []


def test_what_a_function_returns_comes_after_its_arguments(database: Database) -> None:
    """The gateway counts arguments from the left; INOUT it doesn't know at all."""
    modes = database.rows("""
        select p.proname, array_to_string(p.proargmodes, '') from pg_proc as p
        inner join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname in ('auth', 'coins', 'ops', 'gateway') and p.proargmodes is not null
    """)
    assert [name for name, modes in modes if not re.fullmatch("i*o*", modes)] == []


def test_every_function_says_what_it_does(routines: list[Routine]) -> None:
    assert [r.name for r in routines if not re.match(r".+\.\n", r.comment or "")] == []


def test_every_comment_explains_each_argument(routines: list[Routine]) -> None:
    # "p_this: what." or, where the words are the same, "p_this, p_that: what."
    said = {r.name: set(re.findall(r"\b(p_\w+)(?=(?:, p_\w+)*: )", r.comment or "")) for r in routines}
    assert [(r.name, a) for r in routines for a in r.arguments if a not in said[r.name]] == []


def test_every_comment_ends_with_the_errors(routines: list[Routine]) -> None:
    assert [r.name for r in routines if not re.search(r"\nErrors: [^\n]+\.\Z", r.comment or "")] == []


# -- the files


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_functions_file_has_its_parts_in_order(path: Path) -> None:
    text = path.read_text()
    name = re.escape(name_of(path))
    kind = "procedure" if "\ncreate or replace procedure" in f"\n{text}" else "function"
    commits = name_of(path) in COMMITS
    parts = {
        "create or replace, at the name of its path": rf"create or replace {kind} {name}\(",
        "one argument a line": r"(\n(    [^\n]+,\n)*    [^\n]+\n)?\)\n",
        "returns": r"returns [^\n]+\n" if kind == "function" else "",
        "language": r"language plpgsql\n",
        "volatility": r"(immutable|stable|volatile)\n" if kind == "function" else "",
        "security definer, where exported": "" if commits else r"(security definer\n)?",
        "search_path": "" if commits else r"set search_path = pg_catalog, pg_temp\n",
        "settings": r"(set [a-z_]+ = [^\n]+\n)*",
        "body": r"as \$\$\n.*?\n\$\$;\n",
        "comment": rf"\ncomment on {kind} {name}(\([^)]*\))? is\n'([^']|'')+';\n",
        "revoke": rf"\nrevoke all on {kind} {name}\([^)]*\) from public;\n",
        "grant, where exported": rf"(grant execute on {kind} {name}\([^)]*\)\s+to [a-z_, ]+;\n)?",
        "what it registers": r"((\n|--[^\n]*\n)*(select (gateway|ops)\.|create or replace trigger ).*?;\n)*",
        "nothing more": r"\Z",
    }
    position = 0
    for part, pattern in parts.items():
        match = re.compile(pattern, re.DOTALL).match(text, position)
        line = text.count("\n", 0, position) + 1
        assert match, f"{path.relative_to(ROOT)}:{line}: expected here: {part}"
        position = match.end()


def test_locals_start_with_v() -> None:
    for path in FILES:
        declared = re.search(r"\ndeclare\n(.*?)\nbegin\n", path.read_text(), re.DOTALL)
        names = re.findall(r"^    (\w+)", declared[1], re.MULTILINE) if declared else []
        assert [name for name in names if not name.startswith("v_")] == [], name_of(path)


def test_nothing_swallows_every_error() -> None:
    files = (ROOT / "db").rglob("*.sql")
    assert [path for path in files if re.search(r"when\s+others", path.read_text(), re.IGNORECASE)] == []


def test_only_the_named_procedures_commit() -> None:
    commit = re.compile(r"^\s*(commit|rollback)\b", re.MULTILINE)
    assert {name_of(path) for path in FILES if commit.search(path.read_text())} == COMMITS


def test_every_function_has_a_pgtap_file() -> None:
    # A procedure that commits can't run between BEGIN and ROLLBACK: it is tested from Python.
    tested = {name_of(path) for path in (ROOT / "db" / "tests").glob("*/*.sql")}
    assert tested == {name_of(path) for path in FILES} - COMMITS


# -- errors


def raised_by(path: Path) -> set[str]:
    """The SQLSTATEs that a function raises, or returns as the refusal of a call."""
    body = path.read_text().split("\n$$;\n")[0]
    words = re.findall(r"errcode = '([^']+)'", body) + re.findall(r"'(\d\d[0-9A-Z]{3}|PT\d{3})'", body)
    return {word if re.fullmatch("[0-9A-Z]{5}", word) else sqlstate_of(word) for word in words}


def sqlstate_of(condition: str) -> str:
    """The SQLSTATE behind a name such as invalid_parameter_value."""
    error: type[psycopg.Error] = getattr(psycopg.errors, condition.title().replace("_", ""))
    assert error.sqlstate
    return error.sqlstate


def test_every_error_has_a_code() -> None:
    # Without one it is P0001: HTTP 500, like a fault of ours.
    bare = re.compile(r"raise exception(?!\s+using\s+errcode = )")
    assert [name_of(path) for path in FILES if bare.search(path.read_text())] == []


def test_the_gateway_knows_every_error() -> None:
    assert [(name_of(path), code) for path in FILES for code in raised_by(path) if status_of(code) == 500] == []


def test_every_comment_names_the_errors(routines: list[Routine]) -> None:
    comments = {routine.name: routine.comment or "" for routine in routines}
    named = [(name_of(path), code) for path in FILES for code in raised_by(path)]
    assert named
    assert [(name, code) for name, code in named if code not in comments[name]] == []


# -- rights


@pytest.mark.parametrize("role", MAY_EXECUTE)
def test_a_role_may_execute_exactly_this(catalog: Database, role: str) -> None:
    may = catalog.rows(
        """
        select n.nspname || '.' || p.proname
        from pg_proc as p
        inner join pg_namespace as n on n.oid = p.pronamespace
        where n.nspowner::regrole::text like 'aqm%%owner' and has_function_privilege(%s, p.oid, 'execute')
        """,
        [role],
    )
    assert {name for (name,) in may} == MAY_EXECUTE[role]


def test_no_login_has_a_grant_of_its_own(routines: list[Routine]) -> None:
    # It has those of its HTTP role; one more would be missing from the list above.
    callers = {caller for routine in routines for caller in routine.callers}
    assert callers - {routine.owner for routine in routines} <= set(MAY_EXECUTE)


def test_a_context_calls_exactly_this_of_another(routines: list[Routine]) -> None:
    owners = {routine.owner for routine in routines}
    calls = {(caller, r.name) for r in routines for caller in r.callers if caller in owners}
    assert {(caller, name) for caller, name in calls if name not in REGISTERS} == CONTEXTS_MAY_CALL


def test_there_is_no_other_role(catalog: Database) -> None:
    roles = {name for (name,) in catalog.rows("select rolname from pg_roles where rolname like 'aqm%'")}
    owners = {name for (name,) in catalog.rows("select distinct nspowner::regrole::text from pg_namespace")}
    logins = {login for login, _ in MAY_BECOME if login.startswith("aqm_gateway_")}
    assert roles - owners - logins == set(MAY_EXECUTE) - {"public"}


def test_a_role_has_the_rights_of_no_other_than_these(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select m.member::regrole::text, m.roleid::regrole::text from pg_auth_members as m
        where m.member::regrole::text like 'aqm%' or m.roleid::regrole::text like 'aqm%'
        """
    )
    assert set(rows) == MAY_BECOME


def test_no_role_is_more_than_a_role(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select rolname from pg_roles
        where rolname like 'aqm%' and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)
        """
    )
    assert rows == []


def test_everything_in_a_context_belongs_to_its_owner(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select n.nspname || '.' || c.relname, c.relowner::regrole::text
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace and n.nspowner::regrole::text like 'aqm%owner'
        where c.relowner <> n.nspowner
        """
    )
    assert rows == []


def test_nobody_but_the_owner_of_a_context_touches_its_tables(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select r.rolname, n.nspname || '.' || c.relname, privilege.name
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace and n.nspowner::regrole::text like 'aqm%owner'
        inner join pg_roles as r on r.rolname like 'aqm%' and r.oid <> n.nspowner
        cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
            as privilege (name)
        where c.relkind in ('r', 'p', 'v', 'm', 'f') and case
            when privilege.name in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                then has_any_column_privilege(r.oid, c.oid, privilege.name)
            else has_table_privilege(r.oid, c.oid, privilege.name)
        end
        union all
        select r.rolname, n.nspname || '.' || c.relname, 'USAGE'
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace and n.nspowner::regrole::text like 'aqm%owner'
        inner join pg_roles as r on r.rolname like 'aqm%' and r.oid <> n.nspowner
        where c.relkind = 'S' and has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT, UPDATE')
        """
    )
    assert set(rows) == MAY_TOUCH


def test_only_an_owner_may_make_something_in_a_schema(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select r.rolname, n.nspname
        from pg_namespace as n
        inner join pg_roles as r on r.rolname like 'aqm%' and r.oid <> n.nspowner
        where has_schema_privilege(r.oid, n.oid, 'create')
        """
    )
    assert rows == []


def test_nobody_may_make_temporary_tables(catalog: Database) -> None:
    # A temporary type can shadow one of pg_catalog and run its checks as the definer.
    rows = catalog.rows(
        """
        select rolname from pg_roles
        where rolname like 'aqm%' and has_database_privilege(rolname, current_database(), 'temporary, create')
        """
    )
    assert rows == []
    assert not catalog.value("select has_database_privilege('public', current_database(), 'temporary, create')")


# -- tables


def test_every_column_of_auth_says_what_is_in_it(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select c.relname, a.attname
        from pg_attribute as a
        inner join pg_class as c on c.oid = a.attrelid
        where
            c.relnamespace = 'auth'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null
        """
    )
    assert rows == []


def test_every_table_and_type_says_what_it_is_for(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select n.nspname || '.' || c.relname
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace and n.nspowner::regrole::text like 'aqm%owner'
        where
            c.relkind in ('r', 'p', 'v', 'm', 'c') and not c.relispartition
            and obj_description(c.oid, 'pg_class') is null
            and obj_description(c.reltype, 'pg_type') is null
        """
    )
    assert rows == []


def test_the_inventory_has_the_columns_of_the_guide(catalog: Database) -> None:
    rows = catalog.rows(
        """
        select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
        from pg_attribute as a
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = 'coins.coin_inventory'::regclass and a.attnum > 0
        """
    )
    assert {
        ("record_id", "bigint", True, None),
        ("user_id", "uuid", True, None),
        ("key_id", "character varying(36)", True, None),
        ("coin_category", "character varying(6)", True, None),
        ("public_key_blob", "bytea", True, None),
        ("signature_blob", "bytea", True, None),
        ("uploaded_at", "timestamp with time zone", True, "now()"),
        ("fetched_by", "uuid", False, None),
        ("fetched_at", "timestamp with time zone", False, None),
    } <= set(rows)


def test_the_inventory_numbers_its_rows_itself(catalog: Database) -> None:
    assert catalog.value(
        "select attidentity <> '' from pg_attribute"
        " where attrelid = 'coins.coin_inventory'::regclass and attname = 'record_id'"
    )


def test_a_user_has_a_key_id_once(catalog: Database) -> None:
    assert (
        catalog.value("select pg_get_constraintdef(oid) from pg_constraint where conname = 'uq_user_key'")
        == "PRIMARY KEY (user_id, key_id)"
    )


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("idx_coin_lookup", "(user_id, coin_category, uploaded_at, record_id) WHERE (fetched_by IS NULL)"),
        ("idx_coin_expiry", "(uploaded_at) WHERE (fetched_by IS NULL)"),
        ("idx_coin_hard_delete", "(fetched_at) WHERE (fetched_by IS NOT NULL)"),
    ],
)
def test_the_inventory_has_its_partial_indexes(catalog: Database, name: str, definition: str) -> None:
    assert (
        catalog.value("select indexdef from pg_indexes where schemaname = 'coins' and indexname = %s", [name])
        == f"CREATE INDEX {name} ON coins.coin_inventory USING btree {definition}"
    )


def test_categories_and_their_sizes_are_those_of_the_specification(catalog: Database) -> None:
    assert set(
        catalog.rows("select name, public_key_bytes, signature_bytes, max_unclaimed from coins.coin_category")
    ) == {
        ("GOLD", 1184, 2420, 1000),
        ("SILVER", 1184, 64, 1000),
        ("BRONZE", 32, 64, 1000),
    }


def test_the_check_of_the_inventory_knows_exactly_the_categories(catalog: Database) -> None:
    check = catalog.value(
        "select pg_get_constraintdef(oid) from pg_constraint"
        " where conrelid = 'coins.coin_inventory'::regclass and contype = 'c' and pg_get_constraintdef(oid) ~ 'coin_category'"
    )
    assert set(re.findall(r"'(\w+)'", check)) == {
        name for (name,) in catalog.rows("select name from coins.coin_category")
    }
