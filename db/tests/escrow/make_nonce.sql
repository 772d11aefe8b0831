begin;
select plan(8);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000e1'''
insert into escrow.blacklist (wallet, reason) values (:eve, 'scam');

set local role aqm_anon;
select lives_ok(format('select escrow.make_nonce(%L)', :bob), 'anybody may ask for a text to sign');
reset role;
delete from escrow.sign_in_nonce;
create temporary table made as select * from escrow.make_nonce(:bob)
union all
select * from escrow.make_nonce(:bob)
union all
select * from escrow.make_nonce(:bob);
-- How many have what is promised.
create view pg_temp.good as
select
    count(distinct m.nonce) filter (where m.nonce ~ '^[0-9a-f]{64}$') as nonces,
    count(n.nonce) as kept,
    count(*) filter (where m.message = escrow.sign_in_message(n.wallet, m.nonce, m.expires_at)) as texts
from made as m
left join escrow.sign_in_nonce as n on m.nonce = n.nonce and m.expires_at = n.expires_at and n.wallet = :bob;
select is((select g.nonces from pg_temp.good as g), 3::bigint, 'each is 64 hex digits and no other''s');
select is((select g.kept from pg_temp.good as g), 3::bigint, 'many may be open at once, each for who was named');
select is(
    (select max(m.expires_at) from made as m), date_trunc('second', now()) + interval '10 minutes',
    'a text is good for ten minutes'
);
select is((select g.texts from pg_temp.good as g), 3::bigint, 'the text to sign is that of the nonce');
select is(
    (select count(*) from escrow.make_nonce(:eve)), 1::bigint, 'nobody learns here who is blacklisted'
);
select throws_ok(
    'select escrow.make_nonce(null)', '22023', 'wallet must not be null', 'somebody must be named'
);
set local role aqm_wallet;
select throws_ok(
    format('select escrow.make_nonce(%L)', :bob), '42501', 'permission denied for function make_nonce',
    'who is signed in has no need of it'
);

select * from finish();
rollback;
