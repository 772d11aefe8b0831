"""A marketplace to measure and to try: people, products, orders with all that belongs to them, as many as asked for.

python -m bench.marketplace --help. Everything is made inside the database from the numbers 1 to n and a seed, so that two
loads of one seed are the same; popular sellers and products have most of the trade, as everywhere.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

STEP = 50_000
"""Rows a statement, which takes about a second."""

SETUP = """
create or replace function pg_temp.chance(n bigint, what integer) returns double precision
language sql immutable parallel safe
return (hashint8extended(n, what + current_setting('bench.seed')::bigint) & 1048575) / 1048576.0;

create or replace function pg_temp.wallet(n bigint) returns text
language sql immutable parallel safe
-- Digits alone: in letters an address carries its checksum.
return '0x' || translate(substr(md5('wallet ' || n) || md5('address ' || n), 1, 40), 'abcdef', '012345');

create or replace function pg_temp.product(n bigint) returns uuid
language sql immutable parallel safe return md5('product ' || n)::uuid;

create or replace function pg_temp.ordered(n bigint) returns uuid
language sql immutable parallel safe return md5('order ' || n)::uuid;

-- Three syllables a word, 8,000 words; the first are the common ones.
create temporary table word as
select row_number() over (order by hashint4(a * 400 + b * 20 + c)) as n, s.syllables[a] || s.syllables[b] || s.syllables[c] as text
from
    (select string_to_array('ka,lo,mi,ne,ru,sa,to,vi,da,fe,gu,ho,ja,ki,pa,le,mo,ni,bo,ze', ',') as syllables) as s,
    generate_series(1, 20) as a, generate_series(1, 20) as b, generate_series(1, 20) as c;
create index on word (n);

-- Texts of ten words, to be put together.
create temporary table phrase as
select p.n, string_agg(w.text, ' ') as text
from generate_series(1, 20000) as p (n)
cross join generate_series(1, 10) as place (n)
inner join word as w on w.n = 1 + floor(8000 * pg_temp.chance(p.n * 10 + place.n, 1) ^ 3)::integer
group by p.n;
create index on phrase (n);
"""

PEOPLE = """
insert into escrow.user_profiles (wallet, display_name, public_key, created_at)
select pg_temp.wallet(n), 'Person ' || n, encode(sha256(int8send(n)), 'base64'), now() - interval '3 years' * pg_temp.chance(n, 2)
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
"""

PRODUCTS = """
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash, status, created_at,
    updated_at, deleted_at
)
select
    pg_temp.product(g.n), pg_temp.wallet(1 + floor(%(sellers)s * pg_temp.chance(g.n, 3) ^ 2)::bigint),
    left(t.text, 60), left(a.text || ', ' || b.text, 500),
    (enum_range(null::escrow.product_category))[1 + floor(5 * pg_temp.chance(g.n, 4) ^ 2)::integer],
    round((1 + 500 * pg_temp.chance(g.n, 5) ^ 4)::numeric, 2), s.stock,
    '0x' || encode(sha256(int8send(g.n)), 'hex'),
    s.status, s.made, s.made, case s.status when 'deleted' then s.made + interval '10 days' end
