-- How many bytes objects and parts of uploads have, by bucket. See sqlite.Sizes. A row that INSERT OR REPLACE removes fires no trigger of its own.

DROP TABLE IF EXISTS sizes;
CREATE TABLE sizes (bucket TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

DROP TRIGGER IF EXISTS objects_replaced;
CREATE TRIGGER objects_replaced BEFORE INSERT ON objects BEGIN
	INSERT INTO sizes VALUES (new.bucket, new.size - COALESCE((SELECT size FROM objects WHERE bucket = new.bucket AND key = new.key), 0))
		ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
DROP TRIGGER IF EXISTS objects_gone;
CREATE TRIGGER objects_gone AFTER DELETE ON objects BEGIN
	INSERT INTO sizes VALUES (old.bucket, -old.size) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
DROP TRIGGER IF EXISTS parts_replaced;
CREATE TRIGGER parts_replaced BEFORE INSERT ON parts BEGIN
	INSERT INTO sizes SELECT bucket, new.size - COALESCE((SELECT size FROM parts WHERE upload = new.upload AND number = new.number), 0)
		FROM uploads WHERE id = new.upload ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
-- Before: with its upload a part is deleted after that, when nobody knows its bucket any more.
DROP TRIGGER IF EXISTS uploads_gone;
CREATE TRIGGER uploads_gone BEFORE DELETE ON uploads BEGIN
	INSERT INTO sizes SELECT old.bucket, -COALESCE(SUM(size), 0) FROM parts WHERE upload = old.id ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
-- After all that goes with it.
DROP TRIGGER IF EXISTS buckets_gone;
CREATE TRIGGER buckets_gone AFTER DELETE ON buckets BEGIN
	DELETE FROM sizes WHERE bucket = old.name AND bytes = 0;
END;
