package apitest

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aloft-run/aloft"
)

// Promote implements aloft.Promoter.
func (f *Fake) Promote(_ context.Context, input aloft.PromoteInput, report aloft.Reporter) (aloft.Deployment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, err := f.find(input.From)
	if err != nil {
		return aloft.Deployment{}, err
	}
	to := f.stages[input.To]
	if to == nil {
		to = f.create(input.To)
	}
	release := f.append(to, aloft.Release{Kind: aloft.PromoteRelease, Artifact: from.releases[len(from.releases)-1].Artifact, Author: input.Author}, to.current())
	report.Report(aloft.StepDone{Step: aloft.StepRelease, Text: fmt.Sprintf("v%d", release.Version)})
	return aloft.Deployment{Release: release, URL: f.url(to)}, nil
}

// Promotable implements aloft.Promoter.
func (f *Fake) Promotable(_ context.Context, ref aloft.StageRef, _ int) (aloft.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return aloft.Release{}, err
	}
	return s.releases[len(s.releases)-1].Clone(), nil
}

// OpenArtifact implements aloft.Promoter. Every artifact of the digest "a", 64 times, is a text.
func (*Fake) OpenArtifact(_ context.Context, digest string) (io.ReadCloser, error) {
	if digest != strings.Repeat("a", 64) {
		return nil, aloft.Errorf(aloft.NotFound, "there is no artifact %s", digest)
	}
	return io.NopCloser(strings.NewReader("the artifact")), nil
}
