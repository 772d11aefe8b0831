begin;
select plan(21);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :bob, :alice),
    'values (null::integer, null::integer)',
    'where no quota is enabled a sender is told of no allowance'
);
select is_empty('select * from coins.quota_use', 'and who asked for whom is not kept');

-- A coin of a pair comes back every 1000 seconds.
update coins.claim_quota
set is_enabled = true, coins = 10, period = interval '10000 seconds'
where scope = 'pair';
select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :bob, :alice),
    'values (10, 0)',
    'a sender who never asked may have the whole quota at once'
);
select results_eq(
    'select target_user_id, requester_id, full_at between now() and clock_timestamp() from coins.quota_use',
    format('values (%L::uuid, %L::uuid, true)', :bob, :alice),
    'asking charges nothing: the quota is full now'
);

-- What a sender is told when so much time is missing to a full quota.
create function pg_temp.ask(p_missing interval)
returns text
language plpgsql
as $$
begin
    update coins.quota_use set full_at = clock_timestamp() + p_missing;
    return (
        select q.allowance || ' coins, wait ' || q.retry_after
        from coins.open_quota('b0b00000-0000-4000-8000-000000000000', 'a11ce000-0000-4000-8000-000000000000') as q
    );
end
$$;
select is(pg_temp.ask(used.missing), used.answer, used.description)
from (
    values
    (interval '-1 year', '10 coins, wait 0', 'a quota that has long been full gives the whole and no more'),
    (interval '1 second', '9 coins, wait 0', 'a coin that is not yet back is not given'),
    (interval '1000 seconds', '9 coins, wait 0', 'a coin comes back when its time is over'),
    (interval '1001 seconds', '8 coins, wait 0', 'and not a second earlier'),
    (interval '9000 seconds', '1 coins, wait 0', 'the last coin is given'),
    (interval '9000.9 seconds', '0 coins, wait 1', 'a sender never waits for less than a second'),
    (interval '9001 seconds', '0 coins, wait 1', 'who waits a whole second for one finds it'),
    (interval '10000 seconds', '0 coins, wait 1000', 'a quota that is used up gives one after the time of one'),
    (interval '10000.5 seconds', '0 coins, wait 1001', 'a part of a second counts as a whole one'),
    (interval '20000 seconds', '0 coins, wait 11000', 'an allowance is never negative')
) as used (missing, answer, description);

select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :bob, :carol),
    'values (10, 0)',
    'the quota of one sender is not that of another'
);
select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :carol, :alice),
    'values (10, 0)',
    'the quota at one recipient is not that at another'
);

-- All senders together: a coin every 10 seconds.
update coins.claim_quota
set is_enabled = true, coins = 5, period = interval '50 seconds'
where scope = 'recipient';
select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :bob, :carol),
    'values (5, 0)',
    'where both quotas hold a sender has the smaller allowance'
);
select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :bob, :alice),
    'values (0, 11000)',
    'a sender whose own quota is used up waits although the recipient''s is not'
);
update coins.quota_use
set full_at = now() + interval '50 seconds'
where requester_id is null;
select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :bob, :carol),
    'values (0, 10)',
    'a sender waits for the recipient''s quota although the own is not used up'
);
update coins.claim_quota
set is_enabled = false
where scope = 'recipient';
select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, %L)', :bob, :carol),
    'values (10, 0)',
    'a quota that no longer holds stands in nobody''s way'
);
select results_eq(
    'select requester_id, count(*) from coins.quota_use group by 1 order by 1 nulls last',
    format('values (%L::uuid, 2::bigint), (%L, 1), (null, 1)', :alice, :carol),
    'however often a sender asks there is one row a quota'
);

select * from finish();
rollback;
