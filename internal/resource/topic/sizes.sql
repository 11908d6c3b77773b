-- How many bytes the messages of each topic have that are on their way. See sqlite.Sizes. A topic that is gone has a row as long as some of
-- its messages are.

DROP TABLE IF EXISTS sizes;
CREATE TABLE sizes (topic TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

DROP TRIGGER IF EXISTS outbox_put;
CREATE TRIGGER outbox_put AFTER INSERT ON outbox WHEN CAST(new.body AS TEXT) ->> '$.topic' <> '' BEGIN
	INSERT INTO sizes VALUES (CAST(new.body AS TEXT) ->> '$.topic', length(new.body) + 50) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
DROP TRIGGER IF EXISTS outbox_gone;
CREATE TRIGGER outbox_gone AFTER DELETE ON outbox WHEN CAST(old.body AS TEXT) ->> '$.topic' <> '' BEGIN
	INSERT INTO sizes VALUES (CAST(old.body AS TEXT) ->> '$.topic', -length(old.body) - 50) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
	DELETE FROM sizes WHERE topic = CAST(old.body AS TEXT) ->> '$.topic' AND bytes = 0;
END;
