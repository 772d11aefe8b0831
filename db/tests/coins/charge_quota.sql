begin;
select plan(7);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

update coins.claim_quota
set is_enabled = true, coins = 10, period = case scope when 'pair' then interval '100 s' else interval '10 s' end;
insert into coins.quota_use (target_user_id, requester_id, full_at)
values
(:bob, :alice, now()),
(:bob, null, now()),
(:bob, :carol, now()),
(:carol, :alice, now()),
(:carol, null, now());

-- Seconds until each is full: alice at carol, all at carol, alice at bob, carol at bob, all at bob.
create view pg_temp.missing as
select
    array_agg(
        extract(epoch from qu.full_at - now())::integer
        order by qu.target_user_id desc, qu.requester_id asc
    ) as seconds
from coins.quota_use as qu;

select lives_ok(format('select coins.charge_quota(%L, %L, 3)', :bob, :alice), 'coins that were given are charged');
select results_eq(
    'select seconds from pg_temp.missing', $$values ('{0,0,30,0,3}'::integer[])$$,
    'both quotas are charged with the time of each coin, and no other sender''s or recipient''s'
);
select lives_ok(format('select coins.charge_quota(%L, %L, 7)', :bob, :carol), 'another sender''s coins are charged');
select results_eq(
    'select seconds from pg_temp.missing', $$values ('{0,0,30,70,10}'::integer[])$$,
    'all senders together use up the recipient''s quota'
);
select lives_ok(format('select coins.charge_quota(%L, %L, -2)', :bob, :alice), 'coins may be given back');
select results_eq(
    'select seconds from pg_temp.missing', $$values ('{0,0,10,70,8}'::integer[])$$,
    'what is given back is there at once'
);
update coins.claim_quota
set is_enabled = false
where scope = 'recipient';
do $$
begin
    perform coins.charge_quota(
        'b0b00000-0000-4000-8000-000000000000', 'a11ce000-0000-4000-8000-000000000000', 1
    );
end
$$;
select results_eq(
    'select seconds from pg_temp.missing', $$values ('{0,0,20,70,8}'::integer[])$$,
    'a quota that does not hold is not charged'
);

select * from finish();
rollback;
