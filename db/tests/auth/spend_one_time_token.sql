begin;
select plan(15);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice);
create temporary table tokens as
select
    names.name,
    auth.open_one_time_token(:alice, names.purpose, interval '1 hour') as token
from (
    values ('first', 'password_reset'), ('second', 'password_reset'), ('third', 'password_reset'),
    ('check', 'email_check')
) as names (name, purpose);
create function pg_temp.spend(p_name text, p_purpose text default 'password_reset')
returns uuid
language sql
as $$
select auth.spend_one_time_token((select t.token from tokens as t where t.name = p_name), p_purpose)
$$;

select is(pg_temp.spend('first', 'email_check'), null, 'a token is for one thing alone');
select is(pg_temp.spend('first'), :alice::uuid, 'for that it is good');
select is(pg_temp.spend('first'), null, 'once');
select is(pg_temp.spend('check'), null, 'each has its own');
select is(pg_temp.spend('check', 'email_check'), :alice::uuid, 'and is good for it');
select is(
    (
        select count(*)
        from auth.one_time_tokens as ott
        where ott.used_at = now()
    ), 2::bigint, 'what was used is known to be'
);
select is(auth.spend_one_time_token(bad.token, 'password_reset'), null, bad.description)
from (
    values
    (repeat('A', 43), 'a token that never was is good for nothing'),
    ('', 'nor is none'), (null, 'nor null'), (repeat('A', 44), 'nor one too long'),
    (repeat('!', 43), 'nor what is no base64')
) as bad (token, description);

update auth.users set is_active = false;
select is(pg_temp.spend('second'), null, 'whose account is closed has no use for one');
update auth.users set is_active = true, deleted_at = now();
select is(pg_temp.spend('second'), null, 'nor who has none any more');
update auth.users set deleted_at = null;
select is(pg_temp.spend('second'), :alice::uuid, 'it was not used up by that');
update auth.one_time_tokens set expires_at = now();
select is(pg_temp.spend('third'), null, 'it is good no longer than it was said');

select * from finish();
rollback;
