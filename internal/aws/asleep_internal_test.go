package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/mem"
	"github.com/aloft-run/aloft/internal/stack"
)

// sleepy answers for a function of Lambda that has a version 1, which may sleep. It publishes versions as Lambda does: only of what the newest one is not.
type sleepy struct {
	state       string // of version 1
	newest      int
	changed     bool // since the newest version
	deaf        bool // a description is no change
	description string
	said        []string // what was asked for, but for looks
}

func (s *sleepy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what, _ := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/hello-web/")
	var in struct{ Description string }
	text, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(text, &in)
	out := map[string]any{"State": "Active", "LastUpdateStatus": "Successful", "Version": "$LATEST", "Description": s.description}
	switch r.Method + " " + what {
	case "GET configuration":
		if r.URL.Query().Get("Qualifier") == "1" {
			out["State"] = s.state
		}
	case "PUT code":
		s.said = append(s.said, "code")
	case "PUT configuration":
		s.said = append(s.said, "describe "+in.Description)
		s.changed = s.changed || !s.deaf && in.Description != s.description
		s.description = in.Description
	case "POST versions":
		if s.changed {
			s.newest++
			s.changed = false
		}
		out["Version"] = fmt.Sprint(s.newest)
		if s.newest == 1 {
			out["State"] = s.state
		}
		s.said = append(s.said, "publish "+fmt.Sprint(s.newest))
	default:
		s.said = append(s.said, r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusNotImplemented)
	}
	_ = json.NewEncoder(w).Encode(out)
}

// recorded is a bucket with records of what releases had: each its own version.
type recorded struct{ Objects }

func (recorded) Get(_ context.Context, key string) (io.ReadCloser, error) {
	number := strings.TrimSuffix(path.Base(key), ".json")
	return io.NopCloser(strings.NewReader(`{"regions": {"eu-west-1": {"fingerprint": "f", "versions": {"web": "` + number + `"}}}}`)), nil
}

// TestAsleep returns to a version that nobody called for long. Lambda has it no more: who leads requests there has them refused.
func TestAsleep(t *testing.T) {
	t.Parallel()
	const sha = "3q2+7w=="
	for _, test := range []struct {
		name    string
		lambda  *sleepy
		version string
		said    []string
		reports string
	}{
		{"it is awake", &sleepy{state: "Active", newest: 1}, "1", nil, ""},
		{"it was published again before", &sleepy{state: "Inactive", newest: 2}, "2", nil, ""},
		{"there is a newer one", &sleepy{state: "Inactive", newest: 4, changed: true}, "5", []string{"code", "publish 5"}, "to sleep"},
		{
			"it is the newest", &sleepy{state: "Inactive", newest: 1, description: "web of hello"}, "2",
			[]string{"code", "publish 1", "describe v1 again", "publish 2", "describe web of hello"},
			"published  hello-web:2",
		},
		{
			"it is the newest, and stays it", &sleepy{state: "Inactive", newest: 1, deaf: true}, "1",
			[]string{"code", "publish 1", "describe v1 again", "publish 1", "describe "},
			"refuses its first requests",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.lambda)
			defer server.Close()
			config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
			store, ref := &mem.Store{}, aloft.StageRef{App: "hello", Stage: "production"}
			must(t, store.CreateApp(t.Context(), aloft.App{Name: ref.App}))
			must(t, store.CreateStage(t.Context(), aloft.Stage{StageRef: ref}))
			releaseOf := aloft.Release{StageRef: ref, AWS: &aloft.AWS{Regions: []string{"eu-west-1"}}, Artifact: aloft.Artifact{Digest: "deadbeef"}}
			release, err := store.CreateRelease(t.Context(), releaseOf)
			must(t, err)
			must(t, store.FinishRelease(t.Context(), ref, release.Version, ""))
			p := New(Options{Session: &Session{Config: config}, Releases: store, Poll: time.Millisecond, Objects: func(string) Objects { return recorded{} }})
			report := &said{}
			r := &regional{
				region: p.in("eu-west-1"), deployment: &deployment{platform: p, release: release, report: report}, fingerprint: "f",
				out: stack.Output{Functions: map[string]stack.Names{"web": {Lambda: "hello-web"}}},
			}
			all := []lambdatypes.FunctionConfiguration{{Version: sdk.String("1"), CodeSha256: sdk.String(sha), Description: sdk.String("v1")}}
			if test.lambda.newest == 2 {
				_, err := store.CreateRelease(t.Context(), releaseOf)
				must(t, err)
				all = append(all, lambdatypes.FunctionConfiguration{Version: sdk.String("2"), CodeSha256: sdk.String(sha), Description: sdk.String("v2")})
			}
			version, err := r.versionFor(t.Context(), "web", all)
			must(t, err)
			if version != test.version || !slices.Equal(test.lambda.said, test.said) || !strings.Contains(report.text.String(), test.reports) {
				t.Errorf("version %s after %q\n%s", version, test.lambda.said, &report.text)
			}
		})
	}
}
