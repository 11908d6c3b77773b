package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
	"github.com/aloft-run/aloft/internal/route"
)

// deployment is a release on this machine: its tree and what runs in it.
type deployment struct {
	platform  *Platform
	release   aloft.Release
	config    aloft.Config
	tree      string
	layers    map[string]string // directories of what functions see at /opt, by digest
	web       *function.Pool    // nil if the release has no web function
	workers   []*function.Pool
	handlers  map[string]*function.Pool
	static    route.Files // nil if the release has no static function
	prefix    string
	access    *access          // to resources; nil without
	resources []aloft.Resource // those of the release that this machine has
	linger    time.Duration    // it takes requests for so long after its route is gone
	gone      chan struct{}    // closed when nothing is left of it
}

// deploy unpacks a release and gets its functions ready to start. On error nothing is left.
func (p *Platform) deploy(ctx context.Context, release aloft.Release) (*deployment, error) {
	config, err := p.Unseal(ctx, release)
	if err != nil {
		return nil, fmt.Errorf("open the config of v%d: %w", release.Version, err)
	}
	d := &deployment{platform: p, release: release.Clone(), config: config, handlers: map[string]*function.Pool{}, gone: make(chan struct{})}
	if d.tree, err = p.unpack(ctx, release, release.Artifact.Digest, "v"+strconv.Itoa(release.Version)); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{d.unpackLayers, d.openAccess, d.functions} {
		if err := step(ctx); err != nil {
			d.remove()
			return nil, err
		}
	}
	return d, nil
}

// unpack extracts an artifact of a release into a new directory of a name like the given one.
func (p *Platform) unpack(ctx context.Context, release aloft.Release, digest, name string) (string, error) {
	parent := filepath.Join(p.treesDir(), release.App, release.Stage)
	if err := os.MkdirAll(parent, 0o700); err != nil { //nolint:gosec // names of apps and stages are checked where they are made
		return "", fmt.Errorf("make directory for trees: %w", err)
	}
	parent, err := filepath.EvalSymlinks(parent)
	if err != nil {
		return "", fmt.Errorf("find directory for trees: %w", err)
	}
	tree := filepath.Join(parent, name)
	for n := 2; exists(tree); n++ {
		tree = filepath.Join(parent, name+"-"+strconv.Itoa(n))
	}
	if err := p.Artifacts.Extract(ctx, digest, tree); err != nil {
		_ = os.RemoveAll(tree) //nolint:gosec // names of apps and stages are checked where they are made
		if ctx.Err() != nil {
			return "", canceled(ctx)
		}
		return "", fmt.Errorf("unpack v%d: %w", release.Version, err)
	}
	return tree, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path) //nolint:gosec // names of apps and stages are checked where they are made
	return !errors.Is(err, fs.ErrNotExist)
}

func canceled(ctx context.Context) error {
	return aloft.Errorf(aloft.Canceled, "canceled: %w", context.Cause(ctx))
}

func (p *Platform) treesDir() string { return filepath.Join(p.Dir, "trees") }

// functions makes a pool or handler of each function.
func (d *deployment) functions(context.Context) error {
	for _, f := range d.release.Tuned() {
		if err := engine.Require(d.platform.Engine, f.Isolation); err != nil {
			return err
		}
		switch f.Kind {
		case aloft.Web:
			if d.web != nil {
				return aloft.Errorf(aloft.Invalid, "the release has two web functions, %s and %s", d.web.Function.Name, f.Name).
					WithHint("one web function answers a stage's requests; make the other a worker or an app of its own")
			}
			d.web = d.pool(f)
		case aloft.Static:
			root := filepath.Join(d.tree, filepath.FromSlash(f.Root))
			if !filepath.IsLocal(filepath.FromSlash(f.Root)) && f.Root != "" {
				return aloft.Errorf(aloft.Invalid, "the directory of %s is outside the app: %s", f.Name, f.Root)
			}
			handler, err := d.platform.Static(root)
			if err != nil {
				return fmt.Errorf("serve the files of %s: %w", f.Name, err)
			}
			d.static, d.prefix = handler, f.Prefix
		case aloft.Worker:
			d.workers = append(d.workers, d.pool(f))
		case aloft.Handler:
			d.handlers[f.Name] = d.pool(f)
		default:
			return aloft.Errorf(aloft.Invalid, "%s is a function of unknown kind %q", f.Name, f.Kind)
		}
	}
	return nil
}

