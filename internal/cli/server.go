package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/async"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/events"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
	"github.com/aloft-run/aloft/internal/local"
	"github.com/aloft-run/aloft/internal/logs"
	"github.com/aloft-run/aloft/internal/record"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/seal"
	"github.com/aloft-run/aloft/internal/sqlite"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
	"github.com/aloft-run/aloft/internal/standard"
)

// serverOptions are what a server is made of. The home directory exists and is locked.
type serverOptions struct {
	serveOptions
	isolation

	home        string
	args        []string // with which this process was started
	env         map[string]string
	log         io.Writer
	shutdown    func()
	wrapPut     func(PutFunc) PutFunc
	wrapInvoker func(aloft.Invoker) aloft.Invoker
	trusted     []netip.Prefix // proxies in front

	roomPerStage int64 // bytes of its resources, and of events that wait
	limits       gateway.Limits
	lock         *os.File // of the home
	before       *before  // the server whose place this one takes; nil if there is none
	background   bool     // nobody watches this process
}

// server is all parts of aloft, wired.
type server struct {
	serverOptions

	ctx       context.Context // ends when the server is to end
	names     homeNames
	logger    *slog.Logger
	store     *sqlite.Store
	queues    *messages.Store // nil while only the server before this one has it
	keys      *seal.Keyring
	artifacts *artifact.Store
	journal   journal
	resources *standard.Resources
	engine    engine.Engine
	table     route.Table
	platform  *local.Platform
	events    *events.Runner
	async     *async.Queue
	deployer  *deploy.Deployer
	records   *record.Store
	aws       *awsFront
	gateway   *gateway.Gateway
	api       *http.Server
	calls     *calls
	listener  *api.Socket
	stopCalls func() // ends what API calls are doing

	handing  sync.Mutex     // held while another server takes this one's place
	next     *next          // that has taken it
	retiring sync.WaitGroup // what this one still has to do then

	closers []func(context.Context) error // in order of opening
}

// newServer opens the state, starts the gateway and what ran before, and listens for the API. Either all of it works or
// nothing is left running.
func newServer(ctx context.Context, options serverOptions) (*server, error) {
	s := &server{serverOptions: options, ctx: ctx, logger: slog.New(slog.NewTextHandler(options.log, nil))}
	s.names = homeNames{home: options.home}
	steps := []func(context.Context) error{
		s.openState, s.sweepNames, s.openEngine, s.wire, s.startGateway, s.restore, s.listen, s.take,
	}
	if s.before != nil {
		s.names.second = !s.before.Second
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
		}
	}
	return s, nil
}

func (s *server) path(name string) string { return filepath.Join(s.home, name) }

// openState opens what is on the disk.
func (s *server) openState(ctx context.Context) (err error) {
	if err := s.checkHome(); err != nil {
		return err
	}
	if s.store, err = sqlite.Open(ctx, s.path(stateFile)); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.store.Close() })
	s.onClose(s.closeQueues)
	if err := s.store.SetVersion(ctx, thisVersion().Version); err != nil {
		return err
	}
	if err := s.openKeys(ctx); err != nil {
		return err
	}
	if s.artifacts, err = artifact.Open(s.path("artifacts")); err != nil {
		return err
	}
	if s.resources, err = standard.OpenResources(ctx, standard.ResourceOptions{
		Dir: s.path("resources"), Shared: s.before != nil, Most: s.roomPerStage, Logger: s.logger,
	}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.resources.Close() })
	s.onClose(func(context.Context) error { return s.journal.Close() })
	if s.before != nil { // they are its to write
		return nil
	}
	if err := s.openQueues(ctx); err != nil {
		return err
	}
	return s.openLogs()
}

func (s *server) openLogs() error {
	store, err := logs.Open(s.path("logs"), logs.Options{})
	if err == nil {
		s.journal.own(store)
	}
	return err
}

// checkHome refuses a home that lost its database: with a new one, all artifacts would count as needed by no release.
func (s *server) checkHome() error {
	_, err := os.Lstat(s.path(stateFile))
	artifacts, _ := fs.Glob(os.DirFS(s.home), "artifacts/??/*")
	if len(artifacts) == 0 || !errors.Is(err, fs.ErrNotExist) {
		return nil // sqlite says what else may be wrong
	}
	return aloft.Errorf(aloft.Conflict, "the database %s is missing, but there are artifacts of releases", s.path(stateFile)).
		WithHint("put a backup of the database in its place; to begin anew, move %s aside", s.path("artifacts"))
}

// stateFile is the database, below the home directory.
const stateFile = "state/aloft.db"

// openKeys opens the master key, which lies apart from the state, and makes sure that it is the one that sealed it.
func (s *server) openKeys(ctx context.Context) (err error) {
	const checkName = "master-key"
	if s.keys, err = seal.Open(s.path("keys")); err != nil {
		return err
	}
	check, err := s.store.Meta(ctx, checkName)
	if err != nil {
		return err
	}
	if check != nil {
		return s.keys.Verify(check)
	}
	if check, err = s.keys.Check(); err != nil {
		return err
	}
	return s.store.SetMeta(ctx, checkName, check)
}

