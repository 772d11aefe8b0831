"""The marketplace has every table, column, enum, constraint and index that its source names, as it names them.

The lists were written from the source. There may be more, never less."""

from __future__ import annotations

from conftest import Database

ENUMS = {
    "chain_type": ["bsc", "ethereum", "arbitrum", "base"],
    "evidence_type": ["screenshot", "conversation", "product_proof", "other"],
    "order_status": [
        "created",
        "seller_confirmed",
        "completed",
        "disputed",
        "resolved_buyer",
        "resolved_seller",
        "cancelled",
        "expired",
    ],
    "product_category": ["data", "accounts", "tools", "services", "other"],
    "product_status": ["active", "paused", "sold_out", "deleted"],
    "token_type": ["USDT", "USDC"],
    "user_tier": ["new", "standard", "trusted"],
}

COLUMNS = {
    "arbitrators": [
        "wallet character varying(42) not null",
        "stake_amount numeric(18,6) not null",
        "stake_token character varying(42) not null",
        "reputation smallint not null default 50",
        "total_resolved integer not null default 0",
        "total_earned numeric(18,6) not null default 0",
        "is_active boolean not null default true",
        "registered_at timestamp with time zone not null default now()",
        "updated_at timestamp with time zone not null default now()",
    ],
    "blacklist": [
        "wallet character varying(42) not null",
        "reason character varying(200) not null",
        "source character varying(50) not null default 'manual'::character varying",
        "added_by character varying(42)",
        "created_at timestamp with time zone not null default now()",
    ],
    "dispute_evidence": [
        "id uuid not null default gen_random_uuid()",
        "order_id uuid not null",
        "submitter_wallet character varying(42) not null",
        "ipfs_hash character varying(100) not null",
        "evidence_type evidence_type not null default 'other'::evidence_type",
        "created_at timestamp with time zone not null default now()",
    ],
    "event_sync_cursor": [
        "chain chain_type not null",
        "contract character varying(42) not null",
        "last_block bigint not null",
        "updated_at timestamp with time zone not null default now()",
    ],
    "messages": [
        "id uuid not null default gen_random_uuid()",
        "order_id uuid not null",
        "sender_wallet character varying(42) not null",
        "ciphertext text not null",
        "nonce character varying(44) not null",
        "created_at timestamp with time zone not null default now()",
    ],
    "orders": [
        "id uuid not null default gen_random_uuid()",
        "onchain_order_id bigint not null",
        "chain chain_type not null",
        "buyer_wallet character varying(42) not null",
        "seller_wallet character varying(42) not null",
        "arbitrator_wallet character varying(42)",
        "product_id uuid not null",
        "token token_type not null",
        "amount numeric(18,6) not null",
        "platform_fee numeric(18,6) not null",
        "status order_status not null default 'created'::order_status",
        "product_key_encrypted text",
        "tx_hash_create character varying(66) not null",
        "tx_hash_complete character varying(66)",
        "seller_confirmed_at timestamp with time zone",
        "dispute_opened_at timestamp with time zone",
        "dispute_deadline timestamp with time zone",
        "completed_at timestamp with time zone",
        "created_at timestamp with time zone not null default now()",
        "updated_at timestamp with time zone not null default now()",
    ],
    "products": [
        "id uuid not null default gen_random_uuid()",
        "seller_wallet character varying(42) not null",
        "title_preview character varying(100) not null",
        "description_preview character varying(500) not null",
        "category product_category not null",
        "price_usdt numeric(18,6) not null",
        "stock integer not null default 1",
        "total_sold integer not null default 0",
        "product_hash character varying(66) not null",
        "status product_status not null default 'active'::product_status",
        "created_at timestamp with time zone not null default now()",
        "updated_at timestamp with time zone not null default now()",
        "deleted_at timestamp with time zone",
    ],
    "reviews": [
        "id uuid not null default gen_random_uuid()",
        "order_id uuid not null",
        "reviewer_wallet character varying(42) not null",
        "target_wallet character varying(42) not null",
        "rating smallint not null",
        "created_at timestamp with time zone not null default now()",
    ],
    "user_profiles": [
        "wallet character varying(42) not null",
        "display_name character varying(50)",
        "public_key character varying(88) not null",
        "reputation_score numeric(6,2) not null default 0",
        "total_trades integer not null default 0",
        "total_as_buyer integer not null default 0",
        "total_as_seller integer not null default 0",
        "rating numeric(3,2) default NULL::numeric",
        "tier user_tier not null default 'new'::user_tier",
        "is_blacklisted boolean not null default false",
        "created_at timestamp with time zone not null default now()",
        "updated_at timestamp with time zone not null default now()",
    ],
}

