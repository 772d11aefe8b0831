begin;
select plan(18);

-- So many refusals in all, each of another account, the last one so long ago.
create function pg_temp.refuse(p_times integer, p_ago interval default '0', p_address inet default '192.0.2.1')
returns interval
language plpgsql
as $$
begin
    delete from auth.login_attempts;
    insert into auth.login_attempts (email_hash, address, is_success, created_at)
    select sha256(n::text::bytea), p_address, false, now() - p_ago - interval '1 second' * (p_times - n)
    from generate_series(1, p_times) as n;
    return auth.lockout_of_address('192.0.2.1');
end
$$;

select is(auth.lockout_of_address('192.0.2.1'), interval '0', 'an address that nobody tried from is open');
select is(pg_temp.refuse(lock.times), lock.wait, lock.description)
from (
    values
    (49, interval '0', 'many people may share an address, and 49 of them mistype'),
    (50, interval '30 seconds', 'after 50 refusals it is locked, whosever they were'),
    (59, interval '30 seconds', 'for as long after 59'),
    (60, interval '1 minute', 'for twice as long after 60'),
    (70, interval '2 minutes', 'and again after 70'),
    (120, interval '1 hour', 'but never over an hour'),
    (600, interval '1 hour', 'however often')
) as lock (times, wait, description);
select is(pg_temp.refuse(50, '20 seconds'), interval '10 seconds', 'the time runs from the last refusal');
select cmp_ok(pg_temp.refuse(50, '40 seconds'), '<=', interval '0', 'and then the address is open');
select is(pg_temp.refuse(50, '1 hour'), interval '0', 'after an hour nothing counts any more');
select is(pg_temp.refuse(50, p_address => '192.0.2.2'), interval '0', 'another address''s refusals don''t count');
select is(pg_temp.refuse(50, p_address => null), interval '0', 'nor do those from nowhere');
select is(auth.lockout_of_address(null), interval '0', 'and nowhere, as in psql, is never locked');

select is(
    pg_temp.refuse(50, p_address => '2001:db8:1:2::/64'), interval '0', 'nor do those of a network elsewhere'
);
select is(
    auth.lockout_of_address('2001:db8:1:2:3:4:5:6'), interval '30 seconds',
    'who has a network of IPv6 addresses can''t take a fresh one each time'
);

select is(pg_temp.refuse(50), interval '30 seconds', 'an address may be locked');
insert into auth.login_attempts (email_hash, address, is_success) values ('eve', '192.0.2.1', true);
select is(
    auth.lockout_of_address('192.0.2.1'), interval '30 seconds',
    'whoever has an account of their own can''t open it by that'
);

select * from finish();
rollback;
