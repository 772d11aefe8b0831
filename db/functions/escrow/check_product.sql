create or replace function escrow.check_product(
    p_title_preview text,
    p_description_preview text,
    p_price_usdt numeric,
    p_stock integer,
    p_product_hash text
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if char_length(p_title_preview) > 100 or not escrow.is_legible(p_title_preview) then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'title_preview must have 1 to 100 characters, none invisible and not all blank';
    elsif char_length(p_description_preview) > 500 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'description_preview must have at most 500 characters';
    -- NaN is above all numbers.
    elsif not (p_price_usdt >= 1 and p_price_usdt < 1e12 and p_price_usdt = round(p_price_usdt, 6)) then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'price_usdt must be at least 1 and below 1000000000000, with at most 6 decimals';
    elsif p_stock not between 0 and 1000000 then
        raise exception using errcode = 'invalid_parameter_value', message = 'stock must be between 0 and 1000000';
    elsif p_product_hash !~ '^0x[0-9a-fA-F]{64}$' then
        raise exception using errcode = 'invalid_parameter_value', message = 'product_hash must be 0x and 64 hex digits';
    end if;
end
$$;

comment on function escrow.check_product(text, text, numeric, integer, text) is
'Refuses what a product can''t have; null is not looked at.
p_title_preview: 1 to 100 characters, none invisible and not all blank (escrow.is_legible()). p_description_preview: at most 500 characters. p_price_usdt: in USDT, from 1 to below 1000000000000, with at most 6 decimals. p_stock: 0 to 1000000. p_product_hash: 0x and 64 hex digits.
Errors: 22023 for a malformed argument.';

revoke all on function escrow.check_product(text, text, numeric, integer, text) from public;
