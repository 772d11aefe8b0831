create or replace function coins.lock_user(
    p_user_id uuid
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        -- An older snapshot would not show what was stored or spent while this waited.
        raise exception using errcode = 'PT409',
            message = 'uploads need the isolation level READ COMMITTED';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('coins.lock_user ' || p_user_id, 0));
end
$$;

comment on function coins.lock_user(uuid) is
'Has uploads of one user queue up until the transaction ends: two at once could each stay under the cap and together exceed it, or each store what the other stores. Claims don''t wait for it.
p_user_id: whose coins.
Errors: PT409 in a transaction that is not READ COMMITTED.';

revoke all on function coins.lock_user(uuid) from public;
