begin;
select plan(9);

select auth.hash_password(repeat('long ', 20) || 'end') as hashed
\gset
select ok(auth.is_password(repeat('long ', 20) || 'end', :'hashed'), 'whoever has the password is known');
select ok(not auth.is_password(repeat('long ', 20) || 'END', :'hashed'), 'it counts to its last letter');
select is(auth.is_password('', :'hashed'), false, 'no password opens nothing');
select is(auth.is_password(null, :'hashed'), false, 'nor does one that is not there');
select is(auth.is_password('correct horse', null), false, 'who has no password can''t be logged in with any');
select is(auth.is_password(null, null), false, 'nor with none');
select auth.hash_password(U&'caf\00E9 noir') as hashed_here
\gset
select ok(
    auth.is_password(U&'cafe\0301\00A0noir', :'hashed_here'), 'another keyboard writes the same in another way'
);
select ok(not auth.is_password(U&'CAF\00C9 NOIR', :'hashed_here'), 'but capitals count');

-- Measured, since it is the promise: the quicker of three each.
create function pg_temp.milliseconds(p_hash text, out fastest double precision)
language plpgsql
as $$
declare
    v_start timestamptz;
begin
    for n in 1 .. 3 loop
        v_start := clock_timestamp();
        perform auth.is_password('a guess', p_hash);
        fastest := least(fastest, extract(epoch from clock_timestamp() - v_start) * 1000);
    end loop;
end
$$;
select cmp_ok(
    pg_temp.milliseconds(null) / pg_temp.milliseconds(:'hashed'), '>', 0.5::double precision,
    'nobody''s password takes as long as somebody''s'
);

select * from finish();
rollback;
