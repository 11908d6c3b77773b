package deploy

import (
	"context"
	"io"
)

// OpenArtifact opens an artifact; see aloft.Promoter.
func (d *Deployer) OpenArtifact(ctx context.Context, digest string) (io.ReadCloser, error) {
	if !d.Artifacts.Has(digest) && d.Fetch != nil {
		if err := d.Fetch(ctx, digest); err != nil {
			return nil, err
		}
	}
	blob, err := d.Artifacts.Open(digest)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(blob, 0, blob.Size()), blob}, nil
}
