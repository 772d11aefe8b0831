begin;
select plan(8);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

create function pg_temp.move(p_after timestamptz, p_after_record_id bigint)
returns void
language sql
begin atomic
    select coins.move_queue_mark('b0b00000-0000-4000-8000-000000000000', 'BRONZE', p_after, p_after_record_id);
end;

select lives_ok($$select pg_temp.move('-infinity', 0)$$, 'a queue without coins needs no mark');
select is_empty('select * from coins.queue_mark', 'and gets none');

-- Neither the place on disk nor record_id alone is the order of the queue.
insert into coins.coin_inventory (
    record_id, user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at, fetched_by, fetched_at
)
overriding system value
values
(30, :bob, 'third', 'BRONZE', '3', '', '2026-01-01 02:00Z', null, null),
(12, :bob, 'second', 'BRONZE', '2', '', '2026-01-01 01:00Z', null, null),
(11, :bob, 'first', 'BRONZE', '1', '', '2026-01-01 01:00Z', null, null),
(40, :bob, 'claimed', 'BRONZE', '0', '', '2026-01-01 00:00Z', :alice, now()),
(1, :bob, 'golden', 'GOLD', '', '', '2025-01-01Z', null, null),
(2, :alice, 'of alice', 'BRONZE', '', '', '2025-01-01Z', null, null);

select pg_temp.move('-infinity', 0) is null as is_done
\gset
select results_eq(
    'select user_id, coin_category::text, uploaded_at, record_id from coins.queue_mark',
    format($$values (%L::uuid, 'BRONZE', timestamptz '2026-01-01 01:00Z', 11::bigint)$$, :bob),
    'the mark is the oldest unclaimed coin of its own queue'
);
update coins.coin_inventory
set fetched_by = :alice, fetched_at = now()
where key_id = 'first';
select pg_temp.move('2026-01-01 01:00Z', 11) is null as is_done
\gset
select results_eq(
    'select uploaded_at, record_id from coins.queue_mark', $$values (timestamptz '2026-01-01 01:00Z', 12::bigint)$$,
    'the mark moves to the next coin of the same upload when a coin is claimed'
);
select pg_temp.move('2026-01-01 01:00Z', 12) is null as is_done
\gset
select results_eq(
    'select uploaded_at, record_id from coins.queue_mark', $$values (timestamptz '2026-01-01 01:00Z', 12::bigint)$$,
    'a coin at the mark is not behind it'
);
select pg_temp.move('2026-01-01 01:00Z', 13) is null as is_done
\gset
select results_eq(
    'select uploaded_at, record_id from coins.queue_mark', $$values (timestamptz '2026-01-01 02:00Z', 30::bigint)$$,
    'the mark moves on from the mark so far'
);
select pg_temp.move('-infinity', 0) is null as is_done
\gset
select results_eq(
    'select uploaded_at, record_id from coins.queue_mark', $$values (timestamptz '2026-01-01 01:00Z', 12::bigint)$$,
    'the mark moves back to a coin that was behind it'
);
select pg_temp.move('2026-01-01 03:00Z', 0) is null as is_done
\gset
select results_eq(
    'select uploaded_at, record_id from coins.queue_mark', $$values (timestamptz '2026-01-01 01:00Z', 12::bigint)$$,
    'the mark stays where it is when no coin comes after'
);

select * from finish();
rollback;
