-- Times are UTC, written like 2026-11-24 10:00:00, with a fraction where there is one: they sort as text, and keep
-- more digits than timestamptz. Texts sort by bytes (COLLATE "C"). PostgreSQL's text can't hold the character NUL: in
-- keys it is written as chr(1) chr(1), and chr(1) as chr(1) chr(2), which sort the same way.
-- Columns with JSON hold everything, as text: PostgreSQL's own JSON can't hold NUL either.

CREATE TABLE sales_channels.leases (
    account TEXT COLLATE "C" PRIMARY KEY,
    owner   TEXT,               -- NULL: given back
    fence   BIGINT NOT NULL,    -- counts the leases of the account, for ever
    until   TEXT COLLATE "C" NOT NULL
);

CREATE TABLE sales_channels.accounts (
    account TEXT COLLATE "C" PRIMARY KEY,
    state   TEXT NOT NULL
);

CREATE TABLE sales_channels.orders (
    account   TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    working   BOOLEAN NOT NULL, -- each cycle looks at it
    next_read TEXT COLLATE "C", -- when its delivery is next looked at; NULL: never
    record    TEXT NOT NULL,
    PRIMARY KEY (account, id)
);

CREATE INDEX orders_working ON sales_channels.orders (account, id) WHERE working;
CREATE INDEX orders_followed ON sales_channels.orders (account, id) WHERE next_read IS NOT NULL;

-- Pieces that orders keep from being sold elsewhere. Only orders that hold something have rows here.
CREATE TABLE sales_channels.holdings (
    account  TEXT COLLATE "C" NOT NULL,
    order_id TEXT COLLATE "C" NOT NULL,
    n        BIGINT NOT NULL,
    item     TEXT COLLATE "C" NOT NULL,
    option   TEXT COLLATE "C" NOT NULL,
    sku      TEXT COLLATE "C",  -- the line's own; counts only where the listing is not linked
    quantity BIGINT NOT NULL,
    PRIMARY KEY (account, order_id, n),
    FOREIGN KEY (account, order_id) REFERENCES sales_channels.orders (account, id) ON DELETE CASCADE
);

CREATE INDEX holdings_by_listing ON sales_channels.holdings (account, item, option) INCLUDE (quantity);
CREATE INDEX holdings_by_sku ON sales_channels.holdings (sku, account, item, option) INCLUDE (quantity)
    WHERE sku IS NOT NULL;

CREATE TABLE sales_channels.listings (
    account TEXT COLLATE "C" NOT NULL,
    item    TEXT COLLATE "C" NOT NULL,
    option  TEXT COLLATE "C" NOT NULL,  -- empty: the item has none
    link    TEXT NOT NULL,
    PRIMARY KEY (account, item, option)
);

-- The SKUs behind a listing.
CREATE TABLE sales_channels.listing_parts (
    account  TEXT COLLATE "C" NOT NULL,
    item     TEXT COLLATE "C" NOT NULL,
    option   TEXT COLLATE "C" NOT NULL,
    n        BIGINT NOT NULL,
    sku      TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (account, item, option, n),
    FOREIGN KEY (account, item, option) REFERENCES sales_channels.listings (account, item, option) ON DELETE CASCADE
);

CREATE INDEX listing_parts_by_sku ON sales_channels.listing_parts (sku, account, item, option) INCLUDE (quantity);

CREATE TABLE sales_channels.unreadable_rows (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account  TEXT COLLATE "C" NOT NULL,
    hash     BIGINT NOT NULL,   -- FNV-1a of raw: finds the same text again
    order_id TEXT,
    reason   TEXT NOT NULL,
    raw      TEXT NOT NULL
);

CREATE INDEX unreadable_rows_by_hash ON sales_channels.unreadable_rows (account, hash);
CREATE INDEX unreadable_rows_newest ON sales_channels.unreadable_rows (account, id);
