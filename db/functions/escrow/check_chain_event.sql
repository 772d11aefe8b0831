create or replace function escrow.check_chain_event(
    p_kind text,
    p_payload jsonb
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key text;
    v_needed text[];
begin
    v_needed := case
        when p_kind = 'arbitrator_registered' then array['wallet', 'stake_amount', 'stake_token']
        when p_kind = 'arbitrator_withdrawn' then array['wallet']
        when p_kind = any(enum_range(null::escrow.order_status)::text[]) then array['order_id']
    end;
    if v_needed is null then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'kind must be an order''s status, arbitrator_registered or arbitrator_withdrawn';
    elsif (jsonb_typeof(p_payload) = 'object') is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'payload must be an object';
    end if;
    foreach v_key in array array[
        'order_id', 'wallet', 'stake_token', 'buyer', 'seller', 'by', 'stake_amount', 'amount', 'token', 'tx_hash'
    ] loop
        continue when p_payload ->> v_key is null and not v_key = any(v_needed);
        if v_key = 'order_id' then
            if (
                jsonb_typeof(p_payload -> v_key) = 'number' and p_payload ->> v_key ~ '^\d{1,19}$'
                and (p_payload ->> v_key)::numeric <= 9223372036854775807
            ) is not true then
                raise exception using errcode = 'invalid_parameter_value',
                    message = 'payload.order_id must be a whole number from 0 to 9223372036854775807';
            end if;
        elsif v_key in ('stake_amount', 'amount') then
            if (jsonb_typeof(p_payload -> v_key) = 'string' and p_payload ->> v_key ~ '^\d{1,12}(\.\d{1,6})?$') is not true then
                raise exception using errcode = 'invalid_parameter_value',
                    message = format('payload.%s must be a string of a number with at most six decimals', v_key);
            end if;
        elsif v_key = 'token' then
            -- Whoever pays the contract chooses it: one that we don't take makes a false order, and the follower goes on.
            if (p_payload ->> v_key ~ '^[!-~]{1,50}$') is not true then
                raise exception using errcode = 'invalid_parameter_value',
                    message = 'payload.token must be USDT, USDC, or what else was paid';
            end if;
        elsif v_key = 'tx_hash' then
            if p_payload ->> v_key !~ '^0x[0-9a-fA-F]{64}$' then
                raise exception using errcode = 'invalid_parameter_value',
                    message = 'payload.tx_hash must be 0x and 64 hex digits';
            end if;
        elsif (p_payload ->> v_key ~ '^0x[0-9a-fA-F]{40}$') is not true then
            raise exception using errcode = 'invalid_parameter_value',
                message = format('payload.%s must be 0x and 40 hex digits', v_key);
        end if;
    end loop;
end
$$;

comment on function escrow.check_chain_event(text, jsonb) is
'Refuses an event that no contract of ours can have emitted.
p_kind: what happened. p_payload: about what; escrow.apply_chain_event() says what is in it.
Errors: 22023 for a malformed argument.';

revoke all on function escrow.check_chain_event(text, jsonb) from public;
