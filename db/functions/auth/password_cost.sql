create or replace function auth.password_cost()
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return greatest(10, least(31, coalesce(nullif(current_setting('aqm.password_cost', true), ''), '10')::integer));
end
$$;

comment on function auth.password_cost() is
'Says how dear a password hash is made: the binary logarithm of bcrypt''s rounds, from the setting aqm.password_cost.
Returns 10 to 31; 10 takes some 50 to 100 ms.
Errors: 22P02 for a setting that is no number.';

revoke all on function auth.password_cost() from public;
