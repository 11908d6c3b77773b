package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// aws is an environment without credentials and without a way to any.
func (b *bench) aws() {
	b.t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	b.t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	b.t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		b.t.Setenv(name, "")
	}
}

// Where a stage is say the flags, then the aloft.yml of its app; the server is not asked about one on AWS.
func TestSites(t *testing.T) {
	b := newBench(t)
	b.aws()
	dir := filepath.Join(b.dir, "both")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	manifest := "name: shop\nstages: {production: {platform: aws, aws: {region: eu-west-1}}}\n"
	if err := os.WriteFile(filepath.Join(dir, "aloft.yml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want string // in standard error
	}{
		{"releases production", "no AWS credentials"},
		{"releases staging", ""},
		{"releases production --platform local", ""},
		{"releases staging --platform aws --region eu-west-1", "no AWS credentials"},
		{"releases --app other --stage production", "other"}, // the file is another app's
		{"releases staging --region eu-west-1", "for stages on AWS"},
		{"releases production --region eu-west-1", "no AWS credentials"},
		{"releases production --region eu-north-1", "the first of regions in aloft.yml is eu-west-1"},
		{"releases staging --platform aws --region eu-wset-1", "did you mean eu-west-1?"},
		{"releases staging --platform aws --region eu-moon-9", "not the name of an AWS region"},
		{"releases production --platform local --profile x", "for stages on AWS"},
		{"run --stage production -- ls", "aloft invoke"},
		{"up prodution", "did you mean production?"},
		{"config production", "--stage production"},
		{"domains production", "--stage production"},
		{"import stack shop-production --region eu-north-1 --stage staging", "no AWS credentials"},
		{"record web --stage production", "aloft logs"},
		{"aliases --stage production", "aloft rollback"},
		{"dead-letters --stage production", "on-failure"},
		{"test-events save create large --stage production", "--payload @FILE"},
	} {
		r := b.raw(append([]string{"--directory=" + dir}, strings.Fields(c.args)...)...)
		if c.want == "" && strings.Contains(r.stderr, "AWS") || !strings.Contains(r.stderr, c.want) {
			t.Errorf("aloft %s: status %d, says %q, want %q", c.args, r.status, r.stderr, c.want)
		}
		if c.want != "" && r.status != 2 {
			t.Errorf("aloft %s ended with status %d, want 2", c.args, r.status)
		}
	}
}

// What is no app makes nothing in an account that has nothing of aloft yet. Of a stage whose home was another region it is said.
func TestNothingMadeOfNothing(t *testing.T) {
	b := newBench(t)
	b.aws()
	var made, denied atomic.Bool
	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch err := r.ParseForm(); {
		case err == nil && r.Form.Get("Action") == "GetCallerIdentity":
			fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
		case r.Form.Get("Action") == "DescribeStacks":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack does not exist</Message></Error></ErrorResponse>")
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/state/index.json") && !denied.Load():
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>")
		default:
			made.Store(true)
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer account.Close()
	t.Setenv("AWS_ENDPOINT_URL", account.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	dir := filepath.Join(b.dir, "empty")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	denied.Store(true)
	if r := b.raw("--directory="+dir, "up", "--platform=aws", "--region=eu-west-1"); r.status == 0 || !strings.Contains(r.stderr, "s3:GetObject") {
		t.Errorf("a bucket that may not be read: status %d: %s", r.status, r.stderr)
	}
	denied.Store(false)
	made.Store(false)
	if r := b.raw("--directory="+dir, "up", "--platform=aws", "--region=eu-west-1"); made.Load() || r.status != 2 {
		t.Errorf("an empty directory: status %d, something was made: %t: %s", r.status, made.Load(), r.stderr)
	}
	app := filepath.Join(b.dir, "shop")
	mark := filepath.Join(b.home, "aws", "homes", "111122223333", "shop", "staging")
	for name, text := range map[string]string{
		filepath.Join(app, "aloft.yml"): "name: shop\nplatform: aws\naws: {region: eu-north-1}\nstatic: .\n", filepath.Join(app, "index.html"): "hello", mark: "eu-west-1",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.raw("--directory="+app, "up"); !strings.Contains(r.stderr, "had its home in eu-west-1") {
		t.Errorf("nothing is said of the old home: status %d, %s", r.status, r.stderr)
	}
}

// What a command does not reach it says, and where a stage is meant how to name it.
func TestStagesElsewhere(t *testing.T) {
	b := newBench(t)
	b.aws()
	dir := filepath.Join(b.dir, "elsewhere")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	manifest := "name: elsewhere\nstages: {production: {platform: aws, aws: {region: eu-west-1}}}\n"
	if err := os.WriteFile(filepath.Join(dir, "aloft.yml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"apps":                "not listed: production of elsewhere",
		"destroy --yes":       "aloft destroy production",
		"destroy prodution":   "did you mean production?",
		"rollback production": "--stage production",
	} {
		if r := b.raw(append([]string{"--directory=" + dir}, strings.Fields(args)...)...); !strings.Contains(r.stderr, want) {
			t.Errorf("aloft %s: status %d, says %q, want %q", args, r.status, r.stderr, want)
		}
	}
}

// A profile that is typed, or that the environment names, and that is not there, is not passed over for keys of the environment.
func TestNoSuchProfile(t *testing.T) {
	b := newBench(t)
	b.aws()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	typed := b.raw("releases", "--app=other", "--platform=aws", "--region=eu-west-1", "--profile=nope")
	t.Setenv("AWS_PROFILE", "nope")
	for _, r := range []result{typed, b.raw("releases", "--app=other", "--platform=aws", "--region=eu-west-1")} {
		if r.status != 2 || !strings.Contains(r.stderr, `no AWS profile "nope"`) || !strings.Contains(r.stderr, "hint: make it: aws configure sso --profile nope") {
			t.Errorf("status %d, says %q", r.status, r.stderr)
		}
	}
}

// Keys that no request can be signed with, and a place where no AWS is, are said as what they are.
func TestKeysAndEndpoints(t *testing.T) {
	for _, c := range []struct{ id, secret, region, endpoint, want string }{
		{"AKIA\n", "secret", "eu-west-1", "", "AWS_ACCESS_KEY_ID has"},
		{"AKIA", "", "eu-west-1", "", "AWS_SECRET_ACCESS_KEY is not"},
		{"", "secret", "eu-west-1", "", "AWS_ACCESS_KEY_ID is not"},
		{"AKIA", "secret", "eu-wset-1", "", "AWS_REGION or the profile"},
		{"AKIA", "secret", "", "", "in which region"},
		{"AKIA", "secret", "eu-west-1", "http://127.0.0.1:1", "is the region right?"},
	} {
		b := newBench(t)
		b.aws()
		for name, value := range map[string]string{
			"AWS_ACCESS_KEY_ID": c.id, "AWS_SECRET_ACCESS_KEY": c.secret, "AWS_REGION": c.region, "AWS_ENDPOINT_URL": c.endpoint, "AWS_MAX_ATTEMPTS": "1",
		} {
			t.Setenv(name, value)
		}
		r := b.raw("releases", "--app=other", "--platform=aws")
		if !strings.Contains(r.stderr, c.want) || c.endpoint == "" && r.status != 2 {
			t.Errorf("%q: status %d, says %q", c, r.status, r.stderr)
		}
	}
}
