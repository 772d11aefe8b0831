create or replace function coins.remember_spent(
    p_user_id uuid,
    p_digests bigint[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform coins.add_spent_month(now()::date);
    insert into coins.spent_coin as sc (user_id, month, digests)
    values (p_user_id, date_trunc('month', now()), p_digests)
    on conflict on constraint pk_spent_coin do update set digests = sc.digests || excluded.digests;
end
$$;

comment on function coins.remember_spent(uuid, bigint[]) is
'Has coins refused for ever when they are uploaded again.
p_user_id: whose coins. p_digests: coins.digests() of each key_id and of each public key.
Errors: none.';

revoke all on function coins.remember_spent(uuid, bigint[]) from public;
