create or replace function auth.set_kyc(
    p_id uuid,
    p_status auth.kyc_status,
    p_data jsonb default null
)
returns setof auth.user_account
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    if p_status is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'status must not be null';
    elsif octet_length(p_data::text) > 20000 then
        raise exception using errcode = 'invalid_parameter_value', message = 'data must have at most 20000 bytes';
    end if;
    update auth.users as u
    set
        kyc_status = p_status,
        kyc_data = coalesce(p_data, u.kyc_data),
        aadhaar_last_verified = case when p_status = 'verified' then now() else u.aadhaar_last_verified end,
        updated_at = now()
    where u.id = p_id and u.deleted_at is null;
    if found then
        insert into auth.kyc_verifications (user_id, status, kyc_data, verified_by)
        values (p_id, p_status, p_data, auth.caller());
        perform auth.write_audit('kyc.decided', p_id, p_detail => jsonb_build_object('status', p_status));
    end if;
    return query select * from auth.find_user(p_id);
end
$$;

comment on function auth.set_kyc(uuid, auth.kyc_status, jsonb) is
'Records a decision on who a person is.
p_id: whom. p_status: pending, submitted, verified or rejected. p_data: what it rests on, at most 20000 bytes; null: as before.
Returns the account; no row when there is none.
Errors: 22023 for a malformed argument, PT503 without the data keys.';

revoke all on function auth.set_kyc(uuid, auth.kyc_status, jsonb) from public;
grant execute on function auth.set_kyc(uuid, auth.kyc_status, jsonb) to aqm_admin;

select gateway.expose('PUT /users/{id}/kyc', 'auth.set_kyc', p_needs_keys => true);
