create or replace function escrow.add_evidence(
    p_order_id uuid,
    p_submitter_wallet gateway.wallet,
    p_ipfs_hash text,
    p_evidence_type escrow.evidence_type default 'other'
)
returns setof escrow.evidence_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order escrow.orders;
    v_id uuid;
begin
    if (p_ipfs_hash ~ '^(Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]{58,99})$') is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'ipfs_hash must be a content identifier: Qm and 44 signs of base58, or b and 58 to 99 of base32';
    elsif p_evidence_type is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'evidence_type must not be null';
    end if;
    select o.* into v_order from escrow.lock_own_order(p_order_id, p_submitter_wallet) as o;
    if not found then
        return;
    elsif escrow.actor_of(v_order, p_submitter_wallet) = 'arbitrator' then
        raise exception using errcode = 'insufficient_privilege', message = 'evidence is of the parties',
            constraint = 'not_party';
    elsif v_order.status <> 'disputed' then
        raise exception using errcode = 'PT409', message = format('an order that is %s takes no evidence', v_order.status),
            constraint = 'not_disputed';
    end if;

    -- The same again: an answer was lost.
    select e.id into v_id
    from escrow.dispute_evidence as e
    where e.order_id = p_order_id and e.submitter_wallet = p_submitter_wallet and e.ipfs_hash = p_ipfs_hash;
    if not found then
        insert into escrow.dispute_evidence as e (order_id, submitter_wallet, ipfs_hash, evidence_type, created_at)
        values (p_order_id, p_submitter_wallet, p_ipfs_hash, p_evidence_type, clock_timestamp())
        returning e.id into v_id;
    end if;
    return query
    select e.id, e.submitter_wallet::text, e.ipfs_hash::text, e.evidence_type, e.created_at
    from escrow.dispute_evidence as e
    where e.id = v_id;
end
$$;

comment on function escrow.add_evidence(uuid, gateway.wallet, text, escrow.evidence_type) is
'Says where a piece of evidence in a dispute is. The same again is answered with the first one.
p_order_id: which order. p_submitter_wallet: a party of it. p_ipfs_hash: content identifier, version 0 (Qm…) or version 1 in base32 (b…), at most 100 characters. p_evidence_type: what it is.
Returns the piece; no row when there is no such order, or it is none of theirs.
Errors: 22023 for what is no content identifier, or no type; 42501 for the arbitrator (not_party), or a blacklisted wallet (blacklisted); PT409 (not_disputed) when there is no dispute.';

revoke all on function escrow.add_evidence(uuid, gateway.wallet, text, escrow.evidence_type) from public;
grant execute on function escrow.add_evidence(uuid, gateway.wallet, text, escrow.evidence_type) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/disputes/{order_id}/evidence', 'escrow.add_evidence', p_caller_argument => 'p_submitter_wallet'
);
