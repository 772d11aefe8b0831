begin;
select plan(9);

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
alter function coins.signal_low_stock set search_path = ear, pg_catalog, pg_temp;

-- How often a device hears of it when so many of bob's coins are left after a claim of p_taken.
create function pg_temp.times_heard(p_left integer, p_taken integer, p_low_stock integer)
returns bigint
language plpgsql
as $$
begin
    delete from coins.coin_inventory;
    delete from ear.heard;
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
    perform coins.signal_low_stock('b0b00000-0000-4000-8000-000000000000', 'BRONZE', p_taken, p_low_stock);
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
    perform coins.signal_low_stock('b0b00000-0000-4000-8000-000000000000', 'BRONZE', 1, 10);
end
$$;
select is(
    (
        select count(*)
        from ear.heard
    ), 1::bigint,
    'of claims that cross together each counts what the other holds, so that one of them speaks'
);

select * from finish();
rollback;
