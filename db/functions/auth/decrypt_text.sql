create or replace function auth.decrypt_text(
    p_message bytea,
    p_version integer
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_message is null then
        return null;
    end if;
    return crypto.pgp_sym_decrypt(p_message, encode(auth.data_key('encryption', p_version), 'hex'));
end
$$;

comment on function auth.decrypt_text(bytea, integer) is
'Decrypts what auth.encrypt_text() made.
p_message: the OpenPGP message; null stays null. p_version: of the encryption key.
Returns the text.
Errors: PT503 as auth.data_key(), 39000 for a message that was changed.';

revoke all on function auth.decrypt_text(bytea, integer) from public;
