"""The audit's chain beyond one transaction: its heads in the server's log, one sealer at a time, rows that come late."""

from __future__ import annotations

import re

from conftest import Database, wait_until
from db.cluster import Cluster

SEAL = "select auth.seal_audit(1000, 'infinity')"


def heads_in_the_log(cluster: Cluster, database: Database) -> list[tuple[int, str]]:
    """Rows and hash of this month's heads, as the log has them, oldest first."""
    found = re.findall(
        rf"@{database.name} .*LOG:  audit head: month \d{{4}}-\d\d, rows (\d+), hash ([0-9a-f]{{64}})\n",
        cluster.log.read_text(),
    )
    return [(int(rows), digest) for rows, digest in found]


def test_a_job_seals_and_sends_the_head_to_the_log(database: Database, cluster: Cluster) -> None:
    database.execute("select auth.write_audit('user.created') from generate_series(1, 30)")
    # As pg_cron would; the default leaves the minute that is not over.
    database.execute("update ops.scheduled_job set step = 'auth.seal_audit(7, ''infinity'')' where name = 'seal_audit'")
    database.execute("call ops.run_until_done('seal_audit')")
    assert database.value("select count(*) from auth.audit_logs where chain_position is null") == 0

    wait_until(lambda: heads_in_the_log(cluster, database), what="the head is in the log")
    [(rows, digest)] = heads_in_the_log(cluster, database)
    assert rows == 30
    check = "select fault from auth.verify_audit(p_rows => %s, p_hash => decode(%s, 'hex'))"
    assert database.rows(check, [rows, digest]) == []
    database.execute("delete from auth.audit_logs; delete from auth.audit_heads")
    assert database.rows(check, [rows, digest]) == [
        ("the head that was sent outside says 30 rows, the chain ends at 0",)
    ]


def test_there_is_one_sealer_at_a_time(database: Database) -> None:
    database.execute("select auth.write_audit('user.created') from generate_series(1, 3)")
    with database.connect() as one, one.transaction():
        assert one.execute(SEAL).fetchone() == (3,)
        database.execute("select auth.write_audit('user.created')")
        assert database.value(SEAL) == 0
    assert database.value(SEAL) == 1
    assert database.rows("select * from auth.verify_audit()") == []


def test_a_row_that_is_committed_late_breaks_no_chain(database: Database) -> None:
    database.execute("select auth.add_month('audit_logs', current_date)")
    with database.connect() as slow, slow.transaction():
        slow.execute("select auth.write_audit('user.deleted')")
        database.execute("select auth.write_audit('user.created')")
        assert database.value(SEAL) == 1
    assert database.value(SEAL) == 1
    assert database.rows("select action, chain_position from auth.audit_logs order by created_at, id") == [
        ("user.deleted", 2),
        ("user.created", 1),
    ]
    assert database.rows("select * from auth.verify_audit()") == []
