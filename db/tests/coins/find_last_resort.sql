begin;
select plan(5);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values
(:bob, 'BRONZE', 'bronze', 'public key', 'signature'),
(:bob, 'GOLD', 'golden', '', ''),
(:carol, 'SILVER', 'of carol', '', '');

select results_eq(
    format($$select * from coins.find_last_resort(%L, 'BRONZE')$$, :bob),
    $$values ('bronze', 'BRONZE', 'public key'::bytea, 'signature'::bytea, true)$$,
    'a user''s last-resort coin is found byte for byte and marked as one that others get too'
);
select results_eq(
    format($$select * from coins.find_last_resort(%L, 'BRONZE')$$, :bob),
    $$values ('bronze', 'BRONZE', 'public key'::bytea, 'signature'::bytea, true)$$,
    'it is found again and again'
);
select results_eq(
    format($$select key_id from coins.find_last_resort(%L, 'GOLD')$$, :bob), array['golden'],
    'each category has its own'
);
select is_empty(
    format($$select * from coins.find_last_resort(%L, 'SILVER')$$, :bob),
    'there is none of a category that has none, though another user has one'
);
select is_empty(
    $$select * from coins.find_last_resort(null, null)$$,
    'nobody has none'
);

select * from finish();
rollback;
