package static_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/static"
)

type files = map[string]string

func TestContract(t *testing.T) {
	t.Parallel()
	buildpacktest.Run(t, static.New(), buildpacktest.Source(files{"index.html": "x"}), buildpacktest.Source(files{"docs/index.html": "x"}))
}

func TestDetect(t *testing.T) {
	t.Parallel()
	buildpacktest.Table(t, static.New(), []buildpacktest.Case{
		{Name: "root", Files: files{"index.html": "x", "public/index.html": "x"}, Static: "."},
		{Name: "public", Files: files{"public/index.html": "x", "dist/index.html": "x"}, Static: "public"},
		{Name: "dist", Files: files{"dist/index.html": "x"}, Static: "dist"},
		{Name: "none", Files: files{"page.html": "x"}, No: true},
	})
}
