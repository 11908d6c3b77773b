-- How many bytes the messages of each queue have: bodies, attributes and what SQLite needs besides, about. See sqlite.Sizes.

DROP TABLE IF EXISTS sizes;
CREATE TABLE sizes (queue TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

DROP TRIGGER IF EXISTS messages_put;
CREATE TRIGGER messages_put AFTER INSERT ON messages BEGIN
  INSERT INTO sizes VALUES (new.queue, length(new.body) + length(new.attributes) + 200) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;

DROP TRIGGER IF EXISTS messages_gone;
CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN
  INSERT INTO sizes VALUES (old.queue, -length(old.body) - length(old.attributes) - 200) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;

DROP TRIGGER IF EXISTS messages_moved;
CREATE TRIGGER messages_moved AFTER UPDATE OF queue, attributes ON messages BEGIN
  INSERT INTO sizes VALUES (old.queue, -length(old.body) - length(old.attributes) - 200) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
  INSERT INTO sizes VALUES (new.queue, length(new.body) + length(new.attributes) + 200) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
