-- Times are UTC, written like 2026-11-24 10:00:00, with a fraction where there is one: they sort as text.
-- JSON columns hold everything; the columns beside them are what is searched by, or are there for people to read.

CREATE TABLE leases (
    account TEXT NOT NULL PRIMARY KEY,
    owner   TEXT,               -- NULL: given back
    fence   INTEGER NOT NULL,   -- counts the leases of the account, for ever
    until   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    account        TEXT NOT NULL PRIMARY KEY,
    state          TEXT NOT NULL,
    synced_through TEXT GENERATED ALWAYS AS (json_extract(state, '$.cursor.through')) VIRTUAL,
    last_cycle     TEXT GENERATED ALWAYS AS (json_extract(state, '$.last_cycle')) VIRTUAL,
    issues         INTEGER GENERATED ALWAYS AS (json_array_length(state, '$.health.issues')) VIRTUAL
) STRICT;

CREATE TABLE orders (
    account   TEXT NOT NULL,
    id        TEXT NOT NULL,
    working   INTEGER NOT NULL, -- 1: each cycle looks at it
    next_read TEXT,             -- when its delivery is next looked at; NULL: never
    record    TEXT NOT NULL,
    status    TEXT GENERATED ALWAYS AS (json_extract(record, '$.order.status')) VIRTUAL,
    cancel    TEXT GENERATED ALWAYS AS (json_extract(record, '$.order.cancel')) VIRTUAL,
    linked    TEXT GENERATED ALWAYS AS (json_extract(record, '$.link.state')) VIRTUAL,
    confirm   TEXT GENERATED ALWAYS AS (json_extract(record, '$.confirm.step')) VIRTUAL,
    instruct  TEXT GENERATED ALWAYS AS (json_extract(record, '$.instruct.step')) VIRTUAL,
    PRIMARY KEY (account, id)
) STRICT;

CREATE INDEX orders_working ON orders (account, id) WHERE working = 1;
CREATE INDEX orders_followed ON orders (account, id, next_read) WHERE next_read IS NOT NULL;

-- Pieces that orders keep from being sold elsewhere. Only orders that hold something have rows here.
CREATE TABLE holdings (
    account  TEXT NOT NULL,
    order_id TEXT NOT NULL,
    n        INTEGER NOT NULL,
    item     TEXT NOT NULL,
    option   TEXT NOT NULL,
    sku      TEXT,              -- the line's own; counts only where the listing is not linked
    quantity INTEGER NOT NULL,
    PRIMARY KEY (account, order_id, n),
    FOREIGN KEY (account, order_id) REFERENCES orders (account, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX holdings_by_listing ON holdings (account, item, option, quantity);
CREATE INDEX holdings_by_sku ON holdings (sku, account, item, option, quantity) WHERE sku IS NOT NULL;

CREATE TABLE listings (
    account  TEXT NOT NULL,
    item     TEXT NOT NULL,
    option   TEXT NOT NULL,     -- empty: the item has none
    link     TEXT NOT NULL,
    accepted INTEGER GENERATED ALWAYS AS (json_extract(link, '$.accepted')) VIRTUAL,
    failure  TEXT GENERATED ALWAYS AS (json_extract(link, '$.failure')) VIRTUAL,
    PRIMARY KEY (account, item, option)
) STRICT;

-- The SKUs behind a listing.
CREATE TABLE listing_parts (
    account  TEXT NOT NULL,
    item     TEXT NOT NULL,
    option   TEXT NOT NULL,
    n        INTEGER NOT NULL,
    sku      TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (account, item, option, n),
    FOREIGN KEY (account, item, option) REFERENCES listings (account, item, option) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX listing_parts_by_sku ON listing_parts (sku, account, item, option, quantity);

CREATE TABLE unreadable_rows (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    account  TEXT NOT NULL,
    hash     INTEGER NOT NULL,  -- FNV-1a of raw: finds the same text again
    order_id TEXT,
    reason   TEXT NOT NULL,
    raw      TEXT NOT NULL
) STRICT;

CREATE INDEX unreadable_rows_by_hash ON unreadable_rows (account, hash);
CREATE INDEX unreadable_rows_newest ON unreadable_rows (account, id);
