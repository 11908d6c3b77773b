package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aws is an environment without credentials and without a way to any.
func (b *bench) aws() {
	b.t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	b.t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	b.t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
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
		{"releases production --platform local --profile x", "for stages on AWS"},
		{"run --stage production -- ls", "aloft invoke"},
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
