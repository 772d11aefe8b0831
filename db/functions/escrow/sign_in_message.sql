create or replace function escrow.sign_in_message(
    p_wallet text,
    p_nonce text,
    p_expires_at timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_form constant text := 'YYYY-MM-DD"T"HH24:MI:SS"Z"';
begin
    -- EIP-4361, of which wallets know to warn when they are asked on another site.
    return (
        select
            concat_ws(
                E'\n',
                s.domain || ' wants you to sign in with your Ethereum account:',
                p_wallet,
                '',
                'This proves that the wallet is yours. It is no transaction and costs nothing.',
                '',
                'URI: ' || s.uri,
                'Version: 1',
                'Chain ID: ' || s.chain_id,
                'Nonce: ' || p_nonce,
                'Issued At: ' || to_char((p_expires_at - interval '10 minutes') at time zone 'UTC', v_form),
                'Expiration Time: ' || to_char(p_expires_at at time zone 'UTC', v_form)
            )
        from escrow.site as s
    );
end
$$;

comment on function escrow.sign_in_message(text, text, timestamptz) is
'Writes the text that a wallet signs to sign in (EIP-4361), for the site that escrow.site tells.
p_wallet: whose. p_nonce: what makes the text good once. p_expires_at: until when it is accepted, a whole second, 10 minutes after it was asked for.
Errors: none.';

revoke all on function escrow.sign_in_message(text, text, timestamptz) from public;
