begin;
select plan(5);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
do $$ begin
    perform auth.use_data_key('encryption', 1);
    perform auth.use_data_key('encryption', 2);
    perform auth.add_month('email_events', (now() at time zone 'UTC')::date);
end $$;
insert into auth.email_events (template, secret_encrypted, encryption_version)
values
('first', auth.encrypt_text('a', 1), 1), ('second', auth.encrypt_text('b', 1), 1),
('third', auth.encrypt_text('c', 2), 2), ('fourth', null, null);
insert into auth.email_events (template, secret_encrypted, encryption_version, has_own_address)
values ('fifth', auth.encrypt_text('bob@example.org', 1), 1, true);

select is(auth.rotate_email_secrets(1, '{1}', 2), 1::bigint, 'no more than the limit are written anew');
select is(auth.rotate_email_secrets(10, '{1}', 2), 2::bigint, 'then the others');
select is(auth.rotate_email_secrets(10, '{1}', 2), 0::bigint, 'then none');
select results_eq(
    'select template, auth.decrypt_text(secret_encrypted, 2), encryption_version from auth.email_events order by id',
    $$values ('first', 'a', 2), ('second', 'b', 2), ('third', 'c', 2), ('fourth', null, null),
    ('fifth', 'bob@example.org', 2)$$,
    'each keeps its secret or its address, and who has none gets none'
);
select is(auth.rotate_email_secrets(10, '{}', 2), 0::bigint, 'without old keys there is nothing to do');

select * from finish();
rollback;
