create or replace function auth.normal_password(
    p_password text
)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The same keys give é as one character on one system and as two on another, and some give a blank of their own.
    return normalize(
        regexp_replace(p_password, U&'[\00A0\1680\2000-\200A\202F\205F\3000]', ' ', 'g'), nfc
    );
end
$$;

comment on function auth.normal_password(text) is
'Brings a password into the form in which it is hashed, as OpaqueString of RFC 8265 has it: NFC, each blank of Unicode a plain one; capitals stay capitals.
p_password: as it was typed, at most 1000 characters, which the caller sees to: the time that NFC takes may grow with the square of the length; null stays null.
Returns the normal form.
Errors: none.';

revoke all on function auth.normal_password(text) from public;
