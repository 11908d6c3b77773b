-- Schema 1. A released migration is never edited: a change is a new file, and only adds: while a server hands over to another one
-- both have the file open. Times are milliseconds since 1970. Messages lie in a file of their own, by the id of their queue.

CREATE TABLE queues (
  name       TEXT PRIMARY KEY,
  owner      TEXT NOT NULL,
  id         TEXT NOT NULL UNIQUE,  -- another one of the same name has another
  created    INTEGER NOT NULL,
  modified   INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  tags       TEXT NOT NULL
) STRICT;