CONSTRAINTS = {
    "arbitrators: arbitrators_pkey PRIMARY KEY (wallet)",
    "arbitrators: arbitrators_wallet_fkey FOREIGN KEY (wallet) REFERENCES user_profiles(wallet)",
    "arbitrators: chk_reputation_range CHECK (((reputation >= 0) AND (reputation <= 100)))",
    "arbitrators: chk_stake_min CHECK ((stake_amount >= 500.0))",
    "blacklist: blacklist_pkey PRIMARY KEY (wallet)",
    "dispute_evidence: dispute_evidence_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)",
    "dispute_evidence: dispute_evidence_pkey PRIMARY KEY (id)",
    "dispute_evidence: dispute_evidence_submitter_wallet_fkey FOREIGN KEY (submitter_wallet) REFERENCES user_profiles(wallet)",
    "event_sync_cursor: event_sync_cursor_pkey PRIMARY KEY (chain)",
    "messages: messages_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id) ON DELETE CASCADE",
    "messages: messages_pkey PRIMARY KEY (id)",
    "messages: messages_sender_wallet_fkey FOREIGN KEY (sender_wallet) REFERENCES user_profiles(wallet)",
    "orders: chk_amount_min CHECK ((amount >= 1.0))",
    "orders: chk_buyer_not_seller CHECK (((buyer_wallet)::text <> (seller_wallet)::text))",
    "orders: orders_arbitrator_wallet_fkey FOREIGN KEY (arbitrator_wallet) REFERENCES user_profiles(wallet)",
    "orders: orders_buyer_wallet_fkey FOREIGN KEY (buyer_wallet) REFERENCES user_profiles(wallet)",
    "orders: orders_pkey PRIMARY KEY (id)",
    "orders: orders_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id)",
    "orders: orders_seller_wallet_fkey FOREIGN KEY (seller_wallet) REFERENCES user_profiles(wallet)",
    "orders: uq_onchain_order UNIQUE (chain, onchain_order_id)",
    "products: chk_price_min CHECK ((price_usdt >= 1.0))",
    "products: chk_stock_positive CHECK ((stock >= 0))",
    "products: chk_total_sold_positive CHECK ((total_sold >= 0))",
    "products: products_pkey PRIMARY KEY (id)",
    "products: products_seller_wallet_fkey FOREIGN KEY (seller_wallet) REFERENCES user_profiles(wallet)",
    "reviews: chk_rating_range CHECK (((rating >= 1) AND (rating <= 5)))",
    "reviews: chk_reviewer_not_target CHECK (((reviewer_wallet)::text <> (target_wallet)::text))",
    "reviews: reviews_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)",
    "reviews: reviews_pkey PRIMARY KEY (id)",
    "reviews: reviews_reviewer_wallet_fkey FOREIGN KEY (reviewer_wallet) REFERENCES user_profiles(wallet)",
    "reviews: reviews_target_wallet_fkey FOREIGN KEY (target_wallet) REFERENCES user_profiles(wallet)",
    "reviews: uq_one_review_per_order UNIQUE (order_id, reviewer_wallet)",
    "user_profiles: user_profiles_pkey PRIMARY KEY (wallet)",
}

