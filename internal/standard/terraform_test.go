package standard_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/terraform"
	"github.com/aloft-run/aloft/internal/terraform/terraformtest"
)

// TestTerraform: what every kind and every source render has a translation, as resources of Terraform's provider.
func TestTerraform(t *testing.T) {
	t.Parallel()
	program, dir := terraformtest.New(t), t.TempDir()
	root := ""
	for name, change := range map[string]func(*resource.Rendering){
		"stay": nil,
		"go":   func(in *resource.Rendering) { in.Delete = true },
		"key":  func(in *resource.Rendering) { in.KMSKey = testKey },
	} {
		out, err := terraform.Translate(terraform.Input{Template: templateOf(t, change), Stack: "shop-staging", Region: "eu-west-1"})
		if err != nil {
			t.Fatal(err)
		}
		for id, why := range out.Stacks {
			t.Errorf("%s stays a stack: %s", id, why)
		}
		if kept := len(regexp.MustCompile(`prevent_destroy`).FindAll(out.Main, -1)); (kept == 0) != (name == "go") {
			t.Errorf("%s: %d things are kept", name, kept)
		}
		root += "module \"" + name + "\" {\n  source = \"./" + name + "\"\n}\n"
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string][]byte{"main.tf": out.Main, "variables.tf": out.Variables} {
			if err := os.WriteFile(filepath.Join(dir, name, file), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(root), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Must(t, dir, nil, "init", "-no-color")
	program.Must(t, dir, nil, "fmt", "-check", "-diff", "-recursive")
	program.Must(t, dir, nil, "validate", "-no-color")
}
