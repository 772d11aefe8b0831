begin;
select plan(7);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set id '''1d000000-0000-4000-8000-000000000001'''

-- Four calls on bob: alice was allowed 2 of 3 and received both, in this order; carol received 1 of 3; alice, again,
-- received nothing of 2; the last was refused.
create function pg_temp.settle()
returns void
language sql
begin atomic
    select coins.settle_claims(
        array_fill('b0b00000-0000-4000-8000-000000000000'::uuid, array[4]),
        array[
            'a11ce000-0000-4000-8000-000000000000', 'ca401000-0000-4000-8000-000000000000',
            'a11ce000-0000-4000-8000-000000000000', 'ca401000-0000-4000-8000-000000000000'
        ]::uuid[],
        '{GOLD,BRONZE,SILVER,GOLD}', '{3,3,2,9}',
        array[
            '1d000000-0000-4000-8000-000000000001', '1d000000-0000-4000-8000-000000000001',
            '1d000000-0000-4000-8000-000000000002', '1d000000-0000-4000-8000-000000000002'
        ]::uuid[],
        '{2,3,2,9}', '{4}', '{1,2,1}', '{z,b,a}'
    );
end;

insert into coins.quota_use (target_user_id, requester_id, full_at)
values
(:bob, :alice, now() + interval '40 seconds'),
(:bob, :carol, now() + interval '30 seconds');

create view pg_temp.missing as
select
    qu.requester_id,
    extract(epoch from qu.full_at - now())::integer as seconds
from coins.quota_use as qu;

select lives_ok(
    'select pg_temp.settle()',
    'a batch is settled where no quota is enabled'
);
select results_eq(
    'select requester_id, request_id, entry, asked, key_ids, claimed_at from coins.claim_request order by 1',
    format(
        $$values
        (%1$L::uuid, %4$L::uuid, 1, coins.digest_claim(%3$L, 'GOLD', 3), '{z,a}'::text[], now()),
        (%2$L, %4$L, 1, coins.digest_claim(%3$L, 'BRONZE', 3), '{b}', now())$$,
        :alice, :carol, :bob, :id
    ),
    'a call that received coins is remembered with what it asked for and its coins in their order; no other call is'
);
select results_eq(
    'select seconds from pg_temp.missing order by 1', array[30, 40],
    'where no quota is enabled nothing is given back'
);

delete from coins.claim_request;
update coins.claim_quota
set is_enabled = true, coins = 10, period = interval '100 seconds'
where scope = 'pair';
select lives_ok(
    'select pg_temp.settle()',
    'a batch is settled where a quota is enabled'
);
select results_eq(
    'select requester_id, seconds from pg_temp.missing order by 1',
    format('values (%L::uuid, 20), (%L, 10)', :alice, :carol),
    'what was allowed and not given comes back; a refused call, and one that received all, gives nothing back'
);

delete from coins.claim_request;
select lives_ok(
    format(
        $$select coins.settle_claims(
            array[%L]::uuid[], array[%L]::uuid[], '{GOLD}', '{1}', array[null]::uuid[], '{1}', '{}', '{1}', '{k}'
        )$$,
        :bob, :alice
    ),
    'a call without a request id is settled'
);
select is_empty('select * from coins.claim_request', 'and not remembered');

select * from finish();
rollback;
