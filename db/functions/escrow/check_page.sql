create or replace function escrow.check_page(
    p_limit integer
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_limit between 1 and 100) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 100';
    end if;
end
$$;

comment on function escrow.check_page(integer) is
'Refuses a page of no rows or of too many.
p_limit: rows of a page, 1 to 100.
Errors: 22023 for another number.';

revoke all on function escrow.check_page(integer) from public;
