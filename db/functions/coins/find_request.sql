create or replace function coins.find_request(
    p_requester_id uuid,
    p_request_id uuid,
    p_asked bytea,
    out error_code text,
    out error_message text,
    out is_known boolean
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Of two at once with one id the second waits here until the first is done, then it finds its answer.
    perform pg_advisory_xact_lock(
        hashtextextended(format('coins.claim_request %s %s', p_requester_id, p_request_id), 0)
    );
    select
        true,
        case when cr.asked <> p_asked then 'PT422' end,
        case when cr.asked <> p_asked then 'this request id was used for another claim' end
    into is_known, error_code, error_message
    from coins.claim_request as cr
    where cr.requester_id = p_requester_id and cr.request_id = p_request_id
    limit 1;
end
$$;

comment on function coins.find_request(uuid, uuid, bytea) is
'Finds out whether a sender''s request id was answered before, and locks the id until the transaction ends.
p_requester_id: the sender. p_request_id: its id for the claim. p_asked: digest of the claim''s other arguments.
Returns is_known; error_code PT422 when the id was used with other arguments.
Errors: none of its own.';

revoke all on function coins.find_request(uuid, uuid, bytea) from public;
