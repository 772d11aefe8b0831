-- Who signs in with a wallet instead of an account: the marketplace's people.
do $$
begin
    if not exists (select from pg_roles as r where r.rolname = 'aqm_wallet') then
        create role aqm_wallet nologin;
    end if;
    if not exists (select from pg_roles as r where r.rolname = 'aqm_gateway_wallet') then
        create role aqm_gateway_wallet login inherit;
    end if;
    grant aqm_wallet to aqm_gateway_wallet;
    alter role aqm_gateway_wallet set statement_timeout = '10s';
    alter role aqm_gateway_wallet set idle_in_transaction_session_timeout = '30s';
end
$$;

-- The types below are named in calls.
grant usage on schema gateway to aqm_anon, aqm_wallet;

set local role aqm_gateway_owner;

create domain gateway.wallet as varchar(42);

comment on domain gateway.wallet is 'An Ethereum address. Over HTTP its checksum (EIP-55) is checked, and one in lower case gets its own; the database checks the form, where one is stored.';

create type gateway.signed_message as (
    message text,
    signer gateway.wallet
);

comment on type gateway.signed_message is 'A text that a wallet has signed (EIP-191). Over HTTP the signature is sent and the gateway tells whose it is.';
comment on column gateway.signed_message.message is 'The text, exactly as it was signed.';
comment on column gateway.signed_message.signer is 'The address whose key made the signature.';
