-- Schema 1. A released migration is never edited: a change is a new file, and only adds: while a server hands over to another one
-- both have the file open. Times are milliseconds since 1970.

CREATE TABLE buckets (name TEXT PRIMARY KEY, owner TEXT NOT NULL, created INTEGER NOT NULL) STRICT;
CREATE TABLE objects (
	bucket TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE, key TEXT NOT NULL,
	file TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, md5 BLOB NOT NULL, meta TEXT NOT NULL, modified INTEGER NOT NULL,
	PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE uploads (
	id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE, key TEXT NOT NULL,
	meta TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;
CREATE TABLE parts (
	upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE, number INTEGER NOT NULL,
	file TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, md5 BLOB NOT NULL, modified INTEGER NOT NULL,
	PRIMARY KEY (upload, number)
) STRICT;
CREATE TABLE watchers (
	bucket TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE, watcher TEXT NOT NULL, PRIMARY KEY (bucket, watcher)
) STRICT;

CREATE TABLE outbox (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	reader TEXT NOT NULL,
	body  BLOB NOT NULL,
	due   INTEGER NOT NULL,           -- not handed out before: a lease, or a pause after a failure
	tries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_due ON outbox (reader, due, id);
