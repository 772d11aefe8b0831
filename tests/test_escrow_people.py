"""Sign-ins beside each other and beside what changes the people: a nonce is good once, and nobody slips past the blacklist."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from conftest import Database, wait_until

BOB = "0x00000000000000000000000000000000000000b1"
SIGN_IN = """
select wallet, is_new from escrow.sign_in(
    row(%(message)s, %(wallet)s)::gateway.signed_message, decode(repeat(%(key)s, 32), 'hex')
)
"""
SHUT_OUT = "insert into escrow.blacklist (wallet, reason) values (%(wallet)s, 'scam') returning wallet"
COUNT = "update escrow.user_profiles set total_trades = total_trades + 1 where wallet = %(wallet)s returning wallet"


def make_nonce(database: Database, key: str = "b1") -> dict[str, str]:
    """What SIGN_IN needs."""
    return {
        "message": database.value("select message from escrow.make_nonce(%s)", [BOB]), "wallet": BOB, "key": key,
    }  # fmt: skip


def aside(database: Database, statement: str, values: dict[str, str]) -> Callable[[], Any]:
    """Run a statement in a session of its own, which is to wait for another; returns what gives its rows or its error."""
    results: list[Any] = []

    def run() -> None:
        with database.connect() as connection:
            try:
                results.append(connection.execute(statement.encode(), values).fetchall())
            except psycopg.Error as error:
                results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(
        lambda: database.value(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ),
        what="it waits",
    )

    def result() -> Any:
        thread.join(timeout=30)
        return results[0]

    return result


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_of_two_sign_ins_with_one_nonce_one_wins(database: Database, ending: str) -> None:
    values = make_nonce(database)
    with database.connect() as connection:
        connection.execute("begin")
        assert connection.execute(SIGN_IN, values).fetchall() == [(BOB, True)]
        result = aside(database, SIGN_IN, values)
        connection.execute(ending)
    second = result()
    if ending == "commit":
        assert isinstance(second, psycopg.errors.InvalidAuthorizationSpecification)
    else:
        assert second == [(BOB, True)]
    assert database.value("select count(*) from escrow.sign_in_nonce") == 0


@pytest.mark.parametrize("key", ["b1", "b2"])
def test_of_two_first_sign_ins_one_makes_the_profile(database: Database, key: str) -> None:
    with database.connect() as connection:
        connection.execute("begin")
        assert connection.execute(SIGN_IN, make_nonce(database)).fetchall() == [(BOB, True)]
        result = aside(database, SIGN_IN, make_nonce(database, key))
        connection.execute("commit")
    second = result()
    if key == "b1":
        assert second == [(BOB, False)]
    else:
        assert second.diag.constraint_name == "public_key"
    shown = database.rows("select decode(public_key, 'base64') from escrow.user_profiles")
    assert shown == [(b"\xb1" * 32,)], "the other's key is not the profile's"


@pytest.mark.parametrize("first", ["sign-in", "blacklist"])
def test_who_gets_a_profile_while_being_shut_out_is_shut_out(database: Database, first: str) -> None:
    values = make_nonce(database)
    statements = [SIGN_IN, SHUT_OUT] if first == "sign-in" else [SHUT_OUT, SIGN_IN]
    with database.connect() as connection:
        connection.execute("begin")
        connection.execute(statements[0].encode(), values)
        result = aside(database, statements[1], values)
        connection.execute("commit")
    result()
    # Who was asked before the list was there may come in, but not past the mark.
    assert database.rows("select is_blacklisted from escrow.user_profiles") == [(True,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is blacklisted"):
        database.value("select escrow.check_trader(%s, 'wallet')", [BOB])


@pytest.mark.parametrize("first", ["trade", "blacklist"])
def test_who_trades_while_being_shut_out_is_shut_out(database: Database, first: str) -> None:
    values = make_nonce(database)
    database.rows(SIGN_IN, values)
    statements = [COUNT, SHUT_OUT] if first == "trade" else [SHUT_OUT, COUNT]
    with database.connect() as connection:
        connection.execute("begin")
        connection.execute(statements[0].encode(), values)
        result = aside(database, statements[1], values)
        connection.execute("commit")
    assert result() == [(BOB,)]
    assert database.rows("select is_blacklisted, total_trades from escrow.user_profiles") == [(True, 1)]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_of_two_who_shut_somebody_out_at_once_one_is_told_that_it_is_done(database: Database, ending: str) -> None:
    statement = "select wallet from escrow.blacklist_wallet(%(wallet)s, 'scam')"
    with database.connect() as connection:
        connection.execute("begin")
        assert connection.execute(statement.encode(), {"wallet": BOB}).fetchall() == [(BOB,)]
        result = aside(database, statement, {"wallet": BOB.upper().replace("X", "x")})
        connection.execute(ending)
    second = result()
    if ending == "commit":
        assert (second.sqlstate, second.diag.constraint_name) == ("PT409", "blacklisted")
    else:
        assert len(second) == 1
    assert database.value("select count(*) from auth.audit_logs where action = 'wallet.blacklisted'") == 1


def test_who_is_shut_out_while_a_product_is_bought_waits_for_the_order_not_in_a_circle(database: Database) -> None:
    database.rows(SIGN_IN, make_nonce(database))
    product = database.value(
        "insert into escrow.products (seller_wallet, title_preview, description_preview, category, price_usdt, product_hash)"
        " values (%s, 'Title', 'Text', 'data', 10, 'hash') returning id", [BOB],
    )  # fmt: skip
    with database.connect() as connection:
        connection.execute("begin")
        # As an order does: the product, then its seller.
        connection.execute("select from escrow.products where id = %s for no key update", [product])
        result = aside(database, SHUT_OUT, {"wallet": BOB})
        connection.execute(COUNT.encode(), {"wallet": BOB})
        connection.execute("commit")
    assert result() == [(BOB,)]
    assert database.rows("select p.status, u.is_blacklisted from escrow.products as p, escrow.user_profiles as u") == [
        ("paused", True)
    ]


def test_the_nightly_check_waits_for_nobody_and_names_what_it_mends(database: Database) -> None:
    database.rows(SIGN_IN, make_nonce(database))
    with database.connect() as connection, database.connect() as job:
        notices: list[str] = []
        job.add_notice_handler(lambda notice: notices.append(f"{notice.severity}: {notice.message_primary}"))
        job.execute("set lock_timeout = '200 ms'")
        connection.execute("begin")
        connection.execute("select from escrow.user_profiles for update")
        assert job.execute("select escrow.check_profiles()").fetchone() == (0,)
        connection.execute("rollback")
        assert notices == []
        connection.execute("update escrow.user_profiles set total_trades = 7")
        assert job.execute("select escrow.check_profiles()").fetchone() == (1,)
        assert notices == [f"WARNING: profile {BOB} was not what its orders, its reviews and the blacklist say"]
        job.execute("call ops.run_until_done('check_profiles')")
        job.execute("call ops.run_until_done('purge_nonces')")
    assert database.value("select total_trades from escrow.user_profiles") == 0
