create or replace function coins.forget_queue_marks()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from coins.queue_mark as qm where qm.coin_category = new.name;
    return null;
end
$$;

comment on function coins.forget_queue_marks() is
'Forgets from where on claims look at the threshold of low stock when somebody changes it.
Errors: none.';

revoke all on function coins.forget_queue_marks() from public;

create or replace trigger forget_queue_marks
after update of low_stock on coins.coin_category
for each row execute function coins.forget_queue_marks();
