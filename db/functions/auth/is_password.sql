create or replace function auth.is_password(
    p_password text,
    p_hash text
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hash text;
    v_current constant integer := auth.password_cost();
begin
    -- Nobody's password is checked all the same, for as long: an answer's time must not tell who has an account.
    v_hash := coalesce(p_hash, crypto.gen_salt('bf', v_current));
    -- A hash that was made when they were cheaper is topped up to what a new one costs: 2^k + 2^k + 2^(k+1) + … = 2^c.
    for v_cost in coalesce(substr(p_hash, 5, 2)::integer, v_current)..v_current - 1 loop
        perform crypto.crypt(auth.shorten_password(p_password), crypto.gen_salt('bf', v_cost));
    end loop;
    return (crypto.crypt(auth.shorten_password(p_password), v_hash) = p_hash) is true;
end
$$;

comment on function auth.is_password(text, text) is
'Checks a password against its hash, in a time that does not depend on whether there is one.
p_password: as it was typed, in whichever of Unicode''s forms; null is nobody''s. p_hash: of auth.hash_password(); null: nobody has this account.
Returns whether it is the password.
Errors: none.';

revoke all on function auth.is_password(text, text) from public;