INDEXES = {
    "idx_evidence_order ON dispute_evidence (order_id)",
    "idx_messages_order ON messages (order_id, created_at)",
    "idx_messages_sender ON messages (sender_wallet)",
    "idx_orders_arbitrator ON orders (arbitrator_wallet) WHERE (arbitrator_wallet IS NOT NULL)",
    "idx_orders_buyer ON orders (buyer_wallet)",
    "idx_orders_buyer_timeout ON orders (seller_confirmed_at) WHERE (status = 'seller_confirmed'::order_status)",
    "idx_orders_chain_status ON orders (chain, status)",
    "idx_orders_created ON orders (created_at DESC)",
    "idx_orders_product ON orders (product_id)",
    "idx_orders_seller ON orders (seller_wallet)",
    "idx_orders_seller_timeout ON orders (created_at) WHERE (status = 'created'::order_status)",
    "idx_orders_status ON orders (status)",
    "idx_products_category ON products (category) WHERE (status = 'active'::product_status)",
    "idx_products_created ON products (created_at DESC) WHERE (status = 'active'::product_status)",
    "idx_products_price ON products (price_usdt) WHERE (status = 'active'::product_status)",
    "idx_products_search ON products USING gin (((((title_preview)::text || ' '::text) || (description_preview)::text)) gin_trgm_ops) WHERE (status = 'active'::product_status)",
    "idx_products_seller ON products (seller_wallet)",
    "idx_reviews_order ON reviews (order_id)",
    "idx_reviews_target ON reviews (target_wallet)",
    "idx_users_blacklisted ON user_profiles (wallet) WHERE (is_blacklisted = true)",
    "idx_users_rating ON user_profiles (rating DESC NULLS LAST)",
    "idx_users_tier ON user_profiles (tier)",
}

SETTINGS = {
    "messages": ["autovacuum_vacuum_scale_factor=0.05", "autovacuum_analyze_scale_factor=0.02"],
    "orders": ["autovacuum_vacuum_scale_factor=0.05", "autovacuum_analyze_scale_factor=0.02"],
}


def plain(text: str) -> str:
    """Without our schemas: the source has none."""
    return text.replace("escrow.", "").replace("trigram.", "")


def test_the_seven_enums_have_their_labels(database: Database) -> None:
    rows = database.rows("""
        select t.typname::text, array_agg(e.enumlabel::text order by e.enumsortorder)
        from pg_type as t inner join pg_enum as e on e.enumtypid = t.oid
        where t.typnamespace = 'escrow'::regnamespace group by t.typname
    """)
    assert len(ENUMS) == 7
    assert dict(rows) == ENUMS


def test_the_nine_tables_have_their_columns(database: Database) -> None:
    rows = database.rows("""
        select
            c.relname::text,
            format(
                '%s %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                case when a.attnotnull then ' not null' end, ' default ' || pg_get_expr(d.adbin, d.adrelid)
            )
        from pg_class as c
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relnamespace = 'escrow'::regnamespace and c.relkind = 'r'
    """)
    assert len(COLUMNS) == 9
    ours = {(table, plain(column)) for table, column in rows}
    assert {(table, column) for table, columns in COLUMNS.items() for column in columns} - ours == set()


def test_the_constraints_are_there_by_name(database: Database) -> None:
    rows = database.rows("""
        select format('%s: %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace = 'escrow'::regnamespace and conrelid <> 0
    """)
    assert CONSTRAINTS - {plain(constraint) for (constraint,) in rows} == set()


def test_the_indexes_are_there_by_name(database: Database) -> None:
    rows = database.rows("select indexdef from pg_indexes where schemaname = 'escrow'")
    ours = {plain(index).removeprefix("CREATE INDEX ").replace(" USING btree", "") for (index,) in rows}
    assert INDEXES - ours == set()


def test_tables_with_much_writing_are_vacuumed_early(database: Database) -> None:
    rows = database.rows(
        "select relname::text, reloptions from pg_class where relnamespace = 'escrow'::regnamespace and reloptions is not null"
    )
    assert SETTINGS.items() <= dict(rows).items()
