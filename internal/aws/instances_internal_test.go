package aws

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/aloft-run/aloft"
)

// TestInstancesAtOnce: the status of a stage of many functions does not ask for all of them at once, which Lambda would throttle.
func TestInstancesAtOnce(t *testing.T) {
	t.Parallel()
	const functions = 40
	var now, most atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		time.Sleep(5 * time.Millisecond) // a request takes time
		fmt.Fprint(w, `{"State":"Active"}`)
	}))
	defer server.Close()
	config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
	p := New(Options{Session: &Session{Config: config}, Objects: func(string) Objects { return nil }})
	release := aloft.Release{StageRef: aloft.StageRef{App: "shop", Stage: "production"}, AWS: &aloft.AWS{Regions: []string{"eu-west-1"}}}
	for i := range functions {
		release.Functions = append(release.Functions, aloft.Function{Name: fmt.Sprintf("f%02d", i), Kind: aloft.Handler})
	}
	all, err := p.instances(t.Context(), looking{shown: shown{release: release}, regions: release.AWS.Regions})
	if err != nil || len(all) != functions || all[0].Function != "f00" || all[functions-1].Function != "f39" {
		t.Errorf("%d instances, %v", len(all), err)
	}
	if asked := most.Load(); asked > 2*atOnce {
		t.Errorf("%d requests were under way at once", asked)
	}
}
