set local role aqm_coins_owner;

create table coins.queue_mark (
    user_id uuid not null,
    coin_category varchar(6) not null,
    uploaded_at timestamptz not null,
    record_id bigint not null,
    constraint pk_queue_mark primary key (user_id, coin_category)
)
with (fillfactor = 50);

comment on table coins.queue_mark is 'Where the unclaimed coins of a queue begin: a claim need not walk over the dead entries before it. A hint only.';
comment on column coins.queue_mark.uploaded_at is 'Of the oldest coin that was unclaimed when the mark was moved.';
comment on column coins.queue_mark.record_id is 'Of the same coin.';
