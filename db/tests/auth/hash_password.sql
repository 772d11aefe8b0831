begin;
select plan(16);

select auth.hash_password('correct horse') as hashed
\gset
select matches(:'hashed'::text, '^\$2a\$10\$[./A-Za-z0-9]{53}$', 'a password is kept as bcrypt, with 1024 rounds');
select isnt(auth.hash_password('correct horse'), :'hashed'::text, 'two persons with one password have two hashes');
select ok(auth.is_password('correct horse', :'hashed'), 'the password is known again');
select is(:'hashed'::text, crypto.crypt(auth.shorten_password('correct horse'), :'hashed'), 'all of it was hashed');
set local "aqm.password_cost" = '11';
select matches(auth.hash_password('12345678'), '^\$2a\$11\$', 'an operator may make it dearer; 8 characters will do');
set local "aqm.password_cost" = '10';
select lives_ok($$select auth.hash_password(repeat('é', 1000))$$, 'a password may have 1000 characters, not bytes');
select
    throws_ok(
        format('select auth.hash_password(%s)', bad.password), '22023',
        'password must have between 8 and 1000 characters', bad.description
    )
from (
    values
    ('null', 'a password is needed'),
    ($$''$$, 'an empty one is none'),
    ($$'1234567'$$, 'a short one is refused'),
    ($$repeat('p', 1001)$$, 'so is one over 1000 characters')
) as bad (password, description);

select
    throws_ok(
        format('select auth.hash_password(%L)', bad.password), '22023',
        'password must not be made of blanks and invisible characters alone', bad.description
    )
from (
    values
    (repeat(' ', 8), 'blanks are no password'),
    (repeat(U&'\200B', 8), 'nor is what nobody sees')
) as bad (password, description);
select throws_ok(
    format('select auth.hash_password(%L)', repeat(U&'e\0301', 7)), '22023',
    'password must have between 8 and 1000 characters', 'seven letters are seven, however they are written'
);
select lives_ok(
    format('select auth.hash_password(%L)', repeat(U&'e\0301', 500)), 'and five hundred are no more than a thousand'
);
select lives_ok($$select auth.hash_password('       x')$$, 'blanks before a letter are a password');

-- Its marks would have to be put in order, each past all others.
create function pg_temp.seconds()
returns double precision
language plpgsql
as $$
declare
    v_begin constant timestamptz := clock_timestamp();
begin
    perform auth.hash_password(repeat(U&'\0315', 10000) || repeat(U&'\0327', 10000));
exception
    when invalid_parameter_value then
        return extract(epoch from clock_timestamp() - v_begin);
end
$$;
select cmp_ok(pg_temp.seconds(), '<', 0.5::double precision, 'what is far too long is refused without a look');

select * from finish();
rollback;
