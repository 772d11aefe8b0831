create or replace function auth.address_block(
    p_address inet
)
returns inet
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case family(p_address) when 6 then network(set_masklen(p_address, 64)) else p_address end;
end
$$;

comment on function auth.address_block(inet) is
'Names the network that one customer has: an IPv4 address by itself, of IPv6 the 64 bits before what everybody chooses at will.
p_address: null stays null.
Returns the address or its network.
Errors: none.';

revoke all on function auth.address_block(inet) from public;
