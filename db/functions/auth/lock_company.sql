create or replace function auth.lock_company(
    p_id uuid
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from auth.companies as c where c.id = p_id and c.deleted_at is null for share;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such company';
    end if;
end
$$;

comment on function auth.lock_company(uuid) is
'Keeps a company from being deleted until the transaction ends.
p_id: which.
Errors: PT404 when there is none.';

revoke all on function auth.lock_company(uuid) from public;
