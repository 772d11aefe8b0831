create or replace function escrow.search_products(
    p_keyword text default null,
    p_category escrow.product_category default null,
    p_min_price numeric default null,
    p_max_price numeric default null,
    p_seller_wallet gateway.wallet default null,
    p_after uuid default null,
    p_limit integer default 20
)
returns setof escrow.product_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- _ and % are letters of a keyword like any other.
    v_pattern text := '%' || regexp_replace(p_keyword, '[\\%_]', '\\\&', 'g') || '%';
    v_before timestamptz;
    v_depth integer := case when p_keyword is null then p_limit else 2000 end;
    v_page record;
begin
    if (p_limit between 1 and 100) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 100';
    elsif char_length(p_keyword) > 100 or p_keyword !~ '[[:alnum:]]{3}' then
        -- With fewer in a row there is no trigram to look up.
        raise exception using errcode = 'invalid_parameter_value',
            message = 'keyword must have at most 100 characters, and somewhere 3 letters or digits in a row';
    elsif p_min_price > p_max_price then
        raise exception using errcode = 'invalid_parameter_value', message = 'min_price must not be above max_price';
    end if;
    if p_after is not null then
        select p.created_at into v_before from escrow.products as p where p.id = p_after;
        if not found then
            raise exception using errcode = 'invalid_parameter_value', message = 'after must be the id of a product';
        end if;
    end if;

    -- How many texts have the keyword nobody knows beforehand, the planner least of all. A common one is soon found among
    -- the newest, by the index over the texts it would take seconds; a rare one the other way round. A few of the newest
    -- tell which it is: where a walk ten times as long would fill the page it is the shorter way.
    loop
        v_page := escrow.page_products(
            v_pattern, p_category, p_min_price, p_max_price, p_seller_wallet, v_before, p_after, p_limit, v_depth
        );
        exit when not v_page.is_cut or cardinality(v_page.ids) = p_limit;
        v_depth := case
            when v_depth < 2000 then 2000
            when v_depth = 2000 and 10 * cardinality(v_page.ids) >= p_limit then 20000
        end;
    end loop;
    return query
    select product.*
    from unnest(v_page.ids) with ordinality as found (id, place)
    cross join lateral escrow.find_product(found.id) as product
    order by found.place;
end
$$;

comment on function escrow.search_products(
    text, escrow.product_category, numeric, numeric, gateway.wallet, uuid, integer
) is
'Lists the products on sale, the newest first, a page at a time. Those of blacklisted sellers aren''t among them.
p_keyword: what is written somewhere in the title or the description, in whatever case: at most 100 characters, 3 letters or digits in a row among them; null: anything. p_category: data, accounts, tools, services or other; null: all. p_min_price, p_max_price: in USDT; null: any. p_seller_wallet: only this seller''s; null: everybody''s. p_after: the last id of the page before; null: from the beginning. p_limit: 1 to 100.
Returns products.
Errors: 22023 for an argument out of range, or after an id that no product has.';

revoke all on function escrow.search_products(
    text, escrow.product_category, numeric, numeric, gateway.wallet, uuid, integer
) from public;
grant execute on function escrow.search_products(
    text, escrow.product_category, numeric, numeric, gateway.wallet, uuid, integer
) to aqm_anon, aqm_wallet, aqm_admin;

select gateway.expose(
    'GET /v1/escrow/products', 'escrow.search_products', 'products', p_may_use_replica => true, p_cache_seconds => 30
);
