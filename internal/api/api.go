// Package api is the REST API over the contracts of the root package. Its OpenAPI 3.1 description, at /openapi.json, is
// generated from the handlers. Whoever reaches the handler may do everything: access is the listener's business (package
// cli serves it on a Unix socket that only the owner may open).
//
// Work that takes long (deploys, builds, plans, rollbacks, config changes) answers with a stream of [Event] values, one
// JSON object a line, that ends with a result or an error. A stream without such an end was cut. When the client closes its
// side of the connection the work is canceled, and the stream still ends with what came of it. A server that ends says so
// as the cause of its base context, an *aloft.Error, and the streams end with that.
package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/aloft-run/aloft"
)

// maxBody bounds request bodies, in bytes. The largest honest one is a config change.
const maxBody = 4 << 20

// Services is what the API gives access to. All fields but Shutdown, Upgrade, AWS and Check must be set.
type Services struct {
	Deployer aloft.Deployer
	Promoter aloft.Promoter
	Operator aloft.Operator
	Releases aloft.ReleaseStore
	Runner   aloft.Runner
	Invoker  aloft.Invoker
	Aliases  aloft.AliasStore
	Recorder aloft.Recorder
	Async    aloft.AsyncService
	Logs     aloft.LogService

	Resources  aloft.ResourceLister
	TestEvents aloft.TestEvents

	Server   ServerInfo
	Check    func(context.Context) error // looks whether the state is sound; nil means there is nothing to look at
	Shutdown func()                      // asks the server to end; it returns at once. nil refuses

	// EventSources lists the event sources of a stage's functions, and how they are. It returns NotFound if there is no stage.
	EventSources func(ctx context.Context, ref aloft.StageRef) ([]aloft.EventSource, error)

	// AWS returns the access key for AWS's clients, made anew if rotate is true. nil refuses.
	AWS func(ctx context.Context, rotate bool) (AWSCredentials, error)

	// Upgrade starts the program of this server again, which may have been replaced, and returns when the new server
	// serves in the place of this one. If it does not within the limit nothing has changed. nil refuses.
	Upgrade func(ctx context.Context, limit time.Duration) (Upgraded, error)
}

// ServerInfo describes the server to its users.
type ServerInfo struct {
	Version   string    `json:"version"`
	PID       int       `json:"pid"`
	Home      string    `json:"home"`            // directory of all state
	HTTP      string    `json:"http"`            // address of the gateway, "127.0.0.1:7070"
	HTTPS     string    `json:"https,omitempty"` // "" if there is none
	Isolation string    `json:"isolation"`       // what the engine keeps apart, in one honest line
	StartedAt time.Time `json:"startedAt"`
	Program   string    `json:"program,omitempty"` // path of the program that the server is
	Schema    int       `json:"schema,omitempty"`  // of its state
}

// New returns the API's handler.
func New(services Services) http.Handler {
	config := huma.DefaultConfig("aloft", services.Server.Version)
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	config.Transformers = []huma.Transformer{asProblem}
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[aloft.Duration](), reflect.TypeFor[string]())
	mux := http.NewServeMux()
	router := humago.New(mux, config)
	a := &handlers{Services: services, api: router}
	a.serverRoutes()
	a.stageRoutes()
	a.deployRoutes()
	a.promoteRoutes()
	a.releaseRoutes()
	a.configRoutes()
	a.tuningRoutes()
	a.functionRoutes()
	a.aliasRoutes()
	a.recordRoutes()
	a.testEventRoutes()
	a.asyncRoutes()
	a.resourceRoutes()
	a.logRoutes()
	a.runRoutes()
	a.credentialRoutes()
	mux.HandleFunc("/", noRoute)
	return mux
}

// handlers is what the handlers of all routes share.
type handlers struct {
	Services

	api huma.API
}

// operation describes a route. Every route may answer with a Problem.
func (h *handlers) operation(method, path, id, summary string) huma.Operation {
	schema := h.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary,
		MaxBodyBytes: maxBody,
		// A deadline on the connection would end long work when it passes: the server takes it for the client going away.
		BodyReadTimeout: -1,
		Responses: map[string]*huma.Response{"default": {
			Description: "What went wrong",
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
		}},
	}
}

// noRoute answers requests that no route takes.
func noRoute(w http.ResponseWriter, r *http.Request) {
	WriteProblem(w, aloft.Errorf(aloft.NotFound, "there is no %s %s", r.Method, r.URL.Path).
		WithHint("GET /openapi.json lists what there is"))
}
