package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// Keys of the account's bucket. What they name never changes: all are named by what they hold.
const (
	artifactPrefix = "artifacts/"
	shimPrefix     = "shims/"
	templatePrefix = "templates/"
)

// code is where a release's zips are in a region's bucket.
type code struct {
	artifact stack.Object
	layers   map[string]stack.Object
	shim     stack.Object
}

// codeOf is where a release's zips are to be, with the shim that is to be there.
func (r *region) codeOf(ctx context.Context, release aloft.Release) (code, Shim, error) {
	var c code
	c.artifact, c.layers = r.placesOf(release, r.name)
	shim, err := r.Shim(ctx, architecture(release))
	if err != nil {
		return code{}, Shim{}, fmt.Errorf("make the shim: %w", err)
	}
	c.shim = stack.Object{Bucket: c.artifact.Bucket, Key: shimPrefix + shim.Digest + ".zip"}
	return c, shim, nil
}

// upload puts what a release needs into the region's bucket, as far as it is not there.
func (r *region) upload(ctx context.Context, release aloft.Release, report aloft.Reporter) (code, error) {
	c, shim, err := r.codeOf(ctx, release)
	if err != nil {
		return code{}, err
	}
	steps := []func() error{func() error {
		return r.put(ctx, c.shim.Key, report, func() (io.ReadCloser, int64, error) {
			return inMemory{bytes.NewReader(shim.Zip)}, int64(len(shim.Zip)), nil
		})
	}}
	for _, digest := range release.Digests() {
		steps = append(steps, func() error {
			return r.put(ctx, artifactPrefix+digest+".zip", report, func() (io.ReadCloser, int64, error) { return r.openArtifact(ctx, release, digest) })
		})
	}
	return c, parallel(steps...)
}

// openArtifact opens an artifact that this machine has, or the bucket of the home region: the release may be another machine's,
// and this region new to it.
func (r *region) openArtifact(ctx context.Context, release aloft.Release, digest string) (io.ReadCloser, int64, error) {
	body, size, err := r.Artifact(digest)
	if home := release.AWS.Regions[0]; aloft.ErrorCode(err) == aloft.NotFound && home != r.name {
		return r.in(home).read(ctx, artifactPrefix+digest+".zip")
	}
	return body, size, err
}

// read reads an object whole.
func (r *region) read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	body, err := r.objects.Get(ctx, key)
	if err != nil {
		return nil, 0, r.Session.explain(err, "read "+key+" in "+r.name)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	return inMemory{bytes.NewReader(data)}, int64(len(data)), failed(err, "read "+key+" in "+r.name)
}

// inMemory is an object in memory.
type inMemory struct{ *bytes.Reader }

// Close does nothing.
func (inMemory) Close() error { return nil }

func architecture(release aloft.Release) string {
	if release.AWS != nil && release.AWS.Architecture != "" {
		return release.AWS.Architecture
	}
	return aloft.ARM64
}

// put uploads under a key, unless it is there.
func (r *region) put(ctx context.Context, key string, report aloft.Reporter, open func() (io.ReadCloser, int64, error)) error {
	has, err := r.objects.Has(ctx, key)
	if err != nil {
		return r.Session.explain(err, "look into the bucket of "+r.name)
	}
	if has {
		return nil
	}
	began := time.Now()
	body, size, err := open()
	if err != nil {
		return fmt.Errorf("upload %s: %w", key, err)
	}
	_ = body.Close() // opened for its size; and again for each try
	report.Report(aloft.Notice{Text: fmt.Sprintf("%s: uploading %s (%s)", r.name, shortKey(key), aloft.SizeText(size))})
	err = r.objects.Put(ctx, key, size, func() (io.ReadCloser, error) {
		body, _, err := open()
		return body, err
	})
	if err != nil {
		return r.Session.explain(err, "upload "+key+" to "+r.name)
	}
	report.Report(aloft.Output{Step: aloft.StepStart, Text: fmt.Sprintf("%s  uploaded  %s (%s)  %s", r.name, key, aloft.SizeText(size), time.Since(began).Round(100*time.Millisecond))})
	return nil
}

// shortKey is a key of an object that has its digest as its name, with as much of it as people are shown.
func shortKey(key string) string {
	dir, digest := path.Split(key)
	return dir + aloft.Artifact{Digest: strings.TrimSuffix(digest, ".zip")}.Short()
}

// putTemplate puts a template into the bucket and returns its URL.
func (r *region) putTemplate(ctx context.Context, template []byte) (string, error) {
	key := templateKey(template)
	err := r.put(ctx, key, aloft.Discard{}, func() (io.ReadCloser, int64, error) {
		return inMemory{bytes.NewReader(template)}, int64(len(template)), nil
	})
	if r.Session.Config.BaseEndpoint != nil { // an emulator, which has no DNS names for buckets
		return strings.TrimSuffix(*r.Session.Config.BaseEndpoint, "/") + "/" + r.Session.Bucket(r.name) + "/" + key, err
	}
	return fmt.Sprintf("https://%s.s3.%s.%s/%s", r.Session.Bucket(r.name), r.name, domain(r.name), key), err
}

func templateKey(template []byte) string {
	sum := sha256.Sum256(template)
	return templatePrefix + hex.EncodeToString(sum[:]) + ".json"
}

// domain is that of a region's partition.
func domain(region string) string {
	if len(region) > 3 && region[:3] == "cn-" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
