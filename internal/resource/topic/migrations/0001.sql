-- Schema 1. A released migration is never edited: a change is a new file, and only adds: while a server hands over to another one
-- both have the file open. Times are milliseconds since 1970.

CREATE TABLE topics (
	name TEXT PRIMARY KEY, owner TEXT NOT NULL, created INTEGER NOT NULL, attributes TEXT NOT NULL, tags TEXT NOT NULL
) STRICT;
CREATE TABLE subscriptions (
	id TEXT PRIMARY KEY, topic TEXT NOT NULL REFERENCES topics (name) ON DELETE CASCADE,
	protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL, created INTEGER NOT NULL,
	UNIQUE (topic, protocol, endpoint)
) STRICT;
CREATE TABLE published (                -- of FIFO topics, for 5 minutes
	topic TEXT NOT NULL REFERENCES topics (name) ON DELETE CASCADE, dedup TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL,
	PRIMARY KEY (topic, dedup)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	reader TEXT NOT NULL,
	body  BLOB NOT NULL,
	due   INTEGER NOT NULL,           -- not handed out before: a lease, or a pause after a failure
	tries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_due ON outbox (reader, due, id);
