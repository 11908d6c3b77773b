// Package lambdaapi is the REST API of AWS Lambda over the contracts of the root package, so that AWS's own clients cannot
// tell the server from Lambda. The model that botocore ships is its specification. A function that is created here is an app
// with one handler function; one that aloft deployed is listed and invoked here by its name as Lambda has it.
//
// Signatures are package awsapi's business: who reaches the handler may do everything. What Lambda keeps with a function and
// nothing here acts on (roles, policies, tracing, networks) is stored and given back.
package lambdaapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awsapi"
)

// Options are what an API works with. All are needed but Objects, Mappings, Logger and Ends.
type Options struct {
	Apps     aloft.AppService
	Deployer Deployer
	Invoker  aloft.Invoker
	Streamer Streamer
	Unseal   func(ctx context.Context, release aloft.Release) (aloft.Config, error)
	Docs     Docs
	Code     Code
	HTTP     HTTP
	Front    func() *awsapi.Front             // verifies requests to function URLs
	Presign  func(url string) (string, error) // makes an URL at which a GET is allowed
	Endpoint func() string                    // where this API is: "http://127.0.0.1:7070"
	URL      func(id string) string           // the address of a function URL, with a slash at its end
	Dir      string                           // for what is being unpacked, and for layers
	Objects  Objects                          // where S3Bucket and S3Key lead; nil: nowhere
	Mappings Mappings                         // runs event source mappings; nil: they are stored only
	Logger   *slog.Logger                     // nil: none

	// Ends reports whether an event is refused because it runs in circles; nil: none is.
	Ends func(ctx context.Context, input aloft.InvokeInput) bool
}

// Deployer changes what functions run.
type Deployer interface {
	Package(ctx context.Context, input aloft.PackageInput, report aloft.Reporter) (aloft.Deployment, error)
	Adjust(ctx context.Context, input aloft.AdjustInput, report aloft.Reporter) (aloft.Deployment, error)
	Destroy(ctx context.Context, ref aloft.StageRef) error
	CreateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error)
	UpdateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error)
	DeleteAlias(ctx context.Context, ref aloft.StageRef, function, name string) error
}

// Streamer has functions work on events whose answers are read while they come.
type Streamer interface {
	InvokeStream(ctx context.Context, input aloft.InvokeInput) (aloft.InvokedStream, error)
}

// Docs keeps small documents by name, as sqlite.Store does.
type Docs interface {
	Meta(ctx context.Context, name string) ([]byte, error)
	Metas(ctx context.Context, prefix string) (map[string][]byte, error)
	SetMeta(ctx context.Context, name string, value []byte) error
	DeleteMeta(ctx context.Context, name string) error
}

// API is an http.Handler. Make one with New.
type API struct {
	Options

	mux *http.ServeMux
	mu  sync.Mutex // held while documents are changed

	declaredURLs index
	heldURLs     atomic.Pointer[map[string]heldURL]
	leftOut      sync.Map // what it was said of
	reservedMu   sync.RWMutex
	reserved     map[functionKey]reservation
}

var _ http.Handler = (*API)(nil)

// New returns an API.
func New(options Options) *API {
	a := &API{Options: options, mux: http.NewServeMux(), reserved: map[functionKey]reservation{}}
	a.functionRoutes()
	a.settingRoutes()
	a.layerRoutes()
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeFailure(w, &Failure{"UnknownOperationException", http.StatusNotFound, "There is no such operation."})
	})
	return a
}

// MaxBody is how long a request may be, in bytes: a zip of 50 MB in base64, as on Lambda.
const MaxBody = 70167211

// now is the time as documents hold it.
func now() time.Time { return time.Now().UTC().Round(time.Millisecond) }

// timeText is a time as Lambda writes it.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// seconds is a time as the protocol writes those that are numbers.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
