package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aloft-run/aloft"
)

const (
	selectAlias = `SELECT app, stage, function, name, version, weights, description, revision, updated_at FROM aliases`
	oneAlias    = ` WHERE app = ? AND stage = ? AND function = ? AND name = ?`
)

func scanAlias(row scanner) (alias aloft.Alias, err error) {
	var weights, at string
	if err := row.Scan(&alias.App, &alias.Stage, &alias.Function, &alias.Name, &alias.Version, &weights, &alias.Description, &alias.Revision, &at); err != nil {
		return aloft.Alias{}, err
	}
	if err := json.Unmarshal([]byte(weights), &alias.Weights); err != nil {
		return aloft.Alias{}, fmt.Errorf("%w: weights of the alias %s of %s: %w", errDamaged, alias.Name, alias.StageRef, err)
	}
	alias.UpdatedAt, err = parseTime(at)
	return alias, err
}

// CreateAlias implements aloft.AliasStore.
func (s *Store) CreateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return s.putAlias(ctx, "create alias", alias, func(_ string, exists bool) error { return alias.Creates(exists) })
}

// UpdateAlias implements aloft.AliasStore.
func (s *Store) UpdateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return s.putAlias(ctx, "update alias", alias, alias.Replaces)
}

// putAlias stores an alias if allow lets it, by what there is.
func (s *Store) putAlias(ctx context.Context, what string, alias aloft.Alias, allow func(revision string, exists bool) error) (aloft.Alias, error) {
	if err := alias.Check(); err != nil {
		return aloft.Alias{}, err
	}
	alias = alias.Clone()
	alias.UpdatedAt = alias.UpdatedAt.Round(0).UTC()
	weights, err := json.Marshal(alias.Weights)
	if err != nil {
		return aloft.Alias{}, fmt.Errorf("encode alias: %w", err)
	}
	err = s.write(ctx, what, func(tx *sql.Tx) error {
		if _, err := findStage(ctx, tx, alias.StageRef); err != nil {
			return err
		}
		var revision string
		err := tx.QueryRowContext(ctx, `SELECT revision FROM aliases`+oneAlias, alias.App, alias.Stage, alias.Function, alias.Name).Scan(&revision)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := allow(revision, err == nil); err != nil {
			return err
		}
		if err := aliasable(ctx, tx, alias); err != nil {
			return err
		}
		alias.Revision = aloft.NewID()
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO aliases (app, stage, function, name, version, weights, description, revision, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			alias.App, alias.Stage, alias.Function, alias.Name, alias.Version, string(weights), alias.Description, alias.Revision, formatTime(alias.UpdatedAt))
		return err
	})
	if err != nil {
		return aloft.Alias{}, err
	}
	return alias, nil
}

// aliasable returns an error unless all releases of an alias succeeded.
func aliasable(ctx context.Context, tx *sql.Tx, alias aloft.Alias) error {
	for _, version := range alias.Versions() {
		var status aloft.ReleaseStatus
		err := tx.QueryRowContext(ctx, `SELECT status FROM releases WHERE app = ? AND stage = ? AND version = ?`, alias.App, alias.Stage, version).Scan(&status)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return noRelease(alias.StageRef, version)
		case err != nil:
			return err
		case status != aloft.Succeeded:
			return aloft.Errorf(aloft.Conflict, "release v%d of %s is %s", version, alias.StageRef, status)
		}
	}
	return nil
}

// DeleteAlias implements aloft.AliasStore.
func (s *Store) DeleteAlias(ctx context.Context, ref aloft.StageRef, function, name string) error {
	return s.write(ctx, "delete alias", func(tx *sql.Tx) error {
		if _, err := findStage(ctx, tx, ref); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM aliases`+oneAlias, ref.App, ref.Stage, function, name)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, aloft.NoAlias(ref, name))
		}
		return nil
	})
}

// Aliases implements aloft.AliasStore.
func (s *Store) Aliases(ctx context.Context, ref aloft.StageRef) ([]aloft.Alias, error) {
	rows, err := s.reader.QueryContext(ctx, selectAlias+` WHERE app = ? AND stage = ? ORDER BY function, name`, ref.App, ref.Stage)
	aliases, err := collect(rows, err, scanAlias)
	if err == nil && len(aliases) == 0 {
		_, err = findStage(ctx, s.reader, ref)
	}
	return aliases, s.fail(ctx, "list aliases", err)
}