from generate_series(%(first)s::bigint, %(last)s::bigint) as g (n)
inner join phrase as t on t.n = 1 + floor(20000 * pg_temp.chance(g.n, 6))::integer
inner join phrase as a on a.n = 1 + floor(20000 * pg_temp.chance(g.n, 7))::integer
inner join phrase as b on b.n = 1 + floor(20000 * pg_temp.chance(g.n, 8))::integer
cross join lateral (
    select
        now() - interval '2 years' * pg_temp.chance(g.n, 9) as made,
        case when pg_temp.chance(g.n, 10) < 0.1 then 0 else 1 + floor(100 * pg_temp.chance(g.n, 11))::integer end as stock,
        case
            when pg_temp.chance(g.n, 10) < 0.1 then 'sold_out'
            when pg_temp.chance(g.n, 10) < 0.2 then 'paused'
            when pg_temp.chance(g.n, 10) < 0.3 then 'deleted'
            else 'active'
        end::escrow.product_status as status
) as s
"""

ORDERS = """
insert into escrow.orders (
    id, onchain_order_id, chain, buyer_wallet, seller_wallet, arbitrator_wallet, product_id, token, amount, platform_fee, status, party_status,
    holds_item, cancelled_by, product_key_encrypted, tx_hash_create, tx_hash_complete, seller_confirmed_at, dispute_opened_at,
    dispute_deadline, completed_at, created_at, updated_at
)
select
    pg_temp.ordered(n), n, 'bsc', b.wallet, p.seller_wallet,
    case when s.status in ('disputed', 'resolved_buyer', 'resolved_seller') then pg_temp.wallet(%(sellers)s + 1 + n %% %(judges)s) end,
    p.id,
    (enum_range(null::escrow.token_type))[1 + floor(2 * pg_temp.chance(n, 12))::integer],
    p.price_usdt, round(p.price_usdt * 0.02, 6), s.status, s.status, s.status not in ('cancelled', 'expired'),
    case s.status when 'cancelled' then b.wallet end,
    case when s.status not in ('created', 'cancelled', 'expired') then encode(sha256(int8send(n)), 'base64') end,
    '0x' || encode(sha256(int8send(n)), 'hex'),
    case when s.status in ('completed', 'resolved_buyer', 'resolved_seller') then '0x' || encode(sha256(int8send(-n)), 'hex') end,
    case when s.status not in ('created', 'cancelled', 'expired') then s.made + interval '3 hours' end,
    case when s.status in ('disputed', 'resolved_buyer', 'resolved_seller') then s.made + interval '1 day' end,
    case when s.status in ('disputed', 'resolved_buyer', 'resolved_seller') then s.made + interval '4 days' end,
    case when s.status in ('completed', 'resolved_buyer', 'resolved_seller') then s.made + interval '2 days' end,
    s.made, s.made + interval '2 days'
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
inner join escrow.products as p on p.id = pg_temp.product(1 + floor(%(products)s * pg_temp.chance(n, 13) ^ 2)::bigint)
cross join lateral (
    select
        case when p.seller_wallet = chosen.wallet then pg_temp.wallet(%(people)s) else chosen.wallet end as wallet
    from (select pg_temp.wallet(%(others)s + 1 + floor((%(people)s - %(others)s - 1) * pg_temp.chance(n, 14))::bigint)) as chosen (wallet)
) as b
cross join lateral (
    -- The newest are still open.
    select
        case
            when n > %(orders)s * 0.99 then now() - interval '20 hours' * pg_temp.chance(n, 15)
            else now() - interval '2 days' - interval '2 years' * (1 - n / %(orders)s::double precision)
        end as made,
        case
            when n > %(orders)s * 0.99 then
                case when pg_temp.chance(n, 16) < 0.6 then 'created' when pg_temp.chance(n, 16) < 0.95 then 'seller_confirmed'
                else 'disputed' end
            when pg_temp.chance(n, 16) < 0.80 then 'completed'
            when pg_temp.chance(n, 16) < 0.88 then 'cancelled'
            when pg_temp.chance(n, 16) < 0.95 then 'expired'
            when pg_temp.chance(n, 16) < 0.98 then 'resolved_buyer'
            else 'resolved_seller'
        end::escrow.order_status as status
) as s
"""

MESSAGES = """
insert into escrow.messages (order_id, sender_wallet, ciphertext, nonce, created_at)
select
    o.id, case when pg_temp.chance(n, 17) < 0.5 then o.buyer_wallet else o.seller_wallet end,
    encode(sha512(int8send(n)) || sha512(int8send(-n)), 'base64'),
    encode(substr(sha256(int8send(n)), 1, 24), 'base64'), o.created_at + interval '1 minute' * (n %% 1000)
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
inner join escrow.orders as o on o.id = pg_temp.ordered(1 + floor(%(orders)s * pg_temp.chance(n, 18) ^ 1.2)::bigint)
"""

REVIEWS = """
insert into escrow.reviews (order_id, reviewer_wallet, target_wallet, rating, created_at)
select o.id, o.buyer_wallet, o.seller_wallet, 5 - floor(5 * pg_temp.chance(n, 19) ^ 3)::integer, o.updated_at
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
inner join escrow.orders as o on o.id = pg_temp.ordered(n)
where o.status = 'completed' and pg_temp.chance(n, 20) < 0.5
"""

ARBITRATORS = """
insert into escrow.arbitrators (wallet, stake_amount, stake_token)
select pg_temp.wallet(%(sellers)s + n), 500 + n %% 1000, pg_temp.wallet(-1)
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
"""

TOTALS = """
update escrow.user_profiles as u
set
    total_trades = t.as_buyer + t.as_seller, total_as_buyer = t.as_buyer, total_as_seller = t.as_seller,
    reputation_sum = t.score + 0.5 * coalesce(r.five_stars, 0), rating_count = coalesce(r.count, 0), rating_sum = coalesce(r.sum, 0)
