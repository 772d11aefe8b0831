create or replace function auth.hash_password(
    p_password text
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_password constant text := auth.normal_password(p_password);
begin
    if char_length(v_password) not between 8 and 1000 or p_password is null then
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
