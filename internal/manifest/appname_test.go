package manifest_test

import (
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// The app is named by its files, else by its directory as far as that makes a name.
func TestAppName(t *testing.T) {
	named, _, err := manifest.Load(source("aloft.yml", "name: shop\n"))
	check(t, err)
	for _, c := range []struct {
		m         manifest.Manifest
		dir, want string // "" is a refusal
	}{
		{named, "/src/other", "shop"},
		{manifest.Manifest{}, "/src/My_App v2", "my-app-v2"},
		{manifest.Manifest{}, "/src/42", ""},
		{manifest.Manifest{}, "/", ""},
	} {
		got, err := manifest.AppName(c.m, c.dir)
		if got != c.want || (c.want == "") != (aloft.ErrorCode(err) == aloft.Invalid) {
			t.Errorf("%s: got %q, %v", c.dir, got, err)
		}
	}
}

func TestCheckEnvName(t *testing.T) {
	for name, allowed := range map[string]bool{
		"A": true, "_a1": true, "PORTS": true, "": false, "1A": false, "A-B": false, "A=B": false, "PORT": false, "HOST": false, "ALOFT_X": false,
	} {
		if err := manifest.CheckEnvName(name); (err == nil) != allowed || (!allowed && aloft.ErrorCode(err) != aloft.Invalid) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestCheckVariable(t *testing.T) {
	t.Parallel()
	for name, allowed := range map[string]bool{"A": true, "web/A": true, "/A": false, "web/": false, "Web/A": false, "web/a/B": false, "web/PORT": false} {
		if err := manifest.CheckVariable(name); (err == nil) != allowed || (!allowed && aloft.ErrorCode(err) != aloft.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
