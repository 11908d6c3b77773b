-- Schema 2. How many bytes the records of each stream have, about. Triggers count, so that an older server that has the file open counts too.

CREATE TABLE sizes (stream TEXT PRIMARY KEY REFERENCES streams (name) ON DELETE CASCADE, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO sizes SELECT name, (SELECT COALESCE(SUM(length(data) + length(key) + 50), 0) FROM records WHERE stream = name) FROM streams;

CREATE TRIGGER streams_made AFTER INSERT ON streams BEGIN
	INSERT INTO sizes VALUES (new.name, 0);
END;
CREATE TRIGGER records_put AFTER INSERT ON records BEGIN
	UPDATE sizes SET bytes = bytes + length(new.data) + length(new.key) + 50 WHERE stream = new.stream;
END;
CREATE TRIGGER records_gone AFTER DELETE ON records BEGIN
	UPDATE sizes SET bytes = bytes - (length(old.data) + length(old.key) + 50) WHERE stream = old.stream;
END;
