package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/semaphore"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awsapi"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/resource"
)

// resourceAddress is where sandboxes with a network of their own find the APIs of their resources. Nothing known listens
// on this port by itself.
const resourceAddress = "127.0.0.1:29001"

// access is how the instances of a deployment reach its resources: at an address of the sandbox's own network, where nobody
// else can ask; or through the platform's door, where who asks is told by the signature. Nil is no access.
type access struct {
	deployment *deployment
	handler    http.Handler
	endpoint   string
	as         resource.Credentials
	server     *http.Server // of sandboxes' own networks
	serving    sync.WaitGroup
}

var _ aloft.ResourceLister = (*Platform)(nil)

// Resources implements aloft.ResourceLister.
func (p *Platform) Resources(ctx context.Context, ref aloft.StageRef) ([]aloft.ResourceStatus, error) {
	s := p.known(ref)
	if s == nil {
		return nil, aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	s.mu.Lock()
	declared := s.release.Clone().Resources
	s.mu.Unlock()
	return p.Stores.List(ctx, ref, declared)
}

// openAccess makes what the release declares, and the way to it.
func (d *deployment) openAccess(ctx context.Context) error {
	p, r := d.platform, d.release
	var err error
	if d.resources, err = d.here(); err != nil || len(d.resources) == 0 {
		return err
	}
	if err := p.Stores.Provision(ctx, r.StageRef, d.resources); err != nil {
		return err
	}
	a := &access{
		deployment: d, handler: bounded(p.Stores.Handler(resource.VisibleTo(r))), endpoint: "http://" + resourceAddress,
		as: resource.Credentials{ID: "AKIA" + rand.Text()[:16], Secret: rand.Text() + rand.Text()[:14]},
	}
	if p.Engine.Layout("", "").OwnNetwork {
		a.server = newResourceServer(a.handler, p.Logger)
	} else {
		address, err := p.door.let(a)
		if err != nil {
			return err
		}
		a.endpoint = "http://" + address
	}
	d.access = a
	return nil
}

// What an app may ask for at once, so that one cannot take the server's memory.
const (
	resourceConnections = 512
	resourceStreams     = 32       // of a connection of HTTP/2
	resourceBodies      = 64 << 20 // bytes of requests that are read as a whole
)

// bounded lets requests of one app wait while those before them hold too much memory.
func bounded(h http.Handler) http.Handler {
	bodies := semaphore.NewWeighted(resourceBodies)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := r.ContentLength
		if resource.IsStreamed(r) {
			size = 0
		} else if size < 0 || size > resource.MaxRequest {
			size = resource.MaxRequest // more is not read
		}
		if bodies.Acquire(r.Context(), size) != nil {
			return // the client is gone
		}
		defer bodies.Release(size)
		h.ServeHTTP(w, r)
	})
}

// restoreOptions gives the resources of the release that serves its options again, after another one failed.
func (p *Platform) restoreOptions(ctx context.Context, s *stage) {
	d := s.current()
	if d == nil || len(d.resources) == 0 {
		return
	}
	if err := p.Stores.Provision(context.WithoutCancel(ctx), d.release.StageRef, d.resources); err != nil {
		p.Logger.Warn("restore the options of resources", "stage", d.release.StageRef.String(), "error", err)
	}
}

// newResourceServer serves h. Who asks is an app.
func newResourceServer(h http.Handler, logger *slog.Logger) *http.Server {
	const idle = 2 * time.Minute
	return &http.Server{
		Handler: h, ReadHeaderTimeout: idle, IdleTimeout: idle, Protocols: resource.Protocols(),
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: resourceStreams},
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// vars are the variables by which functions find the resources.
func (a *access) vars() map[string]string {
	if a == nil {
		return nil
	}
	return resource.Env(a.deployment.release.StageRef, a.deployment.resources, a.endpoint, a.as)
}

// join lets an instance reach the resources. Leave must be called when it has ended.
func (a *access) join(spec *engine.Spec) (leave func()) {
	if a == nil {
		return func() {}
	}
	if a.server == nil {
		spec.Services = append(spec.Services, &engine.Service{Address: strings.TrimPrefix(a.endpoint, "http://")})
		return func() {}
	}
	var listener net.Listener
	spec.Services = append(spec.Services, &engine.Service{Address: resourceAddress, Take: func(l net.Listener) {
		listener = l
		a.serving.Go(func() { _ = a.server.Serve(netutil.LimitListener(l, resourceConnections)) }) // it ends with the listener
	}})
	return func() {
		if listener != nil {
			_ = listener.Close()
		}
	}
}

// close ends all access.
func (a *access) close() {
	if a == nil {
		return
	}
	a.deployment.platform.door.shut(a)
	if a.server != nil {
		_ = a.server.Close()
		a.serving.Wait()
	}
}

// doorConnections bounds the connections of all apps together that share an address.
const doorConnections = 8 * resourceConnections

// door is one address on the machine's loopback for all sandboxes that have no network of their own. It is opened with the
// first that needs it.
type door struct {
	mu      sync.Mutex
	server  *http.Server
	address string
	done    chan struct{}
	guests  map[string]*access // by access key
	front   *awsapi.Front      // hands to pass what one of them has signed
}

// let lets requests with the access key of a through to its resources, and returns the address.
func (d *door) let(a *access) (address string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server == nil {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return "", fmt.Errorf("listen for resources: %w", err)
		}
		d.server, d.address, d.guests, d.done = newResourceServer(d, a.deployment.platform.Logger), l.Addr().String(), map[string]*access{}, make(chan struct{})
		d.front = d.newFront()
		server, done := d.server, d.done
		go func() {
			defer close(done)
			if err := server.Serve(netutil.LimitListener(l, doorConnections)); !errors.Is(err, http.ErrServerClosed) {
				a.deployment.platform.Logger.Warn("the address of resources is gone", "error", err)
			}
		}()
	}
	d.guests[a.as.ID] = a
	return d.address, nil
}

func (d *door) shut(a *access) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.guests, a.as.ID)
}

func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server != nil {
		_ = d.server.Close()
		<-d.done
		d.server = nil
	}
}

func (d *door) newFront() *awsapi.Front {
	services := map[string]awsapi.Service{}
	for _, name := range resource.ServiceNames() {
		services[name] = awsapi.Service{Handler: http.HandlerFunc(d.pass), MaxBody: resource.MaxRequest}
	}
	return awsapi.New(awsapi.Options{Services: services, Credential: func(_ context.Context, id string) (awsapi.Credential, error) {
		guest := d.guest(id)
		if guest == nil {
			return awsapi.Credential{}, awsapi.ErrUnknown
		}
		return awsapi.Credential{KeyID: guest.as.ID, Secret: guest.as.Secret}, nil
	}})
}

// guest is who has an access key; nil is nobody.
func (d *door) guest(id string) *access {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.guests[id]
}

// ServeHTTP implements http.Handler. The signature tells who asks: no other process of the machine can make it, unless it can read
// the environment of the app's.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	front := d.front
	d.mu.Unlock()
	front.ServeHTTP(w, r)
}

// pass answers a request whose signature is good.
func (d *door) pass(w http.ResponseWriter, r *http.Request) {
	id, _, _ := strings.Cut(resource.Scope(r), "/")
	guest := d.guest(id)
	if guest == nil { // it has left meanwhile
		http.Error(w, "the app has ended", http.StatusForbidden)
		return
	}
	guest.handler.ServeHTTP(w, r)
}
