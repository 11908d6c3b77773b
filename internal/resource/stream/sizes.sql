-- How many bytes the records of each stream have, about. See sqlite.Sizes.

DROP TABLE IF EXISTS sizes;
CREATE TABLE sizes (stream TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

DROP TRIGGER IF EXISTS records_put;
CREATE TRIGGER records_put AFTER INSERT ON records BEGIN
	INSERT INTO sizes VALUES (new.stream, length(new.data) + length(new.key) + 50) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
DROP TRIGGER IF EXISTS records_gone;
CREATE TRIGGER records_gone AFTER DELETE ON records BEGIN
	INSERT INTO sizes VALUES (old.stream, -length(old.data) - length(old.key) - 50) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
-- After all that goes with it.
DROP TRIGGER IF EXISTS streams_gone;
CREATE TRIGGER streams_gone AFTER DELETE ON streams BEGIN
	DELETE FROM sizes WHERE stream = old.name AND bytes = 0;
END;
