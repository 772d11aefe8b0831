begin;
select plan(2);

insert into coins.queue_mark (user_id, coin_category, uploaded_at, record_id, low_from)
values
('b0b00000-0000-4000-8000-000000000000', 'GOLD', now(), 1, 1),
('b0b00000-0000-4000-8000-000000000000', 'BRONZE', now(), 2, 2);

update coins.coin_category set max_unclaimed = 500;
select results_eq(
    'select count(*) from coins.queue_mark', array[2::bigint],
    'claims know their marks still when another setting of a category changes'
);

update coins.coin_category
set low_stock = 20
where name = 'GOLD';
select results_eq(
    'select coin_category::text from coins.queue_mark', array['BRONZE'],
    'a changed threshold holds for the next claim: the marks of its category are forgotten'
);

select * from finish();
rollback;
