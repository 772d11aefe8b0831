begin;
select plan(15);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
select
    auth.admit_device(:alice, 'phone') as phone,
    auth.admit_device(:alice, 'tablet') as tablet,
    auth.admit_device(:bob, 'phone') as bobs
\gset
select
    coins.upload_coins(
        d.subject, array[('key', 'BRONZE', repeat('k', 32), repeat('s', 64))]::coins.coin_upload[]
    ) as uploaded,
    coins.put_last_resort(d.subject, ('last', 'BRONZE', repeat('l', 32), repeat('s', 64))::coins.coin_upload) as last
from auth.user_devices as d;
create function pg_temp.on_sale(out subjects uuid[])
language sql
return array(
    select ci.user_id
    from coins.coin_inventory as ci
    where ci.fetched_by is null
    union
    select lr.user_id
    from coins.last_resort_coin as lr
    order by 1
);

select
    throws_ok(
        format('select auth.discard_devices(%s)', bad.number), '22023', 'limit must be at least 1',
        'to discard none is a mistake'
    )
from (values (0), (-1)) as bad (number);
select is(auth.discard_devices(), 0::bigint, 'as long as people have their accounts nothing is discarded');
select auth.delete_user(:alice) as deleted;
select is(auth.discard_devices(), 0::bigint, 'nor at once: an upload may be under way');
select is(cardinality(pg_temp.on_sale()), 3, 'so that all coins are on sale yet');
update auth.user_devices set closed_at = closed_at - interval '1 minute';

set local role aqm_jobs;
select is(auth.discard_devices(1), 1::bigint, 'a minute later they go, no more devices than the limit at once');
select is(auth.discard_devices(), 1::bigint, 'then the others');
select is(auth.discard_devices(), 0::bigint, 'then there are none');
reset role;
select is(pg_temp.on_sale(), array[:'bobs'::uuid], 'nobody encrypts to who has left, others keep their coins');
select is_empty(
    format(
        $$select 1 from coins.claim_many(%L, array[(%L, 'BRONZE', 1, true)]::coins.claim_wish[]) as c
        where cardinality(c.coins) > 0$$,
        :'bobs', :'phone'
    ),
    'not even with a last-resort coin'
);
select results_eq(
    'select user_id, closed_at from auth.user_devices', format('values (%L::uuid, null::timestamptz)', :bob),
    'their devices are forgotten'
);

select auth.erase_user(:bob) as erased;
update auth.user_devices set closed_at = closed_at - interval '1 minute';
select is(auth.discard_devices(), 1::bigint, 'who is erased leaves no coins either');
select is(pg_temp.on_sale(), '{}'::uuid[], 'nor anything else');
select
    throws_ok(
        format('set local role %s; select auth.discard_devices()', other.role), '42501',
        'permission denied for function discard_devices', format('%s may not', other.role)
    )
from (values ('aqm_device'), ('aqm_admin')) as other (role);

select * from finish();
rollback;
