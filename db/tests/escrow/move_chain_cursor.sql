begin;
select plan(9);

\set contract '''0x00000000000000000000000000000000000000cc'''
select throws_ok(
    format('select escrow.move_chain_cursor(null, %L, 1)', :contract), '22023', 'chain must be given',
    'a cursor is of a chain'
);
select throws_ok(
    $$select escrow.move_chain_cursor('bsc', null, 1)$$, '22023', 'contract must be given', 'and follows a contract'
);
select
    throws_ok(
        format($$select escrow.move_chain_cursor('bsc', %L, %s)$$, :contract, n), '22023', 'block must be at least 0',
        format('block %s was never read', n)
    )
from unnest(array['-1', 'null']) as n;
set local role aqm_worker;
select results_eq(
    format(
        $$select chain::text, contract, last_block, updated_at from escrow.move_chain_cursor('bsc', %L, 7)$$, :contract
    ),
    format($$values ('bsc', %L, 7::bigint, now())$$, :contract), 'a chain that says nothing has a cursor too'
);
reset role;
update escrow.event_sync_cursor set updated_at = now() - interval '1 day';
select results_eq(
    format($$select last_block, updated_at from escrow.move_chain_cursor('bsc', %L, 6)$$, :contract),
    'values (7::bigint, now())', 'it never moves back, but tells that somebody reads'
);
select results_eq(
    $$select contract, last_block
    from escrow.move_chain_cursor('bsc', '0x00000000000000000000000000000000000000dd', 8)$$,
    format('values (%L, 8::bigint)', :contract), 'it moves forward, and keeps its contract'
);
select is_empty('select from escrow.chain_event', 'nothing was said by that');
set local role aqm_wallet;
select throws_ok(
    format($$select escrow.move_chain_cursor('bsc', %L, 9)$$, :contract), '42501',
    'permission denied for function move_chain_cursor', 'nobody else moves it'
);
reset role;

select * from finish();
rollback;
