// Package terraformtest runs Terraform for tests, with the AWS provider of a directory of this machine.
package terraformtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program is a Terraform that installs providers without the network.
type Program struct {
	path string
	env  []string
}

// New skips the test where Terraform or its AWS provider is missing.
func New(t testing.TB) *Program {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("needs Terraform: install terraform 1.x from HashiCorp or your distribution, and have it on the PATH")
	}
	mirror := Mirror()
	if mirror == "" {
		t.Skip("no directory has the AWS provider 5.x: terraform providers mirror DIR, then ALOFT_TF_MIRROR=DIR")
	}
	rc := filepath.Join(t.TempDir(), "terraformrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\ndisable_checkpoint = true\n", mirror)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Program{path: path, env: []string{"TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0"}}
}

// Mirror is a directory from which Terraform can install its AWS provider without the network, "" if there is none.
func Mirror() string {
	for _, pattern := range []string{os.Getenv("ALOFT_TF_MIRROR"), "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/*"} {
		found, _ := filepath.Glob(filepath.Join(pattern, "*/hashicorp/aws/5.*"))
		if pattern != "" && len(found) > 0 {
			return filepath.Join(found[0], "../../../..")
		}
	}
	return ""
}

// Run runs a command in a directory and returns what it printed, and whether it succeeded. env is added to that of the process.
func (p *Program) Run(t testing.TB, dir string, env []string, args ...string) (said string, ok bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.path, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), p.env...), env...)
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

// Must is Run for a command that must succeed.
func (p *Program) Must(t testing.TB, dir string, env []string, args ...string) string {
	t.Helper()
	said, ok := p.Run(t, dir, env, args...)
	if !ok {
		t.Fatalf("terraform %v:\n%s", args, said)
	}
	return said
}
