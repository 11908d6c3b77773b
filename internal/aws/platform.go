// Package aws is the [aloft.Platform] that is CloudFormation and Lambda: one stack per app, stage and region, whose template
// package stack makes, beside one stack per region that the account has for all of them. What it is asked to do is done again
// without harm, and what an earlier run left halfway is gone on with or repaired first: see [Platform.Apply]. Buckets, records
// and config in clear reach it as the functions of its [Options]; it knows no builder, no store and no command line.
package aws

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// Objects is the account's bucket in one region.
type Objects interface {
	// Has reports whether a key is there.
	Has(ctx context.Context, key string) (bool, error)
	// Put stores size bytes under a key. open is called again if it has to start anew.
	Put(ctx context.Context, key string, size int64, open func() (io.ReadCloser, error)) error
	// Get returns NotFound if the key is not there.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Delete deletes a key. One that is not there is no error.
	Delete(ctx context.Context, key string) error
	// Empty deletes all objects of a bucket of the account, in all their versions. A bucket that is not there is empty.
	Empty(ctx context.Context, bucket string) error
}

// Releases tells what the stages have; an [aloft.AppService] does. One with a method Current is asked for a stage and its current
// release at once.
type Releases interface {
	Stage(ctx context.Context, ref aloft.StageRef) (aloft.Stage, error)
	Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error)
	Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error)
}

// Shim is the layer that runs functions in Lambda.
type Shim struct {
	Digest string // of Zip, lower-case hex
	Zip    []byte
}

// Options are the parts a Platform works with. All are needed unless said otherwise.
type Options struct {
	Session  *Session
	Releases Releases
	Objects  func(region string) Objects
	// Render is [stack.Render] with the kinds of resources and sources filled in.
	Render func(stack.Input) (stack.Output, error)
	// Stores is [stack.Stores], likewise. Only Resources needs it.
	Stores func(stack.Input) ([]stack.Store, error)
	// Artifact opens an artifact of this machine. It returns NotFound if it is not here; it may be in the bucket.
	Artifact func(digest string) (io.ReadCloser, int64, error)
	// Shim returns the layer for an architecture, [aloft.ARM64] or [aloft.X8664].
	Shim   func(ctx context.Context, architecture string) (Shim, error)
	Unseal func(ctx context.Context, release aloft.Release) (aloft.Config, error)

	// RunLocal runs a command with a release's code and config on this machine: hooks. nil: they are refused.
	RunLocal func(ctx context.Context, release aloft.Release, input aloft.RunInput) (int, error)
	// Client asks public URLs; nil means one that waits 10 s. Tests reach an emulator with it.
	Client *http.Client
	// Poll is how long to wait between two looks at what AWS does; 0 means 2 s.
	Poll   time.Duration
	Logger *slog.Logger // nil: none
}

// Platform deploys to AWS. It holds no state of stages: that is in the account.
type Platform struct {
	Options

	mu       sync.Mutex
	regions  map[string]*region
	accounts map[string]bool // regions whose account stack was seen to be right
}

var _ aloft.Platform = (*Platform)(nil)

const (
	defaultPoll  = 2 * time.Second
	probeTimeout = 10 * time.Second
)

// New returns a Platform.
func New(options Options) *Platform {
	if options.Poll == 0 {
		options.Poll = defaultPoll
	}
	if options.Client == nil {
		options.Client = &http.Client{
			Timeout:       probeTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Platform{Options: options, regions: map[string]*region{}, accounts: map[string]bool{}}
}

// StackName is the name of the stack that a release is in, or is to be in.
func StackName(release aloft.Release) string { return release.AWS.StackName(release.StageRef) }

// pause waits between two looks at AWS. It returns the error of ctx if that ends first.
func (p *Platform) pause(ctx context.Context) error { return rest(ctx, p.Poll) }

// rest waits. If ctx ends first it returns why: that the lock is lost, or the error of ctx.
func rest(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return cmp.Or(lostLock(ctx), ctx.Err())
	case <-timer.C:
		return nil
	}
}

func (p *Platform) config(region string) sdk.Config { return p.Session.In(region) }
