package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/api/apitest"
)

func handler(t *testing.T) http.Handler {
	t.Helper()
	fake := &apitest.Fake{}
	return api.New(fake.Services("/home/of/aloft", nil))
}

func send(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	h.ServeHTTP(w, r)
	return w
}

func deploySource(t *testing.T, h http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "server"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(api.Source{Dir: dir})
	return send(h, "POST", "/v1/apps/shop/stages/staging/deploys", string(body))
}

func TestStreamEndsWithResult(t *testing.T) {
	w := deploySource(t, handler(t))
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("deploy answers %d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	var first, last api.Event
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || first.Type != "step_started" || first.Step != aloft.StepDetect {
		t.Errorf("the first line is %s", lines[0])
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Type != api.TypeResult {
		t.Errorf("the last line is %s", lines[len(lines)-1])
	}
}

func TestProblems(t *testing.T) {
	h := handler(t)
	tests := map[string]struct {
		method, path, body string
		status             int
		code               aloft.Code
	}{
		"no route":         {"GET", "/v1/nothing", "", 404, aloft.NotFound},
		"wrong method":     {"DELETE", "/v1/health", "", 404, aloft.NotFound},
		"bad app":          {"GET", "/v1/apps/UP/stages", "", 422, aloft.Invalid},
		"bad stage":        {"POST", "/v1/apps/shop/stages/Prod/stop", "", 422, aloft.Invalid},
		"no such app":      {"GET", "/v1/apps/shop/stages", "", 404, aloft.NotFound},
		"bad version":      {"GET", "/v1/apps/shop/stages/staging/releases/x", "", 422, aloft.Invalid},
		"negative limit":   {"GET", "/v1/apps/shop/stages/staging/releases?limit=-1", "", 422, aloft.Invalid},
		"no body":          {"POST", "/v1/apps/shop/stages/staging/deploys", "", 400, aloft.Invalid},
		"no JSON":          {"POST", "/v1/apps/shop/stages/staging/deploys", "{", 400, aloft.Invalid},
		"wrong type":       {"POST", "/v1/apps/shop/stages/staging/deploys", `{"dir":1}`, 422, aloft.Invalid},
		"unknown field":    {"POST", "/v1/apps/shop/stages/staging/deploys", `{"dir":"/a","x":1}`, 422, aloft.Invalid},
		"relative dir":     {"POST", "/v1/apps/shop/stages/staging/deploys", `{"dir":"a"}`, 422, aloft.Invalid},
		"too large":        {"PATCH", "/v1/apps/shop/stages/staging/config", `{"set":{"A":"` + strings.Repeat("x", 5<<20) + `"}}`, 413, aloft.Invalid},
		"any app has none": {"POST", "/v1/apps/-/stages/staging/stop", "", 422, aloft.Invalid},
		"no shutdown":      {"POST", "/v1/server/stop", "", 409, aloft.Conflict},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := send(h, test.method, test.path, test.body)
			var p api.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != test.status || p.Status != test.status || p.Code != test.code || p.Detail == "" || p.Title == "" {
				t.Errorf("answer %d %+v, want %d %s", w.Code, p, test.status, test.code)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type is %q", got)
			}
		})
	}
}

// TestProblemsCarryNoValues: what is wrong with a body is said without the body, which may hold secrets.
func TestProblemsCarryNoValues(t *testing.T) {
	h := handler(t)
	for name, body := range map[string]string{
		"cut off":       `{"set":{"A":"canary"`,
		"wrong type":    `{"set":{"A":["canary"]}}`,
		"wrong types":   `{"set":["canary"],"unset":"canary"}`,
		"unknown field": `{"set":{"A":"canary"},"sets":"canary"}`,
		"text":          `canary`,
		"deep":          strings.Repeat("[", 1<<20) + `"canary"`,
	} {
		t.Run(name, func(t *testing.T) {
			w := send(h, "PATCH", "/v1/apps/shop/stages/staging/config", body)
			if w.Code < 400 || w.Code > 422 || strings.Contains(w.Body.String(), "canary") || w.Body.Len() > 1000 {
				t.Errorf("it answers %d with %d bytes: %.300s", w.Code, w.Body.Len(), w.Body)
			}
			if !strings.Contains(w.Body.String(), "body") {
				t.Errorf("it does not say where: %.300s", w.Body)
			}
		})
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	seen := map[int]aloft.Code{}
	for _, code := range []aloft.Code{aloft.Invalid, aloft.NotFound, aloft.Conflict, aloft.Failed, aloft.Unavailable, aloft.Canceled, aloft.Internal} {
		status := api.Status(code)
		if other, ok := seen[status]; ok {
			t.Errorf("%s and %s share status %d", code, other, status)
		}
		seen[status] = code
	}
}

func TestReleasesCarryNoValues(t *testing.T) {
	h := handler(t)
	deploySource(t, h)
	if w := send(h, "PATCH", "/v1/apps/shop/stages/staging/config", `{"set":{"SECRET":"canary"}}`); w.Code != 200 || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("configure answers %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"releases", "releases/2"} {
		w := send(h, "GET", "/v1/apps/shop/stages/staging/"+path, "")
		// JSON shows bytes in base64: look for that of "sealed" too.
		if w.Code != 200 || strings.Contains(w.Body.String(), "canary") || strings.Contains(w.Body.String(), "c2VhbGVk") {
			t.Errorf("%s answers %d %s", path, w.Code, w.Body)
		}
		if !strings.Contains(w.Body.String(), "SECRET") || !strings.Contains(w.Body.String(), "FROM_SOURCE") {
			t.Errorf("%s lacks the names: %s", path, w.Body)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	w := send(handler(t), "GET", "/openapi.json", "")
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	stage := "/v1/apps/{app}/stages/{stage}"
	for path, methods := range map[string][]string{
		"/v1/health": {"get"}, "/v1/apps": {"get"}, "/v1/apps/{app}": {"delete"}, "/v1/apps/{app}/stages": {"get"},
		stage: {"delete"}, stage + "/deploys": {"post"}, stage + "/builds": {"post"}, stage + "/plans": {"post"},
		stage + "/rollbacks": {"post"}, stage + "/promotions": {"post"}, stage + "/promotables/{version}": {"get"}, "/v1/artifacts/{digest}": {"get"}, stage + "/releases": {"get"}, stage + "/releases/{version}": {"get"},
		stage + "/config": {"get", "patch"}, stage + "/tuning": {"patch"}, stage + "/restarts": {"post"}, stage + "/functions/{function}/invocations": {"post"}, stage + "/aliases": {"get", "post", "put", "delete"},
		stage + "/functions/{function}/recording": {"put"}, stage + "/recording": {"get"}, stage + "/recordings": {"get"}, stage + "/recordings/{id}": {"get"},
		stage + "/test-events": {"get"}, stage + "/functions/{function}/test-events/{name}": {"put", "delete"}, stage + "/event-sources": {"get"}, stage + "/resources": {"get"}, stage + "/domains": {"put"}, stage + "/stop": {"post"}, stage + "/logs": {"get"},
		stage + "/pending-events": {"get"}, stage + "/dead-letters": {"get"}, stage + "/dead-letters/{id}": {"get"},
		stage + "/dead-letters/replays": {"post"}, stage + "/dead-letters/removals": {"post"},
		stage + "/run": {"get"}, "/v1/server/stop": {"post"}, "/v1/credentials/aws": {"post"},
	} {
		for _, method := range methods {
			if doc.Paths[path][method] == nil {
				t.Errorf("%s %s is not described", method, path)
			}
		}
	}
}
