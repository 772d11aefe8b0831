begin;
select plan(8);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set id '''1d000000-0000-4000-8000-000000000001'''
\set gone '''1d000000-0000-4000-8000-000000000002'''
\set new '''1d000000-0000-4000-8000-000000000003'''

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'a', 'BRONZE', 'public key of a', 'signature of a', :alice, now()),
(:bob, 'b', 'BRONZE', 'public key of b', 'signature of b', :alice, now());
insert into coins.claim_request (requester_id, request_id, entry, asked, key_ids)
values
(:alice, :id, 1, coins.digest_claim(:bob, 'BRONZE', 2), '{b,a}'),
(:alice, :gone, 1, coins.digest_claim(:bob, 'BRONZE', 1), '{gone}'),
(:carol, :id, 1, coins.digest_claim(:bob, 'BRONZE', 3), '{gone too}');

create view pg_temp.held as
select count(*) as locks
from pg_locks
where pid = pg_backend_pid() and locktype = 'advisory' and mode = 'ExclusiveLock' and granted;

select is_empty(
    $$select * from coins.repeat_claims('{}', '{}', '{}', '{}', '{}', '{}')$$,
    'no calls, no answers'
);
select is_empty(
    format(
        $$select * from coins.repeat_claims(
            array[%L]::uuid[], array[%L]::uuid[], '{BRONZE}', '{2}', array[null]::uuid[], '{}'
        )$$,
        :bob, :alice
    ),
    'a call without a request id is not answered'
);
select is_empty(
    format(
        $$select * from coins.repeat_claims(
            array[null, %1$L, %1$L]::uuid[], array[%2$L, null, %2$L]::uuid[], '{BRONZE,BRONZE,bronze}', '{2,2,2}',
            array_fill(%3$L::uuid, array[3]), '{1,2,3}'
        )$$,
        :bob, :alice, :id
    ),
    'a call that is answered, because it is refused, is not answered again'
);
select results_eq('select locks from pg_temp.held', array[0::bigint], 'and locks no id');

select results_eq(
    format(
        $$select * from coins.repeat_claims(
            array_fill(%1$L::uuid, array[6]), array[%2$L, %2$L, %3$L, %2$L, %2$L, %2$L]::uuid[],
            '{BRONZE,BRONZE,BRONZE,BRONZE,GOLD,BRONZE}', '{1,2,1,1,1,1}',
            array[%6$L, %4$L, %4$L, %5$L, %6$L, null]::uuid[], '{}'
        )
        order by call_number$$,
        :bob, :alice, :carol, :id, :gone, :new
    ),
    $$values
    (2, null, null, null::text, 'b', 'BRONZE', 'public key of b'::bytea, 'signature of b'::bytea),
    (2, null, null, null, 'a', 'BRONZE', 'public key of a', 'signature of a'),
    (3, 'PT422', 'this request id was used for another claim', null, null, null, null, null),
    (4, 'PT410', 'the coins of this request are deleted', null, null, null, null, null),
    (5, '55P03', 'another claim has this request id', null, null, null, null, null)$$,
    'each call is answered by its own id: coins again, a misuse, a loss, a twin of a new claim; a new one has no row'
);
select results_eq(
    'select locks from pg_temp.held', array[4::bigint],
    'the ids of all calls are locked until the transaction ends'
);
select results_eq(
    format(
        $$select call_number, error_code, key_id from coins.repeat_claims(
            array_fill(%1$L::uuid, array[3]), array_fill(%2$L::uuid, array[3]),
            '{BRONZE,BRONZE,BRONZE}', '{2,2,2}', array_fill(%3$L::uuid, array[3]), '{}'
        )
        order by call_number$$,
        :bob, :alice, :id
    ),
    $$values (1, null, 'b'), (1, null, 'a'), (2, '55P03', null), (3, '55P03', null)$$,
    'of calls with one id in a batch the first is answered and the others are to be made alone'
);
set local role aqm_device;
select throws_ok(
    $$select coins.repeat_claims('{}', '{}', '{}', '{}', '{}', '{}')$$,
    '42501', 'permission denied for function repeat_claims',
    'a device repeats a claim by claiming'
);

select * from finish();
rollback;