from (
    select
        p.wallet, count(*) filter (where escrow.is_trade(o.status) and not p.is_seller) as as_buyer,
        count(*) filter (where escrow.is_trade(o.status) and p.is_seller) as as_seller,
        sum(escrow.trade_score(o.status, p.is_seller, o.cancelled_by = p.wallet)) as score
    from escrow.orders as o
    cross join lateral (values (o.buyer_wallet, false), (o.seller_wallet, true)) as p (wallet, is_seller)
    group by p.wallet
) as t
left join (
    select v.target_wallet as wallet, count(*) as count, sum(v.rating) as sum, count(*) filter (where v.rating = 5) as five_stars
    from escrow.reviews as v group by v.target_wallet
) as r on r.wallet = t.wallet
where u.wallet = t.wallet
"""

SOLD = """
update escrow.products as p
set total_sold = s.sold
from (
    select o.product_id, count(*) as sold from escrow.orders as o
    where o.status in ('completed', 'resolved_seller') group by o.product_id
) as s
where p.id = s.product_id
"""

INDEXES = """
select indexrelid::regclass::text, pg_get_indexdef(indexrelid)
from pg_index
where
    indrelid in ('escrow.products'::regclass, 'escrow.orders'::regclass, 'escrow.messages'::regclass)
    and not exists (select from pg_constraint as c where c.conindid = indexrelid)
"""


@dataclass(frozen=True)
class Size:
    """How many of each. people and sellers follow from the products."""

    products: int = 1_000_000
    orders: int = 1_000_000
    messages: int = 5_000_000

    @property
    def people(self) -> int:
        """Profiles, buyers and sellers together."""
        return max(20, self.products // 10)

    @property
    def arbitrators(self) -> int:
        """Who has the numbers after the sellers'."""
        return min(50, self.people // 4)

    @property
    def sellers(self) -> int:
        """The first of the people."""
        return self.people // 4


def load(dsn: str, size: Size, say: Callable[[str], None], seed: int = 1) -> None:
    """Fill an empty marketplace; the connection must be a superuser's, as triggers are off meanwhile.

    dsn: of the database. say: is told what is being made. Raises ValueError for one that is not empty.
    """
    numbers = {
        "judges": size.arbitrators,
        "others": size.sellers + size.arbitrators,
        "people": size.people,
        "sellers": size.sellers,
        "products": size.products,
        "orders": size.orders,
    }
    with psycopg.connect(dsn, autocommit=True) as connection:
        if connection.execute("select from escrow.user_profiles limit 1").fetchone() is not None:
            raise ValueError("there are people in this marketplace: choose an empty database")
        connection.execute("select set_config('bench.seed', %s, false)", [str(seed)])
        # What follows by trigger is worked out at the end, at once.
        connection.execute(
            "set session_replication_role = replica; set synchronous_commit = off; set work_mem = '64MB'"
        )
        connection.execute("set maintenance_work_mem = '512MB'")
        connection.execute(SETUP)
        indexes = connection.execute(INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index {name}".encode())
        for what, statement, count in (
            ("people", PEOPLE, size.people), ("products", PRODUCTS, size.products), ("orders", ORDERS, size.orders),
            ("messages", MESSAGES, size.messages), ("reviews", REVIEWS, size.orders),
            ("arbitrators", ARBITRATORS, size.arbitrators),
        ):  # fmt: skip
            for first in range(1, count + 1, STEP):
                say(f"making {what}: {first - 1:,} of {count:,}")
                last = min(count, first + STEP - 1)
                connection.execute(statement.encode(), numbers | {"first": first, "last": last})
        for name, definition in indexes:
            say(f"making index {name}")
            connection.execute(definition.encode())
        say("counting trades and reviews")
        connection.execute(SOLD)
        connection.execute("set session_replication_role = origin")
        connection.execute(TOTALS)
        say("vacuum")
        connection.execute("vacuum analyze")


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.marketplace",
        description="Fill an empty marketplace. AQM_DSN names the database: ./aqm exec .venv/bin/python -m bench.marketplace",
    )
    for name, value in (("products", Size.products), ("orders", Size.orders), ("messages", Size.messages), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"(default: {value:,})")
    options = parser.parse_args(arguments)
    for name in ("products", "orders", "messages"):
        if getattr(options, name) < 1:
            parser.error(f"argument --{name}: must be at least 1")
    dsn = os.environ.get("AQM_DSN")
    if not dsn:
        parser.error("AQM_DSN is not set: ./aqm exec runs a command with it")
    started = time.monotonic()
    size = Size(options.products, options.orders, options.messages)
    try:
        load(
            dsn,
            size,
            lambda what: print(f"[{time.monotonic() - started:4.0f} s] {what}", file=sys.stderr),
            options.seed,
        )
    except (ValueError, psycopg.Error) as error:
        print(f"marketplace: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
