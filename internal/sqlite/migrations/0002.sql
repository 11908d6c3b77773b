-- Schema 2. Names for releases. The function is '' for an alias of all functions of the stage.

CREATE TABLE aliases (
  app         TEXT NOT NULL,
  stage       TEXT NOT NULL,
  function    TEXT NOT NULL,
  name        TEXT NOT NULL,
  version     INTEGER NOT NULL CHECK (version >= 0), -- 0 is the current release
  weights     TEXT NOT NULL, -- JSON: shares of other releases
  description TEXT NOT NULL,
  revision    TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  PRIMARY KEY (app, stage, function, name),
  FOREIGN KEY (app, stage) REFERENCES stages (app, stage) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
