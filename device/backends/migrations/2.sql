-- The inventory.
create table budgets (
    priority text primary key,
    gold integer not null check (gold >= 0),
    silver integer not null check (silver >= 0),
    bronze integer not null check (bronze >= 0)
) without rowid;

create table contacts (
    contact_id text primary key,
    priority text not null references budgets,
    used_at integer not null
) without rowid;

create index contacts_use on contacts (used_at);

create table coins (
    id integer primary key autoincrement, -- the order of storing; a clock may go back
    contact_id text not null references contacts on delete cascade,
    category text not null check (category in ('GOLD', 'SILVER', 'BRONZE')),
    key_id text not null,
    public_key blob not null,
    signature blob not null,
    unique (contact_id, key_id)
);

create index coins_order on coins (contact_id, category, id);

-- Coins that were used: an answer of the server that comes twice must not bring them back.
create table taken (
    contact_id text not null references contacts on delete cascade,
    key_id text not null,
    until integer not null,
    primary key (contact_id, key_id)
) without rowid;
