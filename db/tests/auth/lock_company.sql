begin;
select plan(4);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set acme '''ac3e0000-0000-4000-8000-000000000000'''
\set gone '''dead0000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
insert into auth.companies (id, name, metadata, deleted_at)
values (:acme, 'Acme', '{"city": "Pune"}', null), (:gone, 'Gone', '{}', now());

select lives_ok(format('select auth.lock_company(%L)', :acme), 'a company can be kept');
select throws_ok(
    format('select auth.lock_company(%L)', :gone), 'PT404', 'there is no such company', 'one that was deleted can''t'
);
select throws_ok(
    format('select auth.lock_company(%L)', :alice), 'PT404', 'there is no such company', 'nor what is none'
);
select throws_ok('select auth.lock_company(null)', 'PT404', 'there is no such company', 'nor nothing');

select * from finish();
rollback;
