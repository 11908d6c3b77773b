package standard_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/standard"
)

// TestOwner: what a function deletes and makes again through the APIs stays its stage's: the next deploy must not find it
// taken.
func TestOwner(t *testing.T) {
	t.Parallel()
	all, err := standard.OpenResources(t.Context(), standard.ResourceOptions{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = all.Close() }()
	release := aloft.Release{StageRef: aloft.StageRef{App: "shop", Stage: aloft.Production}}
	for _, kind := range []string{aloft.Bucket, aloft.Queue, aloft.Topic, aloft.Stream} {
		release.Resources = append(release.Resources, aloft.Resource{Name: kind, Type: kind})
	}
	handler := all.Set().Handler(resource.VisibleTo(release))
	for _, made := range []struct{ method, path, target, kind, body string }{
		{"PUT", "/shop-bucket", "", "", ""},
		{"POST", "/", "AmazonSQS.CreateQueue", "application/x-amz-json-1.0", `{"QueueName":"shop-queue"}`},
		{"POST", "/", "", "application/x-www-form-urlencoded", "Action=CreateTopic&Version=2010-03-31&Name=shop-topic"},
		{"POST", "/", "Kinesis_20131202.CreateStream", "application/x-amz-json-1.1", `{"StreamName":"shop-stream","ShardCount":1}`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), made.method, made.path, strings.NewReader(made.body))
		r.Header.Set("Content-Type", made.kind)
		if made.target != "" {
			r.Header.Set("X-Amz-Target", made.target)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%+v: status %d %s", made, w.Code, w.Body)
		}
	}
	if err := all.Set().Provision(t.Context(), release.StageRef, release.Resources); err != nil {
		t.Error(err)
	}
}

// TestAllowed: a stage may name by ARN what is its own or nobody's, and nothing of another stage, of whatever kind.
func TestAllowed(t *testing.T) {
	t.Parallel()
	all, err := standard.OpenResources(t.Context(), standard.ResourceOptions{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = all.Close() }()
	shop, staging := aloft.StageRef{App: "shop", Stage: aloft.Production}, aloft.StageRef{App: "shop", Stage: "staging"}
	for owner, name := range map[aloft.StageRef]string{shop: "things", {}: "free"} {
		for _, one := range all.Set().Types {
			if err := one.Provision(t.Context(), resource.Claim{Owner: owner, Name: name}); err != nil {
				t.Fatal(err)
			}
		}
	}
	allowed := all.Allowed(standard.EventSources(all.Sourced()))
	for _, kind := range []string{aloft.Bucket, aloft.Queue, aloft.Topic, aloft.Stream} {
		for name, owned := range map[string]bool{"things": true, "free": false, "none": false} {
			source := resource.ARN(kind, name)
			if err := allowed(t.Context(), shop, source); err != nil {
				t.Errorf("%s: %v", source, err)
			}
			err := allowed(t.Context(), staging, source)
			if owned != (aloft.ErrorCode(err) == aloft.Invalid) || owned && !strings.Contains(err.Error(), "belongs to shop/production") {
				t.Errorf("%s in another stage: %v", source, err)
			}
		}
	}
	if err := allowed(t.Context(), staging, "queue:things"); err != nil {
		t.Error(err)
	}
}
