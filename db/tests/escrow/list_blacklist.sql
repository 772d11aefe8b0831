begin;
select plan(12);

insert into escrow.blacklist (wallet, reason, source, added_by)
values
('0x00000000000000000000000000000000000000A1', 'one', 'tornado', null),
('0x00000000000000000000000000000000000000a2', 'two', 'manual', '0x00000000000000000000000000000000000000ad'),
('0x00000000000000000000000000000000000000A3', 'three', 'community', null);

set local role aqm_admin;
select results_eq(
    'select * from escrow.list_blacklist()',
    $$values
    ('0x00000000000000000000000000000000000000A1', 'one', 'tornado', null::text, now()),
    (
        '0x00000000000000000000000000000000000000a2', 'two', 'manual', '0x00000000000000000000000000000000000000ad', now()
    ),
    ('0x00000000000000000000000000000000000000A3', 'three', 'community', null, now())$$,
    'an administrator sees who is shut out, and why'
);
select results_eq('select reason from escrow.list_blacklist(p_limit => 1)', $$values ('one')$$, 'a page at a time');
select results_eq(
    $$select reason from escrow.list_blacklist('0x00000000000000000000000000000000000000A1', 1)$$, $$values ('two')$$,
    'the next page begins after the last wallet'
);
select results_eq(
    $$select reason from escrow.list_blacklist('0x00000000000000000000000000000000000000A2')$$, $$values ('three')$$,
    'also when it comes back with capitals that it has not here'
);
select is_empty(
    $$select 1 from escrow.list_blacklist('0x00000000000000000000000000000000000000A3')$$,
    'after the last there is none'
);
select
    throws_ok(
        format('select escrow.list_blacklist(p_limit => %s)', bad.number), '22023', 'limit must be between 1 and 1000',
        bad.description
    )
from (
    values
    ('0', 'a page has a row'),
    ('-1', 'or more'),
    ('1001', 'but not everybody'),
    ('null', 'and an end')
) as bad (number, description);
select lives_ok('select escrow.list_blacklist(p_limit => 1000)', 'a thousand is a page');
set local role aqm_wallet;
select throws_ok(
    'select escrow.list_blacklist()', '42501', 'permission denied for function list_blacklist',
    'a wallet does not see who is shut out'
);
set local role aqm_anon;
select throws_ok(
    'select escrow.list_blacklist()', '42501', 'permission denied for function list_blacklist', 'nor does anybody else'
);

select * from finish();
rollback;
