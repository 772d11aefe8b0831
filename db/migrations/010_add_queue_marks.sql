set local role aqm_coins_owner;

create table coins.queue_mark (
    user_id uuid not null,
    coin_category varchar(6) not null,
    uploaded_at timestamptz not null,
    record_id bigint not null,
    low_from bigint not null,
    constraint pk_queue_mark primary key (user_id, coin_category)
)
with (fillfactor = 50);

comment on table coins.queue_mark is 'What saves a claim work: where the unclaimed coins of a queue begin, and where it comes near its threshold. A hint only.';
comment on column coins.queue_mark.uploaded_at is 'Of the oldest coin that was unclaimed when the mark was moved: what lies before it are dead entries.';
comment on column coins.queue_mark.record_id is 'Of the same coin.';
comment on column coins.queue_mark.low_from is 'From this record_id on there are as many unclaimed coins as the threshold asks for: who takes one before it can''t cross it.';
