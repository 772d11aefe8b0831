create or replace function auth.check_unused(
    p_user_id uuid,
    p_email text,
    p_username text,
    p_aadhaar text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_emails constant bytea[] := auth.blind_indexes(p_email);
    v_aadhaars constant bytea[] := auth.blind_indexes('aadhaar:' || p_aadhaar);
    v_taken text;
begin
    -- One at a time for each address: while keys are rotated an index alone would let two versions of one hash in.
    if p_email is not null then
        perform pg_advisory_xact_lock(hashtextextended(p_email, 1));
    end if;
    if p_aadhaar is not null then
        perform pg_advisory_xact_lock(hashtextextended(p_aadhaar, 2));
    end if;

    for v_taken in
        select t.what from (
            select 'email' as what from auth.users as u
            where u.email_hash = any(v_emails) and u.deleted_at is null and u.id is distinct from p_user_id
            union all
            select 'username' from auth.users as u
            where u.username = p_username and u.deleted_at is null and u.id is distinct from p_user_id
            union all
            select 'aadhaar' from auth.users as u
            where u.aadhaar_hash = any(v_aadhaars) and u.deleted_at is null and u.id is distinct from p_user_id
        ) as t
    loop
        raise exception using errcode = 'PT409',
            message = format('there is an account with this %s', v_taken), constraint = 'users_' || v_taken;
    end loop;
end
$$;

comment on function auth.check_unused(uuid, text, text, text) is
'Refuses what only one account may have.
p_user_id: the account that asks; null: a new one. p_email: in its normal form; null: not asked. p_username: null: not asked. p_aadhaar: null: not asked.
Errors: PT409 for what another account has, PT503 without the data keys.';

revoke all on function auth.check_unused(uuid, text, text, text) from public;
