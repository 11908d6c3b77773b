-- Schema 2. How many bytes objects and parts of uploads have, by bucket. Triggers count, so that an older server that has the file open counts
-- too. A row that INSERT OR REPLACE removes fires no trigger of its own.

CREATE TABLE sizes (bucket TEXT PRIMARY KEY REFERENCES buckets (name) ON DELETE CASCADE, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO sizes SELECT name, 0 FROM buckets;
UPDATE sizes SET bytes = (SELECT COALESCE(SUM(size), 0) FROM objects WHERE objects.bucket = sizes.bucket)
	+ (SELECT COALESCE(SUM(size), 0) FROM parts JOIN uploads ON id = upload WHERE uploads.bucket = sizes.bucket);

CREATE TRIGGER buckets_made AFTER INSERT ON buckets BEGIN
	INSERT INTO sizes VALUES (new.name, 0);
END;
CREATE TRIGGER objects_replaced BEFORE INSERT ON objects BEGIN
	UPDATE sizes SET bytes = bytes + new.size - COALESCE((SELECT size FROM objects WHERE bucket = new.bucket AND key = new.key), 0) WHERE bucket = new.bucket;
END;
CREATE TRIGGER objects_gone AFTER DELETE ON objects BEGIN
	UPDATE sizes SET bytes = bytes - old.size WHERE bucket = old.bucket;
END;
CREATE TRIGGER parts_replaced BEFORE INSERT ON parts BEGIN
	UPDATE sizes SET bytes = bytes + new.size - COALESCE((SELECT size FROM parts WHERE upload = new.upload AND number = new.number), 0)
		WHERE bucket = (SELECT bucket FROM uploads WHERE id = new.upload);
END;
-- Before: with its upload a part is deleted after that, when nobody knows its bucket any more.
CREATE TRIGGER uploads_gone BEFORE DELETE ON uploads BEGIN
	UPDATE sizes SET bytes = bytes - (SELECT COALESCE(SUM(size), 0) FROM parts WHERE upload = old.id) WHERE bucket = old.bucket;
END;
