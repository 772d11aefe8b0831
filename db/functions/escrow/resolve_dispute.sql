create or replace function escrow.resolve_dispute(
    p_order_id uuid,
    p_arbitrator_wallet gateway.wallet,
    p_winner text,
    p_tx_hash text
)
returns setof escrow.order_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_winner in ('buyer', 'seller')) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'winner must be buyer or seller';
    end if;
    return query
    select *
    from escrow.take_step(
        p_order_id, p_arbitrator_wallet,
        case p_winner when 'buyer' then 'resolved_buyer' else 'resolved_seller' end::escrow.order_status, p_tx_hash
    );
end
$$;

comment on function escrow.resolve_dispute(uuid, gateway.wallet, text, text) is
'Rules on a dispute as its arbitrator, whose reputation rises by 2, up to 100. The same ruling of the same transaction again changes nothing.
p_order_id: which order. p_arbitrator_wallet: who was assigned to it. p_winner: buyer or seller. p_tx_hash: the contract''s transaction, 0x and 64 hex digits.
Returns the order; no row when there is none, or it is none of theirs.
Errors: 22023 for a malformed argument; 42501 for a party of the order, or a blacklisted wallet; PT409 when it is not disputed (order_transition), or the deadline has passed and another will be assigned (dispute_deadline).';

revoke all on function escrow.resolve_dispute(uuid, gateway.wallet, text, text) from public;
grant execute on function escrow.resolve_dispute(uuid, gateway.wallet, text, text) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/disputes/{order_id}/resolve',
    'escrow.resolve_dispute',
    p_caller_argument => 'p_arbitrator_wallet'
);
