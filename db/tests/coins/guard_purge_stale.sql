begin;
select plan(12);

-- Coins without bytes: as many of an age as are needed.
create function pg_temp.add_coins(p_count integer, p_age interval, p_is_claimed boolean default false)
returns void
language sql
begin atomic
    insert into coins.coin_inventory (
        user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at, fetched_by, fetched_at
    )
    select
        gen_random_uuid() as user_id,
        'k' as key_id,
        'BRONZE' as coin_category,
        '' as public_key_blob,
        '' as signature_blob,
        now() - p_age as uploaded_at,
        case when p_is_claimed then gen_random_uuid() end as fetched_by,
        case when p_is_claimed then now() end as fetched_at
    from generate_series(1, p_count);
end;

select is(
    coins.guard_purge_stale(30), null,
    'nothing stops the purge of an empty inventory'
);

select pg_temp.add_coins(10001, interval '31 days', p_is_claimed => true);
select is(
    coins.guard_purge_stale(30), null,
    'claimed coins don''t stop the purge, however many are old'
);

select pg_temp.add_coins(10000, interval '30 days 00:00:00.000001');
select is(
    coins.guard_purge_stale(30), null,
    'the purge of 10,000 coins goes on, even if these are all'
);
select pg_temp.add_coins(1, interval '30 days');
select is(
    coins.guard_purge_stale(30), null,
    'a coin of exactly the age will not be purged and does not count'
);
select pg_temp.add_coins(1, interval '1000 days');
select is(
    coins.guard_purge_stale(30),
    '10001 of 10002 unclaimed coins look older than 30 days: has the clock jumped? '
    || 'If they are, run coins.purge_stale(30) by hand',
    'the purge of 10,001 coins stops when these are nearly all, and the operator is told what to do'
);
select is(
    coins.guard_purge_stale(31), null,
    'the guard goes by the age that the purge will use'
);

-- One unclaimed coin is there that is not stale: with these, stale ones are half of all.
select pg_temp.add_coins(10000, interval '0');
select is(
    coins.guard_purge_stale(30), null,
    'the purge of half of all unclaimed coins goes on'
);
select pg_temp.add_coins(1, interval '31 days');
select matches(
    coins.guard_purge_stale(30), '^10002 of 20003 unclaimed coins look older than 30 days',
    'the purge of more than half of all unclaimed coins stops'
);
select pg_temp.add_coins(10, interval '0', p_is_claimed => true);
select matches(
    coins.guard_purge_stale(30), '^10002 of 20003 unclaimed coins',
    'claimed coins don''t make the stale ones look few'
);
select is(
    (select count(*) from coins.coin_inventory), 30014::bigint,
    'the guard itself removes nothing'
);

set local role aqm_jobs;
select isnt(
    coins.guard_purge_stale(30), null,
    'the scheduler may ask the guard'
);
set local role aqm_admin;
select throws_ok(
    'select coins.guard_purge_stale(30)',
    '42501', 'permission denied for function guard_purge_stale',
    'nobody else needs to'
);

select * from finish();
rollback;
