-- Schema 2. How many bytes the messages of each topic have that are on their way. Triggers count, so that an older server that has the file
-- open counts too. A topic that is gone has a row as long as some of its messages are.

CREATE TABLE sizes (topic TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO sizes SELECT CAST(body AS TEXT) ->> '$.topic', SUM(length(body) + 50) FROM outbox GROUP BY 1 HAVING CAST(body AS TEXT) ->> '$.topic' <> '';

CREATE TRIGGER outbox_put AFTER INSERT ON outbox WHEN CAST(new.body AS TEXT) ->> '$.topic' <> '' BEGIN
	INSERT INTO sizes VALUES (CAST(new.body AS TEXT) ->> '$.topic', length(new.body) + 50) ON CONFLICT (topic) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER outbox_gone AFTER DELETE ON outbox BEGIN
	UPDATE sizes SET bytes = bytes - (length(old.body) + 50) WHERE topic = CAST(old.body AS TEXT) ->> '$.topic';
	DELETE FROM sizes WHERE topic = CAST(old.body AS TEXT) ->> '$.topic' AND bytes <= 0;
END;
