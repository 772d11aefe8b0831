begin;
select plan(15);

\set alice '''a11ce000-0000-4000-8000-000000000000'''

insert into coins.claim_request (requester_id, request_id, entry, asked, key_ids, claimed_at)
select
    :alice as requester_id,
    gen_random_uuid() as request_id,
    1 as entry,
    '' as asked,
    array[age.key_id] as key_ids,
    now() - age.age as claimed_at
from (
    values
    ('1 day and a moment', interval '24 hours 1 microsecond'),
    ('3 days', interval '72 hours'),
    ('1 day', interval '24 hours'),
    ('now', interval '0'),
    ('2 days', interval '48 hours')
) as age (key_id, age);

select
    throws_ok(
        format('select coins.purge_claim_requests(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('-1', 'max_age_hours must be between 0 and 876000', 'an age can''t be negative'),
    ('876001', 'max_age_hours must be between 0 and 876000', 'an age of over 100 years is a mistake'),
    ('null', 'max_age_hours must be between 0 and 876000', 'without an age nothing is forgotten'),
    ('24, 0', 'limit must be at least 1', 'a purge of at most none is a mistake'),
    ('24, -1', 'limit must be at least 1', 'a purge of fewer than none is a mistake')
) as bad (arguments, message, description);
select is(
    (
        select count(*)
        from coins.claim_request
    ), 5::bigint,
    'a refused purge forgets nothing'
);
select is(coins.purge_claim_requests(876000), 0::bigint, 'a person may keep all for 100 years');
select is(coins.purge_claim_requests(24, 1), 1::bigint, 'a purge with a limit forgets no more than that');
select is_empty(
    $$select key_ids from coins.claim_request where key_ids = '{3 days}'$$,
    'and the oldest first'
);
select is(coins.purge_claim_requests(), 2::bigint, 'a purge without arguments forgets what is older than 24 hours');
select results_eq(
    'select key_ids[1] from coins.claim_request order by claimed_at', array['1 day', 'now'],
    'a request id is remembered for the whole 24 hours'
);
select is(coins.purge_claim_requests(), 0::bigint, 'a purge that is repeated finds nothing');
select is(coins.purge_claim_requests(0), 1::bigint, 'only what was claimed this moment outlives an age of 0');
set local role aqm_jobs;
select lives_ok('select coins.purge_claim_requests(24, 5000)', 'the scheduler may purge');
set local role aqm_device;
select throws_ok(
    'select coins.purge_claim_requests()', '42501', 'permission denied for function purge_claim_requests',
    'a device can''t have its request ids forgotten'
);

select * from finish();
rollback;
