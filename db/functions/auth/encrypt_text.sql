create or replace function auth.encrypt_text(
    p_text text,
    p_version integer
)
returns bytea
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_text is null then
        return null;
    end if;
    -- The key is random: no need to make a guess of it dear (s2k-mode 3 would cost a millisecond).
    return crypto.pgp_sym_encrypt(
        p_text, encode(auth.data_key('encryption', p_version), 'hex'), 'cipher-algo=aes256, compress-algo=0, s2k-mode=1'
    );
end
$$;

comment on function auth.encrypt_text(text, integer) is
'Encrypts a text with AES-256 and integrity (OpenPGP, RFC 4880, with a modification detection code).
p_text: the text; null stays null. p_version: of the encryption key.
Returns an OpenPGP message.
Errors: PT503 as auth.data_key().';

revoke all on function auth.encrypt_text(text, integer) from public;
