-- Schema 1. A released migration is never edited: a change is a new file. user_version counts the files applied.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE apps (
  name       TEXT PRIMARY KEY,
  key        BLOB,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stages (
  app          TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
  stage        TEXT NOT NULL,
  label        TEXT NOT NULL UNIQUE, -- of the host: two stages of one label would answer each other's requests
  current      INTEGER NOT NULL DEFAULT 0,
  last_version INTEGER NOT NULL DEFAULT 0,
  stopped      INTEGER NOT NULL DEFAULT 0 CHECK (stopped IN (0, 1)),
  created_at   TEXT NOT NULL,
  PRIMARY KEY (app, stage),
  CHECK (current BETWEEN 0 AND last_version)
) STRICT, WITHOUT ROWID;

CREATE TABLE domains (
  domain TEXT PRIMARY KEY,
  app    TEXT NOT NULL,
  stage  TEXT NOT NULL,
  FOREIGN KEY (app, stage) REFERENCES stages (app, stage) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX domains_stage ON domains (app, stage);

-- The document is the release as JSON, immutable. What changes or is searched for has columns, and columns win.
CREATE TABLE releases (
  app      TEXT NOT NULL,
  stage    TEXT NOT NULL,
  version  INTEGER NOT NULL CHECK (version > 0),
  status   TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
  reason   TEXT NOT NULL DEFAULT '',
  digest   TEXT NOT NULL,
  document TEXT NOT NULL,
  checksum INTEGER NOT NULL, -- CRC-32C of the document: SQLite itself has no checksums
  PRIMARY KEY (app, stage, version),
  FOREIGN KEY (app, stage) REFERENCES stages (app, stage) ON DELETE CASCADE
) STRICT;

CREATE INDEX releases_digest ON releases (digest);
