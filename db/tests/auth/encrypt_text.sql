begin;
select plan(8);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select
    auth.encrypt_text('bob@example.com', 1) as message,
    auth.encrypt_text('bob@example.com', 1) as again,
    auth.encrypt_text('bob@example.com', 2) as newer
\gset
select is(
    crypto.pgp_sym_decrypt(:'message'::bytea, repeat('e1', 32)), 'bob@example.com',
    'whoever has the key reads the text, with any OpenPGP program'
);
select is(
    crypto.pgp_sym_decrypt(:'newer'::bytea, repeat('e2', 32)), 'bob@example.com',
    'the key of the version is used'
);
select isnt(:'again'::bytea, :'message'::bytea, 'two equal texts don''t look alike');
select is(
    position('bob'::bytea in :'message'::bytea) + position('example'::bytea in :'message'::bytea), 0,
    'nothing of the text can be read without the key'
);
-- RFC 4880: a packet of type 3, version 4, whose next byte is the cipher, and one of type 18.
select is(get_byte(:'message'::bytea, 3), 9, 'the cipher is AES-256');
select is(
    get_byte(:'message'::bytea, 2 + get_byte(:'message'::bytea, 1)), 192 + 18,
    'and the message is protected against changes'
);
select is(auth.encrypt_text(null, 1), null, 'what is not told is not there, and needs no key');
select throws_ok(
    $$select auth.encrypt_text('bob@example.com', 3)$$, 'PT503', 'the encryption key 3 is missing',
    'without the key nothing is written'
);

select * from finish();
rollback;
