-- Schema 1. A released migration is never edited: a change is a new file. user_version counts the files applied.
-- While a server hands over to another one both have the file open: a change only adds, so that the older one can go on.
-- Times are milliseconds since 1970.

CREATE TABLE messages (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: it is the order of a group
  queue      TEXT NOT NULL,
  id         TEXT NOT NULL,
  grp        TEXT NOT NULL,             -- '' for none
  blocked    INTEGER NOT NULL,          -- an earlier message of its group is there
  due        INTEGER NOT NULL,          -- from when on it may be claimed
  enqueued   INTEGER NOT NULL,
  claimed    INTEGER NOT NULL DEFAULT 0, -- first
  claims     INTEGER NOT NULL DEFAULT 0,
  token      INTEGER NOT NULL DEFAULT 0, -- of the last claim, 0 when it was given back
  owner      TEXT NOT NULL DEFAULT '',   -- the Store with whose life the claim ends
  attributes BLOB NOT NULL,
  body       BLOB NOT NULL               -- last: what comes after a long one is slow to read
) STRICT;

CREATE INDEX messages_due ON messages (queue, blocked, due);
CREATE INDEX messages_group ON messages (queue, grp, seq) WHERE grp <> '';

-- Identifiers that make a second put of the same message no message, for some minutes.
CREATE TABLE duplicates (
  queue TEXT NOT NULL,
  dedup TEXT NOT NULL,
  id    TEXT NOT NULL,
  seq   INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (queue, dedup)
) STRICT, WITHOUT ROWID;

CREATE INDEX duplicates_until ON duplicates (until);
