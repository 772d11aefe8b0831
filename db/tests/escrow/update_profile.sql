begin;
select plan(21);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000e1'''
insert into escrow.user_profiles (wallet, public_key, updated_at)
values
(:bob, encode(decode(repeat('a1', 32), 'hex'), 'base64'), now() - interval '1 day'),
(:eve, 'cHVi', now() - interval '1 day');
insert into escrow.blacklist (wallet, reason) values (:eve, 'scam');

set local role aqm_wallet;
select results_eq(
    format($$select display_name, public_key from escrow.update_profile(%L, 'Bob')$$, :bob),
    $$values ('Bob', decode(repeat('a1', 32), 'hex'))$$, 'somebody may take a name, and keeps the key'
);
reset role;
select is(
    (
        select u.updated_at from escrow.user_profiles as u
        where u.wallet = :bob
    ),
    now(),
    'the profile knows when it changed'
);
select results_eq(
    format(
        $$select display_name, public_key from escrow.update_profile(%L, null, decode(repeat('b2', 32), 'hex'))$$, :bob
    ),
    $$values ('Bob', decode(repeat('b2', 32), 'hex'))$$, 'or another key, and keeps the name'
);
select is(
    (
        select u.public_key from escrow.user_profiles as u
        where u.wallet = :bob
    ),
    'srKysrKysrKysrKysrKysrKysrKysrKysrKysrKysrI=', 'the table has it in base64, on one line'
);
update escrow.user_profiles set updated_at = now() - interval '1 day'
where wallet = :bob;
select results_eq(
    format('select display_name from escrow.update_profile(%L)', :bob), $$values ('Bob')$$,
    'who changes nothing is told how things are'
);
select is(
    (
        select u.updated_at from escrow.user_profiles as u
        where u.wallet = :bob
    ), now() - interval '1 day',
    'and has changed nothing'
);
select
    results_eq(
        format('select display_name from escrow.update_profile(%L, %s)', :bob, good.name),
        format('select %s', good.name), good.description
    )
from (
    values
    ($$'B'$$, 'a name may have one character'),
    ($$repeat('B', 50)$$, 'and fifty'),
    ($$repeat('ß', 50)$$, 'of whatever alphabet'),
    ($$'Zoë O''Brien 😀'$$, 'with accents, signs and pictures')
) as good (name, description);
select
    throws_ok(
        format('select escrow.update_profile(%L, %s)', :bob, bad.name), '22023',
        'display_name must have 1 to 50 characters, none invisible and not all blank, or be empty', bad.description
    )
from (
    values
    ($$repeat('B', 51)$$, 'a name has no 51 characters'),
    ($$' '$$, 'and not only spaces'),
    ($$E'B\u202eob'$$, 'nothing that is none of it: the rest is in is_legible.sql')
) as bad (name, description);
select
    throws_ok(
        format('select escrow.update_profile(%L, null, decode(%L, ''hex''))', :bob, repeat('aa', bad.bytes)), '22023',
        'public_key_b64 must be 32 bytes', bad.description
    )
from (
    values (0, 'an empty key is none'), (31, 'a key is not too short'), (33, 'nor too long')
) as bad (bytes, description);
select results_eq(
    format($$select display_name from escrow.update_profile(%L, '')$$, :bob), 'values (null::text)',
    'an empty name takes the name away'
);
select is_empty(
    $$select escrow.update_profile('0x00000000000000000000000000000000000000f1', 'Nobody')$$, 'nobody is not changed'
);
select throws_ok(
    format($$select escrow.update_profile(%L, 'Eve')$$, :eve), '42501', 'wallet is blacklisted',
    'who is blacklisted changes nothing'
);
set local role aqm_admin;
select lives_ok(format($$select escrow.update_profile(%L, '')$$, :bob), 'an administrator may change a profile');
set local role aqm_anon;
select throws_ok(
    format($$select escrow.update_profile(%L, 'Mallory')$$, :bob), '42501',
    'permission denied for function update_profile', 'nobody does unless they sign in'
);

select * from finish();
rollback;
