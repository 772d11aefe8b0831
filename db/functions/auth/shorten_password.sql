create or replace function auth.shorten_password(
    p_password text
)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return encode(sha256(convert_to(auth.normal_password(p_password), 'UTF8')), 'base64');
end
$$;

comment on function auth.shorten_password(text) is
'Brings a password of any length into 44 characters: bcrypt reads 72 bytes and stops at a zero byte.
p_password: as it was typed.
Returns the SHA-256 of its normal form in base64.
Errors: none.';

revoke all on function auth.shorten_password(text) from public;
