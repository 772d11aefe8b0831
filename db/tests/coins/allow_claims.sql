begin;
select plan(9);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

create view pg_temp.missing as
select
    qu.target_user_id,
    qu.requester_id,
    extract(epoch from qu.full_at - now())::integer as seconds
from coins.quota_use as qu;

select is_empty(
    format(
        $$select * from coins.allow_claims(array[%L]::uuid[], array[%L]::uuid[], '{1}', '{}')$$,
        :bob, :alice
    ),
    'where no quota is enabled no call is limited'
);

-- A coin of a pair comes back every 10 seconds.
update coins.claim_quota
set is_enabled = true, coins = 5, period = interval '50 seconds'
where scope = 'pair';
select is_empty(
    $$select * from coins.allow_claims('{}', '{}', '{}', '{}')$$,
    'no calls, no allowances'
);
select is_empty(
    format(
        $$select * from coins.allow_claims(
            array[null, %1$L, %1$L]::uuid[], array[%2$L, null, %2$L]::uuid[], '{1,1,101}', '{1,2,3}'
        )$$,
        :bob, :alice
    ),
    'a call that is answered, because it is refused, has no allowance'
);
select is_empty('select * from coins.quota_use', 'and is not charged');

select results_eq(
    format(
        $$select call_number, allowance, retry_after
        from coins.allow_claims(
            array[%1$L, %1$L, %1$L, %1$L, %2$L, %1$L]::uuid[], array[%3$L, %2$L, %3$L, %3$L, %3$L, %3$L]::uuid[],
            '{3,2,4,1,100,5}', '{6}'
        )
        order by 1$$,
        :bob, :carol, :alice
    ),
    'values (1, 3, 0), (2, 2, 0), (3, 2, 0), (4, 0, 10), (5, 5, 0)',
    'calls of one sender share its quota in their order; a call gets at most what it asks for, an answered one nothing'
);
select results_eq(
    'select target_user_id, requester_id, seconds from pg_temp.missing order by 1, 2',
    format(
        'values (%1$L::uuid, %2$L::uuid, 50), (%1$L, %3$L, 20), (%3$L, %2$L, 50)', :bob, :alice, :carol
    ),
    'what a call may have is charged at once'
);
select results_eq(
    format(
        $$select call_number, allowance, retry_after
        from coins.allow_claims(array[%L]::uuid[], array[%L]::uuid[], '{1}', '{1}')
        union all
        select call_number, allowance, retry_after
        from coins.allow_claims(array[%1$L]::uuid[], array[%2$L]::uuid[], '{1}', '{}')$$,
        :bob, :alice
    ),
    'values (1, 0, 10)',
    'a sender who used up the quota is told the seconds until there is a coin'
);

update coins.claim_quota
set is_enabled = scope = 'recipient', coins = 4
where scope = 'recipient' or is_enabled;
select results_eq(
    format(
        $$select call_number, allowance
        from coins.allow_claims(
            array[%1$L, %1$L, %1$L]::uuid[], array[%2$L, %3$L, %4$L]::uuid[], '{3,3,3}', '{}'
        )
        order by 1$$,
        :bob, :carol, :alice, '0000000a-0000-4000-8000-000000000000'
    ),
    'values (1, 0), (2, 1), (3, 3)',
    'senders share the quota of their recipient'
);
set local role aqm_device;
select throws_ok(
    $$select coins.allow_claims('{}', '{}', '{}', '{}')$$,
    '42501', 'permission denied for function allow_claims',
    'a device allows itself nothing'
);

select * from finish();
rollback;
