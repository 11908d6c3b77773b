package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

var stage = aloft.StageRef{App: "bench", Stage: "staging"}

// ours is the log store of aloft.
type ours struct{ store *logs.Store }

func openOurs(dir string) (kept, error) {
	s, err := logs.Open(dir, logs.Options{MaxBytes: 1 << 30})
	return ours{s}, err
}

func (o ours) Add(line aloft.LogLine) error {
	o.store.Append(stage, line)
	return nil
}

func (o ours) Close() error { return o.store.Close() } // it fails if lines were dropped

func (o ours) Tail(ctx context.Context, n int) (int, error) {
	found := 0
	for _, err := range o.store.Logs(ctx, aloft.LogQuery{Stage: stage, Limit: n}) {
		if err != nil {
			return found, err
		}
		found++
	}
	return found, nil
}

func (o ours) Filter(ctx context.Context, text string) (int, error) {
	found := 0
	for line, err := range o.store.Logs(ctx, aloft.LogQuery{Stage: stage}) {
		if err != nil {
			return found, err
		}
		if strings.Contains(line.Text, text) {
			found++
		}
	}
	return found, nil
}

// database keeps the same lines in SQLite.
type database struct {
	db     *sql.DB
	tx     *sql.Tx
	insert *sql.Stmt
	n      int
}

func openSQLite(dir string) (kept, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "log.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(normal)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS log (n INTEGER PRIMARY KEY, app TEXT, at INTEGER, release INTEGER, function TEXT, instance TEXT, stream TEXT, text TEXT);
		CREATE INDEX IF NOT EXISTS by_app ON log (app, n)`)
	return &database{db: db}, err
}

func (d *database) Add(line aloft.LogLine) (err error) {
	if d.tx == nil {
		if d.tx, err = d.db.Begin(); err != nil {
			return err
		}
		d.insert, err = d.tx.Prepare(`INSERT INTO log (app, at, release, function, instance, stream, text) VALUES (?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
	}
	if _, err := d.insert.Exec(stage.App, line.Time.UnixNano(), line.Release, line.Function, line.Instance, line.Stream, line.Text); err != nil {
		return err
	}
	if d.n++; d.n%1000 == 0 {
		return d.commit()
	}
	return nil
}

func (d *database) commit() error {
	if d.tx == nil {
		return nil
	}
	err := d.tx.Commit()
	d.tx = nil
	return err
}

func (d *database) Close() error {
	if err := d.commit(); err != nil {
		return err
	}
	return d.db.Close()
}

func (d *database) Tail(ctx context.Context, n int) (int, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT at, release, function, instance, stream, text FROM log WHERE app = ? ORDER BY n DESC LIMIT ?`, stage.App, n)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		var at, release int64
		var line aloft.LogLine
		if err := rows.Scan(&at, &release, &line.Function, &line.Instance, &line.Stream, &line.Text); err != nil {
			return found, err
		}
		found++
	}
	return found, rows.Err()
}

func (d *database) Filter(ctx context.Context, text string) (n int, err error) {
	return n, d.db.QueryRowContext(ctx, `SELECT count(*) FROM log WHERE app = ? AND instr(text, ?) > 0`, stage.App, text).Scan(&n)
}
