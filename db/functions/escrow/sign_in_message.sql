create or replace function escrow.sign_in_message(
    p_wallet text,
    p_nonce text,
    p_expires_at timestamptz
)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return concat_ws(
        E'\n',
        'AQM escrow: sign in',
        '',
        'Signing this text proves that the wallet is yours. It is no transaction and costs nothing.',
        '',
        'Wallet: ' || p_wallet,
        'Nonce: ' || p_nonce,
        'Expires: ' || to_char(p_expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    );
end
$$;

comment on function escrow.sign_in_message(text, text, timestamptz) is
'Writes the text that a wallet signs to sign in.
p_wallet: whose. p_nonce: what makes the text good once. p_expires_at: until when it is accepted, a whole second.
Errors: none.';

revoke all on function escrow.sign_in_message(text, text, timestamptz) from public;
