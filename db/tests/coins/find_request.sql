begin;
select plan(9);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set id '''1d000000-0000-4000-8000-000000000001'''
\set other_id '''1d000000-0000-4000-8000-000000000002'''

create view pg_temp.held as
select count(*) as locks
from pg_locks
where pid = pg_backend_pid() and locktype = 'advisory' and mode = 'ExclusiveLock' and granted;

select results_eq(
    format($$select error_code, error_message, is_known from coins.find_request(%L, %L, 'asked')$$, :alice, :id),
    'values (null::text, null::text, null::boolean)',
    'a request id that is new is not known'
);
select results_eq(
    'select locks from pg_temp.held', array[1::bigint],
    'a new request id is locked until the transaction ends, so that its twin waits for the answer'
);

insert into coins.claim_request (requester_id, request_id, entry, asked, key_ids)
values (:alice, :id, 1, 'asked', '{k}'), (:alice, :id, 2, 'asked', '{l}');
select results_eq(
    format($$select error_code, error_message, is_known from coins.find_request(%L, %L, 'asked')$$, :alice, :id),
    'values (null::text, null::text, true)',
    'a request id that was answered is known'
);
select results_eq(
    'select locks from pg_temp.held', array[1::bigint],
    'a retry wants the same lock'
);
select results_eq(
    format($$select error_code, error_message, is_known from coins.find_request(%L, %L, 'other')$$, :alice, :id),
    $$values ('PT422', 'this request id was used for another claim', true)$$,
    'a request id that was used for another claim is refused'
);
select results_eq(
    format($$select error_code, is_known from coins.find_request(%L, %L, 'other')$$, :bob, :id),
    'values (null::text, null::boolean)',
    'a request id is the sender''s own: another sender may use the same'
);
select results_eq(
    'select locks from pg_temp.held', array[2::bigint],
    'and waits for nobody'
);
select results_eq(
    format($$select error_code, is_known from coins.find_request(%L, %L, 'asked')$$, :alice, :other_id),
    'values (null::text, null::boolean)',
    'a sender may use many request ids'
);
select results_eq(
    'select key_ids from coins.claim_request order by entry', $$values ('{k}'::text[]), ('{l}')$$,
    'finding out changes nothing'
);

select * from finish();
rollback;
