-- Schema 2. How many bytes the messages of each queue have: bodies, attributes and what SQLite needs besides, about. Triggers count, so that an
-- older server that has the file open counts too.

CREATE TABLE sizes (
  queue TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sizes SELECT queue, SUM(length(body) + length(attributes) + 200) FROM messages GROUP BY queue;

CREATE TRIGGER messages_put AFTER INSERT ON messages BEGIN
  INSERT INTO sizes VALUES (new.queue, length(new.body) + length(new.attributes) + 200) ON CONFLICT (queue) DO UPDATE SET bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN
  UPDATE sizes SET bytes = bytes - (length(old.body) + length(old.attributes) + 200) WHERE queue = old.queue;
END;

CREATE TRIGGER messages_moved AFTER UPDATE OF queue, attributes ON messages BEGIN
  UPDATE sizes SET bytes = bytes - (length(old.body) + length(old.attributes) + 200) WHERE queue = old.queue;
  INSERT INTO sizes VALUES (new.queue, length(new.body) + length(new.attributes) + 200) ON CONFLICT (queue) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
