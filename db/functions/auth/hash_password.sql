create or replace function auth.hash_password(
    p_password text
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_password text;
begin
    -- Only if it is not too long: the time that NFC takes may grow with the square of the length.
    v_password := case when char_length(p_password) <= 1000 then auth.normal_password(p_password) end;
    if (char_length(v_password) >= 8) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'password must have between 8 and 1000 characters';
    elsif auth.visible_part(v_password) = '' then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'password must not be made of blanks and invisible characters alone';
    end if;
    return crypto.crypt(auth.shorten_password(p_password), crypto.gen_salt('bf', auth.password_cost()));
end
$$;

comment on function auth.hash_password(text) is
'Hashes a password with bcrypt.
p_password: 8 to 1000 characters, not all of them invisible.
Returns the hash with its salt and cost.
Errors: 22023 for a password that is too short, too long or invisible.';

revoke all on function auth.hash_password(text) from public;
