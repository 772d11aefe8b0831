begin;
select plan(14);

insert into escrow.user_profiles (wallet, public_key)
values
('0x00000000000000000000000000000000000000b1', 'cHVi'), ('0x00000000000000000000000000000000000000b2', 'cHVi'),
('0x00000000000000000000000000000000000000C1', 'cHVi');
-- The last letters of those whose profiles say that they are blacklisted.
create view pg_temp.shut_out as
select coalesce(string_agg(right(u.wallet, 2), ' ' order by lower(u.wallet)), '') as wallets
from escrow.user_profiles as u
where u.is_blacklisted;

insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000b1', 'scam');
select is((select s.wallets from pg_temp.shut_out as s), 'b1', 'who is written into the blacklist is shut out');
update escrow.blacklist set wallet = '0x00000000000000000000000000000000000000b2';
select is((select s.wallets from pg_temp.shut_out as s), 'b2', 'a changed entry lets one in and shuts one out');
update escrow.blacklist set reason = 'fraud', wallet = '0x00000000000000000000000000000000000000c1';
select is(
    (select s.wallets from pg_temp.shut_out as s), 'C1', 'an entry in lower case means the profile that has capitals'
);
update escrow.blacklist set wallet = '0x00000000000000000000000000000000000000C1';
select is((select s.wallets from pg_temp.shut_out as s), 'C1', 'and goes on doing so when it gets them');
update escrow.blacklist set wallet = '0x00000000000000000000000000000000000000b1';
select is((select s.wallets from pg_temp.shut_out as s), 'b1', 'until it names another');
delete from escrow.blacklist;
select is((select s.wallets from pg_temp.shut_out as s), '', 'who is taken from the blacklist is let in');
insert into escrow.blacklist (wallet, reason)
values
('0x00000000000000000000000000000000000000b1', 'scam'), ('0x00000000000000000000000000000000000000b2', 'scam'),
('0x00000000000000000000000000000000000000c1', 'scam'), ('0x00000000000000000000000000000000000000f1', 'scam');
select is((select s.wallets from pg_temp.shut_out as s), 'b1 b2 C1', 'a list is written at once');
insert into escrow.user_profiles (wallet, public_key) values ('0x00000000000000000000000000000000000000f1', 'cHVi');
select is(
    (select s.wallets from pg_temp.shut_out as s), 'b1 b2 C1 f1', 'who comes later is found in it'
);
select throws_ok(
    'update escrow.user_profiles set is_blacklisted = false', 'PT409', null,
    'nobody is let in by a change of the profile alone'
);
truncate escrow.blacklist;
select is((select s.wallets from pg_temp.shut_out as s), '', 'a list that is emptied lets all in');
insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000f2', 'scam');
select is((select s.wallets from pg_temp.shut_out as s), '', 'who has no profile shuts nobody out');

-- What they sell: the last letters of those that are active.
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash, status
)
select
    p.wallet as seller_wallet,
    p.title as title_preview,
    'Text' as description_preview,
    'data' as category,
    10 as price_usdt,
    p.stock,
    'hash' as product_hash,
    p.status::escrow.product_status
from (
    values
    ('0x00000000000000000000000000000000000000C1', 'active', 1, 'active'),
    ('0x00000000000000000000000000000000000000C1', 'sold out', 0, 'active'),
    ('0x00000000000000000000000000000000000000C1', 'deleted', 1, 'deleted'),
    ('0x00000000000000000000000000000000000000b2', 'other', 1, 'active')
) as p (wallet, title, stock, status);
create view pg_temp.on_sale as
select string_agg(format('%s: %s', p.title_preview, p.status), ', ' order by p.title_preview) as products
from escrow.products as p;
insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000c1', 'scam');
select is(
    (select s.products from pg_temp.on_sale as s), 'active: paused, deleted: deleted, other: active, sold out: paused',
    'what somebody sells who is shut out is paused, and nothing else'
);
update escrow.products set stock = 1
where title_preview = 'sold out';
delete from escrow.blacklist;
select is(
    (select s.products from pg_temp.on_sale as s), 'active: paused, deleted: deleted, other: active, sold out: paused',
    'it stays so until the seller says otherwise'
);
insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000B2', 'scam');
select is((select s.wallets from pg_temp.shut_out as s), 'b2', 'an entry in capitals means the profile that has none');

select * from finish();
rollback;
