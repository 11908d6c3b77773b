package artifact

import (
	"archive/zip"
	"io/fs"
)

// Look shows an artifact's tree to look, without unpacking it. It returns NotFound if the store does not hold the artifact.
func (s *Store) Look(digest string, look func(tree fs.FS)) error {
	blob, err := s.Open(digest)
	if err != nil {
		return err
	}
	defer func() { _ = blob.Close() }() // read-only
	tree, err := zip.NewReader(blob, blob.Size())
	if err != nil {
		return damaged(digest, err)
	}
	look(tree)
	return nil
}
