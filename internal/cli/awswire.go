package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/s3"
	"github.com/aloft-run/aloft/internal/shim/shimbin"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

func (b *awsBackend) deployOptions() deploy.Options {
	artifacts := b.bucket.Artifacts(b.store)
	return deploy.Options{
		Apps: b.apps, Platform: b.platform, Artifacts: b.store, Buildpacks: standard.Buildpacks(), Sources: cloudSources(), Engine: b.engine,
		Sealer: s3.NewSealer(b.session.In(b.region), s3.KeyID), Logs: noLogs{}, URL: b.url, Dir: filepath.Join(b.dir, "deploy"),
		BuildEnv: buildEnv(b.program.env), Logger: b.logger, AWS: &aloft.AWS{Regions: []string{b.region}},
		Consent: deploy.Consent{All: b.program.flags.yes, Plan: b.program.agreed},
		Fit:     stack.Fit, FunctionURLs: b.functionURLs, Stored: artifacts.Has, Fetch: artifacts.Download, Lock: b.lock, Shared: true, LockBuild: b.use.lockBuild,
	}
}

func (b *awsBackend) platformOptions() aws.Options {
	return aws.Options{
		Session: b.session, Releases: b.apps, Render: renderStack, Stores: stores, Artifact: b.openArtifact, Shim: layer, RunLocal: b.runLocal, Logger: b.logger,
		Unseal: func(ctx context.Context, r aloft.Release) (aloft.Config, error) { return b.Unseal(ctx, r) },
		Objects: func(region string) aws.Objects {
			return s3.Open(b.session.In(region), b.session.Bucket(region), b.session.Account).Keys()
		},
		Client: visitor(), Poll: b.pace(),
	}
}

// lock makes this process the only one that changes a stage. An account without records has nothing to change.
func (b *awsBackend) lock(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) (held context.Context, unlock func(), err error) {
	store, ok := b.apps.AppService.(*s3.Store)
	if !ok {
		return ctx, func() {}, nil
	}
	return store.Lock(ctx, ref, report)
}

// cloudSources are the event sources that stages on AWS have.
func cloudSources() eventsource.Set { return standard.EventSources(standard.Sourced{}) }

// renderStack makes templates.
func renderStack(in stack.Input) (stack.Output, error) {
	in.Kinds = standard.CloudKinds()
	in.Sources = func(uri string) (eventsource.Source, error) { return cloudSources().Parse(in.Release.StageRef, uri) }
	return stack.Render(in)
}

func stores(in stack.Input) ([]stack.Store, error) {
	in.Kinds = standard.CloudKinds()
	return stack.Stores(in)
}

// openArtifact opens an artifact of this machine.
func (b *awsBackend) openArtifact(digest string) (io.ReadCloser, int64, error) {
	blob, err := b.store.Open(digest)
	if err != nil {
		return nil, 0, err
	}
	return openBlob{io.NewSectionReader(blob, 0, blob.Size()), blob}, blob.Size(), nil
}

// openBlob reads an artifact from its beginning.
type openBlob struct {
	*io.SectionReader
	io.Closer
}

// layer is the shim for an architecture.
func layer(ctx context.Context, architecture string) (aws.Shim, error) {
	processor := map[string]string{aloft.ARM64: "arm64", aloft.X8664: "amd64"}[architecture]
	archive, digest, err := shimbin.Layer(ctx, processor)
	return aws.Shim{Digest: digest, Zip: archive}, err
}

// visitor asks addresses as a browser would: names below localhost are this machine, whatever its resolver says (RFC 6761).
func visitor() *http.Client {
	const patience = 10 * time.Second
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
			address = net.JoinHostPort("127.0.0.1", port)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return &http.Client{
		Timeout: patience, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// pace is how long to wait between two looks at what AWS does. An emulator on this machine is not spared.
func (b *awsBackend) pace() time.Duration {
	const near = 100 * time.Millisecond
	for _, host := range []string{"://127.0.0.1:", "://localhost:", "://[::1]:"} {
		if strings.Contains(b.program.env["AWS_ENDPOINT_URL"], host) {
			return near
		}
	}
	return 0 // what the platform holds right
}

// noLogs are those of a platform that keeps what stages print itself.
type noLogs struct{}

func (noLogs) Append(aloft.StageRef, aloft.LogLine) {}

func (noLogs) Delete(aloft.StageRef) error { return nil }
