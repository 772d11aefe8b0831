create or replace function gateway.list_revocations()
returns setof gateway.revocation
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select r.* from gateway.revocation as r where r.expires_at > now();
end
$$;

comment on function gateway.list_revocations() is
'Lists the sessions whose tokens are to be refused, as a gateway reads them when it begins to listen; NOTIFY gateway, ''revoke <session> <issued until> <expires>'' (seconds since 1970) tells of each later one.
Returns a row a session.
Errors: none.';

revoke all on function gateway.list_revocations() from public;
grant execute on function gateway.list_revocations() to aqm_gateway;
