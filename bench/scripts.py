"""What pgbench calls: the functions, and the seeds' statement."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .errors import BenchError
from .stock import Stock

BATCH = 20
"""Claims in each call of the batch function."""

RECIPIENT = "md5('recipient ' || :recipient::integer)::uuid"
REQUESTER = "md5('requester ' || :requester::integer)::uuid"
CHOICE = """
\\set recipient random({first}, {last})
\\set requester random(1, 1000000)
"""
SINGLE = f"""{CHOICE}
select * from coins.claim_coins({RECIPIENT}, {REQUESTER}, '{{category}}', 1);
"""
WITH_REQUEST_ID = f"""{CHOICE}
select * from coins.claim_coins({RECIPIENT}, {REQUESTER}, '{{category}}', 1, gen_random_uuid());
"""


def batch_script(stock: Stock) -> str:
    """A call of the batch function, whose last argument did not exist at every commit."""
    with stock.connect() as connection:
        row = connection.execute(
            "select pronargs from pg_proc where oid = 'coins.claim_coins_batch'::regproc"
        ).fetchone()
    request_ids = f", array_fill(null::uuid, array[{BATCH}])" if row and row[0] > 4 else ""
    return f"""{CHOICE}
select * from coins.claim_coins_batch(
    array(
        select md5('recipient ' || {{first}} + (:recipient::integer + n) % {{recipients}})::uuid
        from generate_series(1, {BATCH}) as n
    ),
    array_fill({REQUESTER}, array[{BATCH}]),
    array_fill('{{category}}'::text, array[{BATCH}]),
    array_fill(1, array[{BATCH}]){request_ids});
"""


def seed_script(yardstick: Path) -> str:
    """The claim of the seeds' design, as its file has it."""
    values = {"$1": RECIPIENT, "$2": "'{category}'", "$3": "1", "$4": REQUESTER}
    statement = seed_statement(yardstick, "CLAIM").strip()
    return f"{CHOICE}\n{re.sub(r'[$][1-4]', lambda found: values[found[0]], statement)};\n"


def seed_statement(yardstick: Path, name: str) -> str:
    """A statement of the seeds' design, read from its file, which is not run. Raises BenchError when it has none."""
    for node in ast.parse(yardstick.read_text()).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return str(ast.literal_eval(node.value))
    raise BenchError(f"{yardstick} has no statement {name}")