// openEngine opens what runs apps and builds.
func (s *server) openEngine(ctx context.Context) (err error) {
	if err := lambdaruntime.Install(s.names.runtimes()); err != nil { // before: sandboxes see it
		return err
	}
	if s.engine, err = openEngine(ctx, s.names, s.env, s.isolation, s.logger); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { closeEngine(s.engine); return nil })
	return nil
}

// wire makes the services; nothing runs yet.
func (s *server) wire(context.Context) error {
	s.records = record.New(s.path("records"), func(ctx context.Context, ref aloft.StageRef, name string) error {
		return s.deployer.CheckHandler(ctx, ref, name)
	})
	s.platform = local.New(local.Options{
		Engine: s.engine, Table: &s.table, Artifacts: s.artifacts, Logs: &s.journal, Dir: s.names.local(), Data: s.path("data"),
		Releases: s.store, Recorder: s.records, Unseal: func(ctx context.Context, r aloft.Release) (aloft.Config, error) { return s.deployer.Unseal(ctx, r) },
		Reserved: s.reserved, Hosts: hosts, BaseEnv: appEnv(s.env), Runtimes: s.names.runtimes(), Static: staticFiles, Stores: s.resources.Set(), Logger: s.logger, Before: s.before.platform(),
	})
	s.wireAsync()
	sources := standard.EventSources(s.resources.Sourced())
	s.events = events.New(events.Options{
		Sources: sources, Invoker: s.invoker(), Log: s.journal.Append, Logger: s.logger, Physical: physical, Ends: s.async.Ends, Reserved: s.reserved,
		Allowed: s.resources.Allowed(sources), Paused: true, // until events can be taken
	})
	s.onClose(s.events.Close)
	s.onClose(s.endTraffic)
	put := s.artifacts.Put
	if s.wrapPut != nil {
		put = s.wrapPut(put)
	}
	s.deployer = deploy.New(deploy.Options{
		Apps: s.store, Platform: &events.Platform{Under: stages{s.platform, s.async}, Runner: s.events}, Artifacts: s.artifacts,
		Buildpacks: standard.Buildpacks(), Sources: sources, Allowed: s.resources.Allowed(sources), Engine: s.engine,
		FunctionURLs: func(ctx context.Context, r aloft.Release) map[string]string { return s.aws.lambda.URLs(ctx, r) },
		Sealer:       s.keys, Logs: &s.journal, Recordings: s.records, URL: s.url, Dir: s.path("deploy"), BuildEnv: buildEnv(s.env), Logger: s.logger, Put: put,
	})
	s.wireAWS()
	return nil
}

// take begins to serve: hosts lead to their stages by now, or the first requests would find none.
func (s *server) take(ctx context.Context) error {
	if s.before != nil {
		return s.takeOver(ctx)
	}
	if err := s.gateway.Take(); err != nil {
		return err
	}
	if err := s.gateway.TakePackets(); err != nil {
		return err
	}
	if err := s.beginEvents(ctx); err != nil {
		return err
	}
	s.events.Resume(nil)
	return nil
}

func (s *server) restore(ctx context.Context) error {
	if err := s.aws.lambda.RestoreReserved(ctx); err != nil {
		return err
	}
	if err := s.deployer.Restore(ctx); err != nil {
		return err
	}
	return s.aws.lambda.RestoreMappings(ctx)
}

// lastAnswers is how long requests that are there when the server ends are waited for before their apps are told.
const lastAnswers = time.Second

// endTraffic ends the gateway and what runs behind it. Requests that are there are answered first; then both end together:
// streams end when the platform's drain time is over, and only then can the gateway be done.
func (s *server) endTraffic(ctx context.Context) error {
	s.events.Halt()
	s.async.Halt()
	var wg sync.WaitGroup
	var gatewayErr error
	if s.gateway != nil {
		last, cancel := context.WithTimeout(ctx, lastAnswers)
		s.gateway.Quiesce(last)
		cancel()
		wg.Go(func() { gatewayErr = s.gateway.Close(ctx) })
	}
	err := s.platform.Close(ctx)
	wg.Wait()
	return errors.Join(gatewayErr, err)
}

func (s *server) onClose(f func(context.Context) error) { s.closers = append(s.closers, f) }

// close ends everything, the last opened first. When ctx ends it waits no more for requests and apps.
func (s *server) close(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(s.closers) {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}

// physical is the name on this server of a resource that a release declares.
func physical(release aloft.Release, kind, name string) string {
	for _, r := range release.Resources {
		if r.Type == kind && r.Name == name {
			return release.ResourceName(r)
		}
	}
	return release.FunctionName(name)
}
