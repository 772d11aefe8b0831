begin;
select plan(11);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select is(auth.decrypt_text(auth.encrypt_text(texts.text, 1), 1), texts.text, texts.description)
from (
    values
    ('bob@example.com', 'a text comes back as it was'),
    ('', 'an empty one as well'),
    (U&'\0905\0928\093E \+01F600' || E'\r\n', 'whatever the writing, to the last byte'),
    (repeat('long ', 2000), 'however long')
) as texts (text, description);
select is(auth.decrypt_text(auth.encrypt_text('new', 2), 2), 'new', 'each version of the key reads what it wrote');
select is(auth.decrypt_text(null, 1), null, 'what is not there is not read, and needs no key');

select auth.encrypt_text('bob@example.com', 1) as message
\gset
select throws_ok(
    format('select auth.decrypt_text(%L, 2)', :'message'), '39000', null,
    'another version of the key reads nothing'
);
select throws_ok(
    format('select auth.decrypt_text(%L, 3)', :'message'), 'PT503', 'the encryption key 3 is missing',
    'without the key nobody reads'
);
select throws_ok(format('select auth.decrypt_text(%L, 1)', changed.message), '39000', null, changed.description)
from
    (select :'message'::bytea as message) as m,
    lateral (
        values
        (set_byte(m.message, 40, 255 - get_byte(m.message, 40)), 'a message that was changed is refused'),
        (
            set_byte(m.message, octet_length(m.message) - 1, 255 - get_byte(m.message, octet_length(m.message) - 1)),
            'even when it is the last byte of its seal'
        ),
        (substr(m.message, 1, octet_length(m.message) - 22), 'so is one whose seal was cut off')
    ) as changed (message, description);

select * from finish();
rollback;
