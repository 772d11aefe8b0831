begin;
select plan(16);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
do $$ begin
    perform auth.create_user('alice@example.org', 'correct horse', p_aadhaar => '123456789012');
    perform auth.create_user('bob@example.org', 'correct horse');
    perform auth.queue_email(u.id, 'welcome', p_secret => 'x') from auth.users as u limit 1;
end $$;

select
    throws_ok(
        format('select auth.forget_data_key(%s)', bad.arguments), bad.state, bad.message, bad.description
    )
from (
    values
    ($$'encryption', 2$$, 'PT404', 'there is no such data key', 'what was never used can''t be forgotten'),
    ($$'other', 1$$, 'PT404', 'there is no such data key', 'nor a key of another kind'),
    ('null, null', 'PT404', 'there is no such data key', 'nor none'),
    (
        $$'encryption', 1$$, 'PT409', 'this data key is the one that is written with',
        'the key that is written with stays'
    ),
    ($$'index', 1$$, 'PT409', 'this data key is the one that is written with', 'whatever its kind')
) as bad (arguments, state, message, description);

do $$ begin
    perform auth.use_data_key('encryption', 2);
    perform auth.use_data_key('index', 2);
end $$;
select throws_ok(
    $$select auth.forget_data_key('encryption', 1)$$, 'PT409', 'there are rows that this data key wrote',
    'a key stays as long as people are encrypted with it'
);
select throws_ok(
    $$select auth.forget_data_key('index', 1)$$, 'PT409', 'there are rows that this data key wrote',
    'or hashed'
);
select is(auth.rotate_keys(10), 2::bigint, 'when all are written anew');
select throws_ok(
    $$select auth.forget_data_key('encryption', 1)$$, 'PT409', 'there are rows that this data key wrote',
    'there still are emails'
);
select throws_ok(
    $$select auth.forget_data_key('index', 1)$$, 'PT409', 'there are rows that this data key wrote',
    'and hashes of Aadhaar numbers'
);
select is(auth.rotate_keys(10), 1::bigint, 'when those are written anew');
select lives_ok($$select auth.forget_data_key('encryption', 1)$$, 'the key may go');
select lives_ok('select auth.erase_user(u.id) from auth.users as u', 'when the last person with such a hash is gone');
select lives_ok($$select auth.forget_data_key('index', 1)$$, 'the other one may, too');
select results_eq(
    'select kind, version from auth.data_keys order by kind', $$values ('encryption', 2), ('index', 2)$$,
    'the new ones stay'
);
select results_eq(
    $$select detail from auth.audit_logs where action = 'data_key.forgotten' order by id$$,
    $$values ('{"kind": "encryption", "version": 1}'::jsonb), ('{"kind": "index", "version": 1}')$$,
    'the audit knows'
);

select * from finish();
rollback;
