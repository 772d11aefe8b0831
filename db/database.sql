-- What belongs to the database itself and not to anything in it: CREATE DATABASE … TEMPLATE and
-- pg_restore don't carry it over, so migrate.py applies it every time.
do $$
begin
    execute format('revoke create, temporary on database %I from public', current_database());
    -- A DBA types \d coin_inventory and select * from claim_coins(…).
    execute format(
        'alter database %I set search_path = coins, auth, escrow, ops, gateway, public', current_database()
    );
    -- Calls are short. And claims forbid sequential scans: one that is needed all the same counts as so dear that the
    -- plan was compiled, 100 ms and more at each call.
    execute format('alter database %I set jit = off', current_database());
    execute format('alter database %I set timezone = %L', current_database(), 'UTC');
end
$$;
