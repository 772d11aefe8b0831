begin;
select plan(6);

\set company '''c0000000-0000-4000-8000-000000000000'''
insert into auth.companies (id, name) values (:company, 'Coins Ltd');

select lives_ok('select auth.check_profile(null, null, null)', 'a person need not tell anything');
select lives_ok(format($$select auth.check_profile('B', '0b-9_.', %L)$$, :company), 'and may tell all of it');
select throws_ok(format('select auth.check_profile(%s)', bad.arguments), '22023', bad.message, bad.description)
from (
    values
    ($$'', null, null$$, 'name must have between 1 and 400 bytes', 'a name is not empty'),
    (
        $$null, 'B', null$$, 'username must have 2 to 63 of a-z, 0-9, dot, dash and underscore',
        'a username has two small letters'
    ),
    ('null, null, gen_random_uuid()', 'first_company_id must be a company', 'a company is one')
) as bad (arguments, message, description);
update auth.companies
set deleted_at = now();
select throws_ok(
    format('select auth.check_profile(null, null, %L)', :company), '22023', 'first_company_id must be a company',
    'one that was deleted is none'
);

select * from finish();
rollback;
