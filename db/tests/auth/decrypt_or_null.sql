begin;
select plan(4);

set local "aqm.encryption_keys" = '1:e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1';
select is(auth.decrypt_or_null(auth.encrypt_text('a secret', 1), 1), 'a secret', 'what is whole is read');
select is(auth.decrypt_or_null(null, 1), null, 'nothing is nothing');
select is(
    auth.decrypt_or_null(substr(auth.encrypt_text('a secret', 1), 1, 60), 1), null,
    'what was damaged is not read, and holds nobody up'
);
set local "aqm.encryption_keys" = '';
select throws_ok(
    $$select auth.decrypt_or_null('\xc30d', 1)$$, 'PT503', 'the encryption keys are missing',
    'without the key it is said so'
);

select * from finish();
rollback;
