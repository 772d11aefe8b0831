begin;
select plan(18);

-- So many refusals in a row, the last one so long ago.
create function pg_temp.refuse(p_times integer, p_ago interval default '0', p_hash bytea default 'bob')
returns interval
language plpgsql
as $$
begin
    delete from auth.login_attempts;
    insert into auth.login_attempts (email_hash, is_success, created_at)
    select p_hash, false, now() - p_ago - interval '1 second' * (p_times - n)
    from generate_series(1, p_times) as n;
    return auth.lockout_of_account(array['bob'::bytea]);
end
$$;

select is(auth.lockout_of_account(array['bob'::bytea]), interval '0', 'an account that nobody tried is open');
select is(auth.lockout_of_account('{}'), interval '0', 'in a new database every account is');
select is(pg_temp.refuse(lock.times), lock.wait, lock.description)
from (
    values
    (4, interval '0', 'whoever mistypes four times may go on'),
    (5, interval '30 seconds', 'after five refusals the account is locked'),
    (6, interval '1 minute', 'for twice as long after six'),
    (7, interval '2 minutes', 'and again twice as long after seven'),
    (11, interval '32 minutes', 'and so on'),
    (12, interval '1 hour', 'but never over an hour'),
    (150, interval '1 hour', 'however often')
) as lock (times, wait, description);
select is(pg_temp.refuse(6, '20 seconds'), interval '40 seconds', 'the time runs from the last refusal');
select cmp_ok(pg_temp.refuse(6, '1 minute'), '<=', interval '0', 'and then the account is open');
select is(pg_temp.refuse(50, '1 day'), interval '0', 'after a day nothing counts any more');
select is(pg_temp.refuse(50, p_hash => 'eve'), interval '0', 'another account''s refusals don''t count');
select is(
    auth.lockout_of_account(array['bob'::bytea, 'eve'::bytea]), interval '1 hour',
    'refusals count under each version of the index key'
);

select is(pg_temp.refuse(6, '10 seconds'), interval '50 seconds', 'an account may be locked');
insert into auth.login_attempts (email_hash, is_success) values ('bob', true);
select is(auth.lockout_of_account(array['bob'::bytea]), interval '0', 'who gets in wipes the slate');
insert into auth.login_attempts (email_hash, is_success)
select
    'bob' as email_hash,
    false as is_success
from generate_series(1, 4);
select is(auth.lockout_of_account(array['bob'::bytea]), interval '0', 'what was before it is not counted again');
insert into auth.login_attempts (email_hash, is_success) values ('bob', false);
select is(auth.lockout_of_account(array['bob'::bytea]), interval '30 seconds', 'and five after it lock');

select * from finish();
rollback;
