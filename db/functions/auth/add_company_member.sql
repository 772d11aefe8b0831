create or replace function auth.add_company_member(
    p_id uuid,
    p_user_id uuid,
    p_role text default 'member'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_role in ('owner', 'manager', 'member')) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'role must be owner, manager or member';
    end if;
    perform auth.lock_company(p_id);
    -- Locked: whoever is erased meanwhile belongs to nothing.
    perform from auth.users as u where u.id = p_user_id and u.deleted_at is null for share;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such account';
    end if;
    insert into auth.company_members (company_id, user_id, role)
    values (p_id, p_user_id, p_role)
    on conflict on constraint pk_company_members do update
    set role = excluded.role, is_active = true, deleted_at = null;
    perform auth.bust_companies();
    perform auth.write_audit('company.member_added', p_user_id, p_detail => jsonb_build_object(
        'company_id', p_id, 'role', p_role
    ));
end
$$;

comment on function auth.add_company_member(uuid, uuid, text) is
'Makes a person a member of a company, or a member another one.
p_id: the company. p_user_id: the person. p_role: owner, manager or member.
Errors: 22023 for another role, PT404 when there is no such company or account.';

revoke all on function auth.add_company_member(uuid, uuid, text) from public;
grant execute on function auth.add_company_member(uuid, uuid, text) to aqm_admin;

select gateway.expose('POST /companies/{id}/members', 'auth.add_company_member');
