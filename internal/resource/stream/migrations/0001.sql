-- Schema 1. A released migration is never edited: a change is a new file, and only adds: while a server hands over to another one
-- both have the file open. Times are milliseconds since 1970.

CREATE TABLE streams (
	name TEXT PRIMARY KEY, owner TEXT NOT NULL, created INTEGER NOT NULL, shards INTEGER NOT NULL,
	hours INTEGER NOT NULL,            -- for which records are kept
	last INTEGER NOT NULL DEFAULT 0    -- number of the newest record, over all shards
) STRICT;
CREATE TABLE records (
	stream TEXT NOT NULL REFERENCES streams (name) ON DELETE CASCADE, shard INTEGER NOT NULL, number INTEGER NOT NULL,
	key TEXT NOT NULL, data BLOB NOT NULL, at INTEGER NOT NULL,
	PRIMARY KEY (stream, shard, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_at ON records (stream, at);
CREATE TABLE positions (
	stream TEXT NOT NULL REFERENCES streams (name) ON DELETE CASCADE, shard INTEGER NOT NULL, reader TEXT NOT NULL,
	number INTEGER NOT NULL, PRIMARY KEY (stream, shard, reader)
) STRICT, WITHOUT ROWID;
