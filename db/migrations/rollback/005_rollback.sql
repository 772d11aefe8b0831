drop type coins.batch_claimed_coin;
drop table coins.claim_request;

set local role aqm_coins_owner;

create type coins.batch_claimed_coin as (
    call_number integer,
    error_code text,
    error_message text,
    key_id text,
    coin_category text,
    public_key_blob bytea,
    signature_blob bytea
);

comment on type coins.batch_claimed_coin is 'A claimed coin, or a refusal, with the number of the call that it answers.';
