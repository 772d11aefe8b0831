create or replace function escrow.make_nonce(
    p_wallet gateway.wallet
)
returns setof escrow.challenge
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_nonce constant text := translate(concat(gen_random_uuid(), gen_random_uuid()), '-', '');
    -- A whole second, as the text has it.
    v_expires_at constant timestamptz := date_trunc('second', now()) + interval '10 minutes';
begin
    if p_wallet is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'wallet must not be null';
    end if;
    -- Others may ask in somebody's name, so one's own must stay good beside theirs.
    insert into escrow.sign_in_nonce (nonce, wallet, expires_at) values (v_nonce, p_wallet, v_expires_at);
    return query select v_nonce, escrow.sign_in_message(p_wallet, v_nonce, v_expires_at), v_expires_at;
end
$$;

comment on function escrow.make_nonce(gateway.wallet) is
'Gives a wallet the text to sign for escrow.sign_in(). Anybody may ask for anybody''s, and is told nothing about them; any number may be open at once.
p_wallet: who is to sign.
Returns the text, the nonce in it (64 hex digits) and until when it is good: 10 minutes.
Errors: 22023 without a wallet.';

revoke all on function escrow.make_nonce(gateway.wallet) from public;
grant execute on function escrow.make_nonce(gateway.wallet) to aqm_anon;

select gateway.expose('POST /v1/escrow/auth/nonce', 'escrow.make_nonce');
