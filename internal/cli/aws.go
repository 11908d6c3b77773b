package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/awsapi"
	"github.com/aloft-run/aloft/internal/lambdaapi"
	"github.com/aloft-run/aloft/internal/local"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/route"
)

var _ route.Fallback = (*awsFront)(nil)

// awsFront answers AWS's clients, and function URLs: what comes to the server's own address.
type awsFront struct {
	keys   *awsKeys
	front  *awsapi.Front
	lambda *lambdaapi.API
}

// Takes implements route.Fallback.
func (f *awsFront) Takes(r *http.Request) bool {
	return lambdaapi.TakesHost(r.Host) || f.front.Takes(r)
}

// Serve implements route.Fallback.
func (f *awsFront) Serve(w http.ResponseWriter, r, clean *http.Request) {
	if lambdaapi.TakesHost(r.Host) {
		f.lambda.ServeURL(w, r, clean)
		return
	}
	f.front.ServeHTTP(w, r)
}

// wireAWS makes the services for AWS's clients.
func (s *server) wireAWS() {
	f := &awsFront{keys: &awsKeys{store: s.store, ring: s.keys}}
	f.lambda = lambdaapi.New(lambdaapi.Options{
		Apps: s.store, Deployer: s.deployer, Invoker: s.invoker(), Streamer: s.platform, Unseal: s.deployer.Unseal, Docs: s.store,
		Code: codeStore{s.artifacts}, HTTP: functionURLs{s.platform}, Front: func() *awsapi.Front { return f.front },
		Presign:  func(url string) (string, error) { return f.keys.presign(s.ctx, url) },
		Endpoint: s.endpoint, URL: func(id string) string { return s.local(id+lambdaapi.URLHost) + "/" },
		Dir: filepath.Join(s.home, "lambda"), Mappings: mappings{s.events}, Logger: s.logger, Objects: objects{s.resources.Buckets}, Ends: s.async.Ends,
	})
	services := map[string]awsapi.Service{lambdaService: {Handler: f.lambda, MaxBody: lambdaapi.MaxBody}}
	for name, handler := range s.resources.Set().Services(resource.Visible{}) {
		services[name] = awsapi.Service{Handler: handler, MaxBody: resource.MaxRequest}
	}
	f.front = awsapi.New(awsapi.Options{Credential: f.keys.credential, Services: services})
	s.aws = f
}

const lambdaService = "lambda"

// endpoint is where AWS's clients find the server.
func (s *server) endpoint() string {
	host, port, err := net.SplitHostPort(s.gateway.HTTPAddr())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = defaultHost
	}
	return "http://" + net.JoinHostPort(host, port)
}

// awsCredentials is what AWS's clients need.
func (s *server) awsCredentials(ctx context.Context, rotate bool) (api.AWSCredentials, error) {
	c, err := s.aws.keys.current(ctx, rotate)
	if err != nil {
		return api.AWSCredentials{}, err
	}
	endpoints := map[string]string{}
	for service := range s.aws.front.Services {
		endpoints[service] = s.endpoint()
	}
	return api.AWSCredentials{AccessKeyID: c.KeyID, SecretAccessKey: c.Secret, Region: awsapi.Region, Endpoints: endpoints}, nil
}

// codeStore is the artifact store as lambdaapi sees it.
type codeStore struct{ store *artifact.Store }

// Open implements lambdaapi.Code.
func (c codeStore) Open(digest string) (lambdaapi.Artifact, error) { return c.store.Open(digest) }

// Unzip implements lambdaapi.Code.
func (c codeStore) Unzip(ctx context.Context, from io.ReaderAt, size int64, to string, limits lambdaapi.ZipLimits) error {
	return artifact.Unzip(ctx, from, size, to, artifact.Limits(limits))
}

// functionURLs is the platform as lambdaapi sees it.
type functionURLs struct{ platform *local.Platform }

// Serve implements lambdaapi.HTTP.
func (u functionURLs) Serve(w http.ResponseWriter, r *http.Request, to lambdaapi.HTTPTarget) {
	handler, err := u.platform.URLHandler(to.StageRef, to.Function, local.FunctionURL{
		ID: to.ID, Qualifier: to.Qualifier, Signed: to.Signed, Whole: to.Whole, Header: to.Header,
	})
	if err != nil {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	handler.ServeHTTP(w, r)
}

// presigned is how long an URL for a download is good for, as on Lambda.
const presigned = 10 * time.Minute

func (k *awsKeys) presign(ctx context.Context, url string) (string, error) {
	c, err := k.current(ctx, false)
	if err != nil {
		return "", err
	}
	return awsapi.Presign(c, lambdaService, strings.TrimSuffix(url, "?"), time.Now(), presigned)
}
