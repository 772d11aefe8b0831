create or replace function auth.decrypt_or_null(
    p_message bytea,
    p_version integer
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return auth.decrypt_text(p_message, p_version);
exception
    when external_routine_invocation_exception then
        return null;
end
$$;

comment on function auth.decrypt_or_null(bytea, integer) is
'Decrypts what auth.encrypt_text() made, where one damaged value must not hold up the others.
p_message: the OpenPGP message; null stays null. p_version: of the encryption key.
Returns the text; null for a message that was changed.
Errors: PT503 as auth.data_key().';

revoke all on function auth.decrypt_or_null(bytea, integer) from public;
