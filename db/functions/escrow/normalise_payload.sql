create or replace function escrow.normalise_payload(
    p_payload jsonb
)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(
            said.key,
            case
                when said.key = 'order_id' then to_jsonb(said.word::bigint)
                when said.key in ('amount', 'stake_amount') then to_jsonb(trim_scale(said.word::numeric)::text)
                when said.key = 'token' then to_jsonb(said.word)
                else to_jsonb(lower(said.word))
            end
        )
        from jsonb_each_text(p_payload) as said (key, word)
        where
            said.word is not null
            and said.key in (
                'order_id', 'buyer', 'seller', 'amount', 'token', 'by', 'tx_hash', 'wallet', 'stake_amount', 'stake_token'
            )
    );
end
$$;

comment on function escrow.normalise_payload(jsonb) is
'Gives an event''s payload the one spelling in which it is stored and compared: addresses and hashes in lower case, amounts without zeros at the end, no nulls, and nothing that is not asked for.
p_payload: as it was sent, checked by escrow.check_chain_event().
Returns the payload.
Errors: none.';

revoke all on function escrow.normalise_payload(jsonb) from public;