func (d *deployment) pool(f aloft.Function) *function.Pool {
	p, ref := d.platform, d.release.StageRef
	extensions, programs := d.extensions(f)
	return function.NewPool(function.Options{
		Extensions: extensions, Engine: p.Engine, Ports: p.ports, Stage: ref, Release: d.release.Version, Function: f,
		Own: []string{d.tree, p.instancesDir(ref)},
		Log: func(line aloft.LogLine) { p.Logs.Append(ref, line) },
		Prepare: func(id string, port int) (engine.Spec, func(), error) {
			private, err := p.private(ref, id)
			if err != nil {
				return engine.Spec{}, nil, err
			}
			spec := d.spec(f, private, port)
			if f.Kind == aloft.Handler {
				if err := d.handlerSpec(f, &spec); err != nil {
					_ = os.RemoveAll(private)
					return engine.Spec{}, nil, err
				}
				spec.Command = lambdaruntime.WithExtensions(spec.Command, programs)
			}
			leave := d.access.join(&spec)
			return spec, func() { leave(); _ = os.RemoveAll(private); p.rest.ended() }, nil
		},
	})
}

// spec is what an instance of f starts with.
func (d *deployment) spec(f aloft.Function, private string, port int) engine.Spec {
	layout := d.platform.Engine.Layout(d.tree, private)
	spec := engine.Spec{
		Command: f.Command, Dir: layout.Tree, Env: d.env(f, layout, port), Tree: d.tree, Private: private,
		Limits: limits(f), Network: network(f),
	}
	spec.Opt, _ = d.layersOf(f, layout)
	if data := d.platform.dataDir(d.release.StageRef); data != "" {
		spec.Shared = []string{data}
	}
	return spec
}

// renew replaces the web pool, which was used up, by a fresh one.
func (d *deployment) renew() { d.web = d.pool(d.web.Function) }

func (d *deployment) route(gate *function.Gate, events route.Events) *route.Route {
	r := &route.Route{Stage: d.release.StageRef, Release: d.release.Version, Prefix: d.prefix}
	if d.static != nil {
		r.Static = below(d.prefix, d.static)
	}
	if d.web != nil {
		r.Backend, r.Function, r.Timeout = gate, d.web.Function.Name, d.web.Function.Timeout.Or(0)
		r.Hidden = d.web.Function.EventsAt()
	} else {
		for _, f := range d.release.Tuned() {
			if f.Kind == aloft.Static {
				r.Function = f.Name
			}
		}
	}
	r.Events = events
	if r.Backend == nil && r.Static == nil && r.Events == nil {
		return nil
	}
	return r
}

// below serves files under a prefix of the URL path, which is no part of their names.
func below(prefix string, files route.Files) route.Files {
	prefix = strings.TrimSuffix(prefix, "/")
	if prefix == "" {
		return files
	}
	return &prefixed{Handler: http.StripPrefix(prefix, files), prefix: prefix, files: files}
}

type prefixed struct {
	http.Handler

	prefix string
	files  route.Files
}

// Has implements route.Files.
func (p *prefixed) Has(urlPath string) bool {
	rest, ok := strings.CutPrefix(urlPath, p.prefix)
	return ok && p.files.Has(rest)
}

// work starts the workers, which are kept running whatever becomes of them.
func (d *deployment) work() {
	for _, w := range d.workers {
		d.platform.after(func() {
			if d.platform.over() {
				w.Supervise()
			}
		})
	}
}

// pools are all of the deployment's.
func (d *deployment) pools() []*function.Pool {
	all := slices.Clone(d.workers)
	for _, name := range slices.Sorted(maps.Keys(d.handlers)) {
		all = append(all, d.handlers[name])
	}
	if d.web != nil {
		all = slices.Insert(all, 0, d.web)
	}
	return all
}

// stop ends all instances in peace, at once when ctx ends.
func (d *deployment) stop(ctx context.Context) {
	var wg sync.WaitGroup
	for _, pool := range d.pools() {
		wg.Go(func() { pool.Stop(ctx) })
	}
	wg.Wait()
}

// discard ends all instances at once and removes the tree.
func (d *deployment) discard() {
	for _, pool := range d.pools() {
		pool.Kill()
	}
	d.remove()
}

// remove frees what the deployment holds besides instances.
func (d *deployment) remove() {
	d.access.close()
	if c, ok := d.static.(io.Closer); ok {
		_ = c.Close()
	}
	for _, tree := range append(slices.Collect(maps.Values(d.layers)), d.tree) {
		if err := os.RemoveAll(tree); err != nil {
			d.platform.Logger.Warn("remove the tree of an old release", "tree", tree, "error", err)
		}
	}
}
