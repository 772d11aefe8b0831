begin;
select plan(22);

\ir setup/orders.sql

select
    pg_temp.order_at(1, 'seller_confirmed') as id,
    repeat('n', 24) as nonce
\gset
select
    throws_ok(
        format('select escrow.send_message(%L, %L, %s, %s)', :'id', :buyer, bad.ciphertext, bad.nonce), '22023',
        bad.message, bad.description
    )
from (
    values
    (
        '''''', 'repeat(''n'', 24)::bytea', 'ciphertext_b64 must have between 1 and 65536 bytes',
        'an empty message is none'
    ),
    ('null', 'repeat(''n'', 24)::bytea', 'ciphertext_b64 must have between 1 and 65536 bytes', 'nor is nothing'),
    (
        'repeat(''c'', 65537)::bytea', 'repeat(''n'', 24)::bytea', 'ciphertext_b64 must have between 1 and 65536 bytes',
        'a message has an end'
    ),
    ('''c''', 'repeat(''n'', 23)::bytea', 'nonce_b64 must have 24 bytes', 'a nonce is not shorter'),
    ('''c''', 'repeat(''n'', 25)::bytea', 'nonce_b64 must have 24 bytes', 'nor longer'),
    ('''c''', 'null', 'nonce_b64 must have 24 bytes', 'nor missing')
) as bad (ciphertext, nonce, message, description);
select is_empty('select from escrow.messages', 'what was refused is not stored');

set local role aqm_wallet;
select results_eq(
    format(
        'select sender_wallet, ciphertext, nonce from escrow.send_message(%L, %L, ''\x00ff'', %L)',
        :'id',
        :buyer,
        :'nonce'
    ),
    format('values (%L, ''\x00ff''::bytea, %L::bytea)', :buyer, :'nonce'), 'the buyer sends a message'
);
select is(
    (select length(m.ciphertext) from escrow.send_message(:'id', :seller, repeat('c', 65536)::bytea, :'nonce') as m),
    65536,
    'so does the seller, as long a one as there may be'
);
select
    is_empty(
        format('select escrow.send_message(%L, %L, ''c'', %L)', :'id', other.wallet, :'nonce'),
        format('%s does not', other.name)
    )
from (values (:stranger, 'a stranger'), (:judge, 'an arbitrator without a dispute')) as other (wallet, name);
reset role;
update escrow.orders set status = 'disputed';
select is(
    (select m.sender_wallet from escrow.send_message(:'id', :judge, 'c', :'nonce'::bytea) as m), :judge,
    'an arbitrator does while there is a dispute'
);
update escrow.orders set status = 'resolved_buyer';
select throws_ok(
    format('select escrow.send_message(%L, %L, ''c'', %L)', :'id', :judge, :'nonce'), '42501',
    'an arbitrator reads and writes messages while the order is disputed', 'and not afterwards'
);
select is(
    (select m.sender_wallet from escrow.send_message(:'id', :buyer, 'c', repeat('o', 24)::bytea) as m), :buyer,
    'the parties may talk on'
);
select results_eq(
    format('select * from escrow.send_message(%L, %L, ''c'', repeat(''o'', 24)::bytea)', :'id', :buyer),
    $$select
        m.id, m.sender_wallet::text, decode(m.ciphertext, 'base64'), decode(m.nonce, 'base64'), m.created_at
    from escrow.messages as m where m.nonce = encode(repeat('o', 24)::bytea, 'base64')$$,
    'the same again, since an answer was lost, is answered as the first time'
);
select throws_ok(
    format('select escrow.send_message(%L, %L, ''d'', repeat(''o'', 24)::bytea)', :'id', :buyer), 'PT409',
    'nonce_b64 is that of another message', 'a nonce is good for one message'
);
select is((select count(*) from escrow.messages), 4::bigint, 'neither is one more');
select is(
    (select m.sender_wallet from escrow.send_message(:'id', :seller, 'd', repeat('o', 24)::bytea) as m), :seller,
    'though the other may have chosen the same'
);
update escrow.messages set created_at = now() - interval '24 hours'
where sender_wallet = :buyer;
select is(
    (select count(*) from escrow.send_message(:'id', :buyer, 'c', repeat('o', 24)::bytea)), 1::bigint,
    'after a day nobody remembers'
);
insert into escrow.blacklist (wallet, reason) values (:buyer, 'thief');
update escrow.user_profiles set updated_at = now();
select throws_ok(
    format('select escrow.send_message(%L, %L, ''c'', %L)', :'id', :buyer, :'nonce'), '42501', 'wallet is blacklisted',
    'who is blacklisted sends nothing'
);
select is(
    (
        select count(*) from escrow.messages as m
        where m.ciphertext like '%' || chr(10) || '%' or length(m.nonce) <> 32
    ),
    0::bigint, 'what is stored is base64 without line breaks'
);
select is(
    (
        select count(distinct m.created_at) from escrow.messages as m
        where m.created_at > now()
    ), 4::bigint,
    'each message has a time of its own'
);

select * from finish();
rollback;
