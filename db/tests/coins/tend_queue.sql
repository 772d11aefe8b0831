begin;
select plan(16);

\set bob '''b0b00000-0000-4000-8000-000000000000'''

-- What is notified is heard at COMMIT, and this transaction has none: it is written down here instead.
create schema ear;
create table ear.heard (
    channel text,
    payload text
);
create function ear.pg_notify(p_channel text, p_payload text)
returns void
language sql
begin atomic
    insert into ear.heard (channel, payload) values (p_channel, p_payload);
end;
do $$ begin alter function coins.tend_queue set search_path = ear, pg_catalog, pg_temp; end $$;

-- How often a device hears of it when so many of bob's coins are left after a claim of p_taken.
create function pg_temp.times_heard(p_left integer, p_taken integer, p_low_stock integer)
returns bigint
language plpgsql
as $$
begin
    delete from coins.coin_inventory;
    delete from ear.heard;
    update coins.coin_category set low_stock = p_low_stock where name = 'BRONZE';
    insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
    select 'b0b00000-0000-4000-8000-000000000000', n, 'BRONZE', n::text::bytea, ''
    from generate_series(1, p_left) as n;
    -- Neither counts.
    insert into coins.coin_inventory (
        user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
    )
    values
    ('b0b00000-0000-4000-8000-000000000000', 'claimed', 'BRONZE', 'c', '', gen_random_uuid(), now()),
    ('b0b00000-0000-4000-8000-000000000000', 'golden', 'GOLD', 'g', '', null, null),
    ('a11ce000-0000-4000-8000-000000000000', 'of alice', 'BRONZE', 'a', '', null, null);
    perform coins.tend_queue('b0b00000-0000-4000-8000-000000000000', 'BRONZE', p_taken);
    return (select count(*) from ear.heard);
end
$$;

select is(pg_temp.times_heard(9, 1, 10), 1::bigint, 'a device hears of the claim that takes it below its threshold');
select results_eq(
    'select channel, payload from ear.heard', format($$values ('coins_stock', %L)$$, :bob),
    'on the channel of its stock, by the id of its user'
);
select is(pg_temp.times_heard(10, 1, 10), 0::bigint, 'at the threshold there is enough');
select is(pg_temp.times_heard(8, 1, 10), 0::bigint, 'a claim below the threshold has not crossed it: it says nothing');
select is(pg_temp.times_heard(8, 2, 10), 1::bigint, 'a claim of many may cross it by more than one');
select is(pg_temp.times_heard(0, 10, 10), 1::bigint, 'or take all there is');
select is(pg_temp.times_heard(0, 1, 1), 1::bigint, 'a threshold of one means: tell me when there is none');
select is(pg_temp.times_heard(0, 1, 0), 0::bigint, 'a threshold of none means: never tell me');

-- A coin that somebody marks right now will be gone.
select pg_temp.times_heard(10, 0, 10) as times_before
\gset
do $$
begin
    perform from coins.coin_inventory where user_id = 'b0b00000-0000-4000-8000-000000000000' and key_id = '1' for update;
    perform coins.tend_queue('b0b00000-0000-4000-8000-000000000000', 'BRONZE', 1);
end
$$;
select is(
    (
        select count(*)
        from ear.heard
    ), 1::bigint,
    'of claims that cross together each counts what the other holds, so that one of them speaks'
);

-- The mark. Neither the place on disk nor record_id alone is the order of the queue.
delete from coins.queue_mark;
delete from coins.coin_inventory;
update coins.coin_category
set low_stock = 2
where name = 'BRONZE';
create procedure pg_temp.tend()
language sql
begin atomic
    select coins.tend_queue('b0b00000-0000-4000-8000-000000000000', 'BRONZE', 1);
end;
create view pg_temp.mark as
select
    qm.uploaded_at,
    qm.record_id,
    qm.low_stock,
    qm.low_from
from coins.queue_mark as qm;

call pg_temp.tend();
select is_empty('select * from coins.queue_mark', 'a queue without coins gets no mark');
insert into coins.coin_inventory (
    record_id, user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at
)
overriding system value
values
(3, :bob, 'third', 'BRONZE', '3', '', '2026-01-01 02:00Z'),
(20, :bob, 'fourth', 'BRONZE', '4', '', '2026-01-01 02:00Z'),
(12, :bob, 'second', 'BRONZE', '2', '', '2026-01-01 01:00Z'),
(11, :bob, 'first', 'BRONZE', '1', '', '2026-01-01 01:00Z'),
(1, :bob, 'golden', 'GOLD', '5', '', '2025-01-01Z'),
(2, gen_random_uuid(), 'of another', 'BRONZE', '6', '', '2025-01-01Z');
call pg_temp.tend();
select results_eq(
    'select user_id, coin_category::text, uploaded_at, record_id, low_stock, low_from from coins.queue_mark',
    format($$values (%L::uuid, 'BRONZE', timestamptz '2026-01-01 01:00Z', 11::bigint, 2, 3::bigint)$$, :bob),
    'the mark is the oldest unclaimed coin of its own queue, and where the newest begin that are just enough'
);
update coins.coin_inventory
set fetched_by = gen_random_uuid(), fetched_at = now()
where key_id = 'first';
call pg_temp.tend();
select results_eq(
    'select * from pg_temp.mark', $$values (timestamptz '2026-01-01 01:00Z', 12::bigint, 2, 3::bigint)$$,
    'the mark moves on to the next coin of the same upload when one is claimed'
);
call pg_temp.tend();
select results_eq(
    'select * from pg_temp.mark', $$values (timestamptz '2026-01-01 01:00Z', 12::bigint, 2, 3::bigint)$$,
    'a coin at the mark is not behind it'
);
update coins.coin_category
set low_stock = 1
where name = 'BRONZE';
call pg_temp.tend();
select results_eq(
    'select low_stock, low_from from pg_temp.mark', 'values (1, 20::bigint)',
    'the mark knows another threshold'
);
update coins.coin_inventory
set fetched_by = gen_random_uuid(), fetched_at = now()
where key_id in ('second', 'third');
update coins.coin_category
set low_stock = 2
where name = 'BRONZE';
call pg_temp.tend();
select results_eq(
    'select record_id, low_stock, low_from from pg_temp.mark', 'values (12::bigint, 1, 20::bigint)',
    'the mark stays where it is when there is not enough'
);

-- A threshold of none.
select lives_ok(
    $$select pg_temp.times_heard(3, 1, 0)$$, 'a queue with coins may have a threshold of none'
);

select * from finish();
rollback;
