package aws

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// TestWarm: while Lambda makes environments of a new version it leads requests to the one before, and no emulator does.
func TestWarm(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		looks    int // at the alias, in which the version before has its share
		status   string
		says     string
		wantLook int
	}{
		"ready":    {0, "READY", "", 1},
		"some":     {3, "IN_PROGRESS", "the release before answers until", 4},
		"none":     {9, "FAILED", "made no environments of shop-web ahead: no room", 1},
		"no setup": {1, "", "the release before answers until", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looks := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/aliases/") {
					weights := ""
					if looks++; looks <= test.looks {
						weights = `,"RoutingConfig":{"AdditionalVersionWeights":{"1":1.0}}`
					}
					fmt.Fprintf(w, `{"Name":"live","FunctionVersion":"2"%s}`, weights)
					return
				}
				if test.status == "" {
					w.Header().Set("X-Amzn-Errortype", "ProvisionedConcurrencyConfigNotFoundException")
					w.WriteHeader(http.StatusNotFound)
					return
				}
				fmt.Fprintf(w, `{"Status":%q,"StatusReason":"no room"}`, test.status)
			}))
			defer server.Close()
			config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
			r := New(Options{Session: &Session{Config: config}, Poll: time.Millisecond, Objects: func(string) Objects { return nil }}).in("eu-west-1")
			report := &said{}
			must(t, r.warm(t.Context(), "shop-web", report))
			if looks != test.wantLook || !strings.Contains(report.text.String(), test.says) || test.says == "" && report.text.Len() > 0 {
				t.Errorf("%d looks, said %q", looks, report.text.String())
			}
		})
	}
}
