package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aloft-run/aloft"
)

// selectStage is one statement, so that a stage and its domains are of one moment.
const selectStage = `SELECT app, stage, current, stopped, created_at, (
	SELECT json_group_array(domain ORDER BY domain) FROM domains d WHERE d.app = s.app AND d.stage = s.stage
) FROM stages s`

func scanStage(row scanner) (stage aloft.Stage, err error) {
	var at, domains string
	if err := row.Scan(&stage.App, &stage.Stage, &stage.Current, &stage.Stopped, &at, &domains); err != nil {
		return aloft.Stage{}, err
	}
	if err := json.Unmarshal([]byte(domains), &stage.Domains); err != nil {
		return aloft.Stage{}, fmt.Errorf("%w: domains of %s: %w", errDamaged, stage.StageRef, err)
	}
	if len(stage.Domains) == 0 {
		stage.Domains = nil
	}
	stage.CreatedAt, err = parseTime(at)
	return stage, err
}

// CreateStage implements aloft.StageStore.
func (s *Store) CreateStage(ctx context.Context, stage aloft.Stage) error {
	if err := stage.Check(); err != nil {
		return err
	}
	return s.write(ctx, "create stage", func(tx *sql.Tx) error {
		if err := findApp(ctx, tx, stage.App); err != nil {
			return err
		}
		var other aloft.StageRef
		err := tx.QueryRowContext(ctx, `SELECT app, stage FROM stages WHERE label = ?`, stage.Label()).Scan(&other.App, &other.Stage)
		switch {
		case err == nil && other == stage.StageRef:
			return aloft.Errorf(aloft.Conflict, "app %q has a stage %q already", stage.App, stage.Stage)
		case err == nil:
			return aloft.Errorf(aloft.Conflict, "stage %s would have the same host as stage %s", stage.StageRef, other).
				WithHint("use another name for the stage or the app")
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO stages (app, stage, label, created_at) VALUES (?, ?, ?, ?)`,
			stage.App, stage.Stage, stage.Label(), formatTime(stage.CreatedAt))
		return err
	})
}

// findStage returns the number of the newest release, and NotFound if there is no such stage.
func findStage(ctx context.Context, q queryer, ref aloft.StageRef) (last int, err error) {
	err = q.QueryRowContext(ctx, `SELECT last_version FROM stages WHERE app = ? AND stage = ?`, ref.App, ref.Stage).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, noStage(ctx, q, ref)
	}
	return last, err
}

// noStage says what is missing, the app or its stage.
func noStage(ctx context.Context, q queryer, ref aloft.StageRef) error {
	if err := findApp(ctx, q, ref.App); err != nil {
		return err
	}
	return aloft.Errorf(aloft.NotFound, "app %q has no stage %q", ref.App, ref.Stage)
}

// Stage implements aloft.StageStore.
func (s *Store) Stage(ctx context.Context, ref aloft.StageRef) (aloft.Stage, error) {
	stage, err := scanStage(s.reader.QueryRowContext(ctx, selectStage+` WHERE app = ? AND stage = ?`, ref.App, ref.Stage))
	if errors.Is(err, sql.ErrNoRows) {
		err = noStage(ctx, s.reader, ref)
	}
	return stage, s.fail(ctx, "read stage", err)
}

// Stages implements aloft.StageStore.
func (s *Store) Stages(ctx context.Context, app string) ([]aloft.Stage, error) {
	rows, err := s.reader.QueryContext(ctx, selectStage+` WHERE ? IN ('', app) ORDER BY app, stage`, app)
	stages, err := collect(rows, err, scanStage)
	return stages, s.fail(ctx, "list stages", err)
}

// UpdateStage implements aloft.StageStore.
func (s *Store) UpdateStage(ctx context.Context, stage aloft.Stage) error {
	domains := slices.Clone(stage.Domains)
	slices.Sort(domains)
	domains = slices.Compact(domains)
	return s.write(ctx, "update stage", func(tx *sql.Tx) error {
		if _, err := findStage(ctx, tx, stage.StageRef); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE stages SET stopped = ? WHERE app = ? AND stage = ?`, stage.Stopped, stage.App, stage.Stage); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM domains WHERE app = ? AND stage = ?`, stage.App, stage.Stage); err != nil {
			return err
		}
		for _, domain := range domains {
			if err := addDomain(ctx, tx, stage.StageRef, domain); err != nil {
				return err
			}
		}
		return nil
	})
}

func addDomain(ctx context.Context, tx *sql.Tx, ref aloft.StageRef, domain string) error {
	var other aloft.StageRef
	err := tx.QueryRowContext(ctx, `SELECT app, stage FROM domains WHERE domain = ?`, domain).Scan(&other.App, &other.Stage)
	switch {
	case err == nil:
		return aloft.Errorf(aloft.Conflict, "domain %q belongs to stage %s", domain, other).WithHint("remove it there first")
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO domains (domain, app, stage) VALUES (?, ?, ?)`, domain, ref.App, ref.Stage)
	return err
}

// DeleteStage implements aloft.StageStore.
func (s *Store) DeleteStage(ctx context.Context, ref aloft.StageRef) error {
	return s.write(ctx, "delete stage", func(tx *sql.Tx) error {
		if _, err := findStage(ctx, tx, ref); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM stages WHERE app = ? AND stage = ?`, ref.App, ref.Stage)
		return err
	})
}
