create or replace function ops.keep_trigger(
    p_table regclass,
    p_name text,
    p_definition text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from pg_trigger as t where t.tgrelid = p_table and t.tgname = p_name) then
        -- SQL text by design: only function files write it, and it runs with the rights of their owner.
        -- @plpgsql_check_options: security_warnings = off
        execute format('create trigger %I %s', p_name, p_definition);
    end if;
end
$$;

comment on function ops.keep_trigger(regclass, text, text) is
'Makes a trigger where it is missing; called in its function''s file, at each migrate. CREATE OR REPLACE TRIGGER would lock out all who write to the table, each time.
p_table: where it is to be. p_name: its name; to change a trigger, give it a new one and drop the old in a migration. p_definition: what follows the name in CREATE TRIGGER.
Errors: those of CREATE TRIGGER.';

revoke all on function ops.keep_trigger(regclass, text, text) from public;
grant execute on function ops.keep_trigger(regclass, text, text) to aqm_auth_owner, aqm_coins_owner, aqm_escrow_owner;
