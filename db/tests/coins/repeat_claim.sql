begin;
select plan(11);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set id '''1d000000-0000-4000-8000-000000000001'''

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'a', 'BRONZE', 'public key of a', 'signature of a', :alice, now()),
(:bob, 'b', 'BRONZE', 'public key of b', 'signature of b', :alice, now()),
(:bob, 'unclaimed', 'BRONZE', '', '', null, null);

select is_empty(
    format($$select * from coins.repeat_claim(%L, %L, 'BRONZE', 2, %L)$$, :bob, :alice, :id),
    'a claim whose request id is new is not answered'
);
select results_eq(
    $$select count(*) from pg_locks
    where pid = pg_backend_pid() and locktype = 'advisory' and mode = 'ExclusiveLock' and granted$$,
    array[1::bigint],
    'its id is locked, so that a second one with it waits'
);

insert into coins.claim_request (requester_id, request_id, entry, asked, key_ids)
values (:alice, :id, 1, coins.digest_claim(:bob, 'BRONZE', 2), '{b,a}');
select results_eq(
    format($$select * from coins.repeat_claim(%L, %L, 'BRONZE', 2, %L)$$, :bob, :alice, :id),
    $$values
    (null, null, 'b', 'BRONZE', 'public key of b'::bytea, 'signature of b'::bytea),
    (null, null, 'a', 'BRONZE', 'public key of a', 'signature of a')$$,
    'a retry gets the coins of the first answer, byte for byte and in its order'
);
select
    results_eq(
        format($$select * from coins.repeat_claim(%s)$$, other.arguments),
        $$values (
        'PT422', 'this request id was used for another claim', null::text, null::text, null::bytea, null::bytea
    )$$,
        other.description
    )
from (
    values
    (format($$%L, %L, 'BRONZE', 2, %L$$, :carol, :alice, :id), 'the id is refused for a claim of another recipient'),
    (format($$%L, %L, 'GOLD', 2, %L$$, :bob, :alice, :id), 'the id is refused for a claim of another category'),
    (format($$%L, %L, 'BRONZE', 3, %L$$, :bob, :alice, :id), 'the id is refused for a claim of another count')
) as other (arguments, description);
select is_empty(
    format($$select * from coins.repeat_claim(%L, %L, 'BRONZE', 2, %L)$$, :bob, :carol, :id),
    'another sender never gets the coins by the same id'
);
insert into coins.claim_request (requester_id, request_id, entry, asked, key_ids)
values (:carol, :id, 1, coins.digest_claim(:bob, 'BRONZE', 2), '{gone}');
select results_eq(
    format($$select error_code, key_id from coins.repeat_claim(%L, %L, 'BRONZE', 2, %L)$$, :bob, :alice, :id),
    $$values (null, 'b'), (null, 'a')$$,
    'nor does the other sender''s use of it change the answer'
);
select results_eq(
    'select key_id::text, fetched_by from coins.coin_inventory order by key_id',
    format($$values ('a', %L::uuid), ('b', %1$L), ('unclaimed', null)$$, :alice),
    'repeating claims nothing'
);

delete from coins.coin_inventory
where key_id = 'a';
select results_eq(
    format($$select * from coins.repeat_claim(%L, %L, 'BRONZE', 2, %L)$$, :bob, :alice, :id),
    $$values (
        'PT410', 'the coins of this request are deleted', null::text, null::text, null::bytea, null::bytea
    )$$,
    'once a coin is hard-deleted a retry is told so and gets no part of the coins'
);
select results_eq(
    format($$select error_code from coins.repeat_claim(%L, %L, 'BRONZE', 1, %L)$$, :bob, :alice, :id),
    array['PT422'],
    'a misused id is told as such even then'
);

select * from finish();
rollback;
