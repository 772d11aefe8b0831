create or replace function auth.delete_company(
    p_id uuid
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update auth.companies as c set deleted_at = now(), updated_at = now(), is_active = false
    where c.id = p_id and c.deleted_at is null;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such company';
    end if;
    perform auth.bust_companies();
    perform auth.write_audit('company.deleted', p_detail => jsonb_build_object('company_id', p_id));
end
$$;

comment on function auth.delete_company(uuid) is
'Deletes a company: nobody sees it, its members or its configurations any more, and what is stored stays.
p_id: which.
Errors: PT404 when there is none.';

revoke all on function auth.delete_company(uuid) from public;
grant execute on function auth.delete_company(uuid) to aqm_admin;

select gateway.expose('DELETE /companies/{id}', 'auth.delete_company');
