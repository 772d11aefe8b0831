create or replace function auth.remove_company_member(
    p_id uuid,
    p_user_id uuid
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update auth.company_members as cm set is_active = false, deleted_at = now()
    where cm.company_id = p_id and cm.user_id = p_user_id and cm.deleted_at is null;
    if not found then
        raise exception using errcode = 'PT404', message = 'the company has no such member';
    end if;
    perform auth.bust_companies();
    perform auth.write_audit('company.member_removed', p_user_id, p_detail => jsonb_build_object('company_id', p_id));
end
$$;

comment on function auth.remove_company_member(uuid, uuid) is
'Ends a person''s membership in a company.
p_id: the company. p_user_id: the person.
Errors: PT404 when the company has no such member.';

revoke all on function auth.remove_company_member(uuid, uuid) from public;
grant execute on function auth.remove_company_member(uuid, uuid) to aqm_admin;

select gateway.expose('DELETE /companies/{id}/members/{user_id}', 'auth.remove_company_member');
