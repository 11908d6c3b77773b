package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/aloft-run/aloft"
)

const selectRelease = `SELECT app, stage, version, status, reason, document, checksum FROM releases`

// scanRelease reads a release. Status and reason have columns because they change; the rest is the document's.
func scanRelease(row scanner) (aloft.Release, error) {
	var at, release aloft.Release
	var document []byte
	var sum uint32
	if err := row.Scan(&at.App, &at.Stage, &at.Version, &at.Status, &at.Reason, &document, &sum); err != nil {
		return aloft.Release{}, err
	}
	if sum != checksum(document) {
		return aloft.Release{}, fmt.Errorf("%w: release v%d of %s has the wrong checksum", errDamaged, at.Version, at.StageRef)
	}
	if err := json.Unmarshal(document, &release); err != nil {
		return aloft.Release{}, fmt.Errorf("%w: release v%d of %s: %w", errDamaged, at.Version, at.StageRef, err)
	}
	if release.StageRef != at.StageRef || release.Version != at.Version {
		return aloft.Release{}, fmt.Errorf("%w: release v%d of %s holds another release", errDamaged, at.Version, at.StageRef)
	}
	release.Status, release.Reason = at.Status, at.Reason
	return release, nil
}

// encode returns the document. It refuses text that JSON cannot hold: a release must come back byte for byte.
func encode(release aloft.Release) ([]byte, error) {
	document, err := json.Marshal(release)
	if err != nil {
		return nil, fmt.Errorf("encode release: %w", err)
	}
	if !bytes.Contains(document, []byte(`\ufffd`)) { // what encoding/json writes for bytes that are not UTF-8
		return document, nil
	}
	var again aloft.Release
	if err := json.Unmarshal(document, &again); err != nil {
		return nil, fmt.Errorf("encode release: %w", err)
	}
	if same, err := json.Marshal(again); err != nil || !bytes.Equal(document, same) {
		return nil, aloft.Errorf(aloft.Invalid, "a command, variable or description holds text that is not UTF-8").
			WithHint("save the file it comes from as UTF-8")
	}
	return document, nil
}

func checksum(document []byte) uint32 {
	return crc32.Checksum(document, crc32.MakeTable(crc32.Castagnoli))
}

// CreateRelease implements aloft.ReleaseStore.
func (s *Store) CreateRelease(ctx context.Context, release aloft.Release) (aloft.Release, error) {
	release = release.Clone()
	release.Status, release.Reason = aloft.Pending, ""
	release.CreatedAt = release.CreatedAt.Round(0).UTC()
	err := s.write(ctx, "create release", func(tx *sql.Tx) error {
		last, err := findStage(ctx, tx, release.StageRef)
		if err != nil {
			return err
		}
		release.Version = last + 1
		document, err := encode(release)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE stages SET last_version = ? WHERE app = ? AND stage = ?`, release.Version, release.App, release.Stage); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO releases (app, stage, version, status, digest, document, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			release.App, release.Stage, release.Version, release.Status, release.Artifact.Digest, string(document), checksum(document))
		return err
	})
	if err != nil {
		return aloft.Release{}, err
	}
	return release, nil
}

// FinishRelease implements aloft.ReleaseStore.
func (s *Store) FinishRelease(ctx context.Context, ref aloft.StageRef, version int, reason string) error {
	return s.write(ctx, "finish release", func(tx *sql.Tx) error {
		if _, err := findStage(ctx, tx, ref); err != nil {
			return err
		}
		var old aloft.ReleaseStatus
		err := tx.QueryRowContext(ctx, `SELECT status FROM releases WHERE app = ? AND stage = ? AND version = ?`, ref.App, ref.Stage, version).Scan(&old)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return noRelease(ref, version)
		case err != nil:
			return err
		case old != aloft.Pending:
			return aloft.Errorf(aloft.Conflict, "release v%d of %s is %s already", version, ref, old)
		}
		status := aloft.Succeeded
		if reason != "" {
			status = aloft.Broken
		}
		if _, err := tx.ExecContext(ctx, `UPDATE releases SET status = ?, reason = ? WHERE app = ? AND stage = ? AND version = ?`,
			status, reason, ref.App, ref.Stage, version); err != nil || status == aloft.Broken {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE stages SET current = ?, stopped = 0 WHERE app = ? AND stage = ?`, version, ref.App, ref.Stage)
		return err
	})
}

func noRelease(ref aloft.StageRef, version int) error {
	return aloft.Errorf(aloft.NotFound, "stage %s has no release v%d", ref, version)
}

// Release implements aloft.ReleaseStore.
func (s *Store) Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	row := s.reader.QueryRowContext(ctx, selectRelease+` WHERE app = ? AND stage = ? AND version = ?`, ref.App, ref.Stage, version)
	release, err := scanRelease(row)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err = findStage(ctx, s.reader, ref); err == nil {
			err = noRelease(ref, version)
		}
	}
	return release, s.fail(ctx, "read release", err)
}

// Releases implements aloft.ReleaseStore.
func (s *Store) Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error) {
	if limit <= 0 {
		limit = -1 // SQLite's word for all
	}
	rows, err := s.reader.QueryContext(ctx, selectRelease+` WHERE app = ? AND stage = ? ORDER BY version DESC LIMIT ?`, ref.App, ref.Stage, limit)
	releases, err := collect(rows, err, scanRelease)
	if err == nil && len(releases) == 0 {
		_, err = findStage(ctx, s.reader, ref)
	}
	return releases, s.fail(ctx, "list releases", err)
}

// selectDigests reads only those documents that say what a function sees at /opt.
const selectDigests = `SELECT digest FROM releases WHERE digest <> ''
	UNION SELECT json_extract(f.value, '$.opt') FROM releases, json_each(CAST(document AS TEXT), '$.functions') f
	WHERE instr(CAST(document AS TEXT), '"opt":') > 0 AND json_extract(f.value, '$.opt') <> ''`

// Digests implements aloft.ReleaseStore.
func (s *Store) Digests(ctx context.Context) (map[string]bool, error) {
	rows, err := s.reader.QueryContext(ctx, selectDigests)
	list, err := collect(rows, err, func(row scanner) (digest string, err error) {
		err = row.Scan(&digest)
		return digest, err
	})
	if err != nil {
		return nil, s.fail(ctx, "list digests", err)
	}
	digests := make(map[string]bool, len(list))
	for _, digest := range list {
		digests[digest] = true
	}
	return digests, nil
}
