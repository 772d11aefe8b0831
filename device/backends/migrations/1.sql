-- The vault.
-- Rows are added at the end and burned in place: only deleting moves records between pages, where secure_delete misses
-- what they leave behind; purge_keys() therefore ends with VACUUM.
create table vault (
    id integer primary key autoincrement,
    key_id text not null unique,
    category text not null check (category in ('GOLD', 'SILVER', 'BRONZE')),
    state text not null default 'ACTIVE' check (state in ('ACTIVE', 'BURNED')),
    expires_at integer not null, -- milliseconds; of a burned key: until when its name stays refused
    sealed blob,
    check ((state = 'ACTIVE') = (sealed is not null))
);

create index vault_active on vault (category, expires_at) where state = 'ACTIVE';

create index vault_expiry on vault (expires_at);
