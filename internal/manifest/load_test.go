package manifest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

func source(name, content string) fs.FS {
	return fstest.MapFS{name: &fstest.MapFile{Data: []byte(content), Mode: 0o644}}
}

func read(name, content string) error {
	_, _, err := manifest.Load(source(name, content))
	return err
}

// What is not a text file is refused with its place, in every file.
func TestBytes(t *testing.T) {
	const bom = "\ufeff"
	for _, c := range []struct{ name, file, content, want string }{
		{"nul", "aloft.yml", "name: shop\nstart: a\x00b\n", "aloft.yml:2:9: NUL byte"},
		{"nul in json", "up.json", "{\"name\": \"a\x00\"}", "up.json:1:12: NUL byte"},
		{"escaped nul", "up.json", `{"proxy": {"command": "a\u0000b"}}`, `up.json:1:23: proxy.command: expected a shell command line, not "a\x00b"`},
		{"latin1", "aloft.yml", "name: shop\nenv: {A: caf\xe9}\n", "aloft.yml:2:13: not UTF-8 text"},
		{"latin1 json", "app.json", "{\"name\": \"caf\xe9\"}", "app.json:1:14: not UTF-8 text"},
		{"utf16", "aloft.yml", "\xff\xfen\x00a\x00m\x00e\x00", "aloft.yml:1:4: NUL byte"},
		{"bom keeps columns", "aloft.yml", bom + "nam: shop\n", `aloft.yml:1:1: unknown key "nam"`},
		{"bom json", "up.json", bom + `{"name": 1}`, "up.json:1:10: name: expected text, not the number 1"},
		{"wide characters in json", "up.json", `{"name": "日本", "type": 5}`, "up.json:1:24: type: expected"},
		{"crlf keeps lines", "aloft.yml", "name: shop\r\nstart: a\r\nfoo: 1\r\n", `aloft.yml:3:1: unknown key "foo"`},
		{"cr keeps lines", "aloft.yml", "name: shop\rfoo: 1\r", `aloft.yml:2:1: unknown key "foo"`},
		{"crlf json", "up.json", "{\r\n  \"name\": \"a\",\r\n  \"type\": 5}\r\n", "up.json:3:11:"},
		{"large", "aloft.yml", strings.Repeat("# comment\n", 200_000), "aloft.yml: is larger than 1024 KB"},
		{"large json", "app.json", "[" + strings.Repeat(" ", 2<<20) + "]", "app.json: is larger than 1024 KB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := read(c.file, c.content)
			if aloft.ErrorCode(err) != aloft.Invalid || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// A byte order mark and foreign line ends change nothing.
func TestSameWithMarkAndLineEnds(t *testing.T) {
	plain := "name: shop\nbuild: |\n  one\n  two\nenv:\n  A: b\n"
	for name, content := range map[string]string{
		"bom": "\ufeff" + plain, "crlf": strings.ReplaceAll(plain, "\n", "\r\n"), "cr": strings.ReplaceAll(plain, "\n", "\r"),
	} {
		m, _, err := manifest.Load(source("aloft.yml", content))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s := m.Stage("any")
		if s.Name != "shop" || s.Build != "one\ntwo" || s.Env["A"] != "b" {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

// A small file that means a large one is refused, and soon.
func TestBombs(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := range 20 {
		alias := fmt.Sprintf("*a%d", i)
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i+1, i+1, strings.Join([]string{alias, alias, alias, alias, alias, alias, alias, alias, alias}, ", "))
	}
	var merges strings.Builder
	merges.WriteString("m0: &m0 {a: 1, b: 2, c: 3}\n")
	for i := range 40 {
		fmt.Fprintf(&merges, "m%d: &m%d\n  <<: [*m%d, *m%d]\n  k%d: x\n", i+1, i+1, i, i, i)
	}
	var steps strings.Builder
	for i := range 1300 {
		steps.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	const n = 300_000
	for _, c := range []struct{ name, file, content string }{
		{"laughs", "aloft.yml", laughs.String()},
		{"merges", "aloft.yml", merges.String()},
		{"flow lists", "aloft.yml", strings.Repeat("[", n)},
		{"flow maps", "aloft.yml", strings.Repeat("{a: ", n/4)},
		{"block lists", "aloft.yml", strings.Repeat("- ", n)},
		{"block lists below the limit", "aloft.yml", strings.Repeat("- ", 15_000)},
		{"block maps", "aloft.yml", steps.String()},
		{"anchors", "aloft.yml", strings.Repeat("&a ", n)},
		{"anchors below the limit", "aloft.yml", strings.Repeat("&a ", 9_000)},
		{"tags", "aloft.yml", strings.Repeat("!a ", 15_000)},
		{"directives", "aloft.yml", strings.Repeat("%", 15_000)},
		{"question marks", "aloft.yml", strings.Repeat("? ", 15_000)},
		{"quotes", "aloft.yml", strings.Repeat("'", n)},
		{"documents", "aloft.yml", strings.Repeat("---\na\n", 9_000)},
		{"keys", "aloft.yml", strings.Repeat("k: v\n", n/5)},
		{"one key", "aloft.yml", strings.Repeat("k", n) + ": v\n"},
		{"json lists", "up.json", strings.Repeat("[", n)},
		{"json closed lists", "up.json", `{"a": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}"},
		{"json values", "up.json", "[" + strings.Repeat("1,", n) + "1]"},
		{"json one key", "app.json", `{"` + strings.Repeat("k", n) + `": 1, "type": }`},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			err := read(c.file, c.content)
			if aloft.ErrorCode(err) != aloft.Invalid || !strings.HasPrefix(err.Error(), c.file+":") {
				t.Errorf("got %.200v", err)
			}
			if e, ok := errors.AsType[*aloft.Error](err); ok && len(e.Message+e.Hint+e.Detail) > 1000 {
				t.Errorf("the error has %d bytes", len(e.Message+e.Hint+e.Detail))
			}
			if took := time.Since(start); took > 20*time.Second { // quadratic ones took minutes
				t.Errorf("took %v", took)
			}
		})
	}
}

// Only regular files of the tree are read, whether the FS follows links out of it (os.DirFS) or not (os.Root).
func TestOddFiles(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.yml")
	check(t, os.WriteFile(outside, []byte("name: secret\n"), 0o600))
	const out = "aloft.yml: is a symbolic link out of the source"
	to := func(target string) func(string) error {
		return func(dir string) error { return os.Symlink(target, filepath.Join(dir, "aloft.yml")) }
	}
	for name, c := range map[string]struct {
		arrange func(dir string) error
		want    string // "" for success
	}{
		"directory":     {func(dir string) error { return os.Mkdir(filepath.Join(dir, "aloft.yml"), 0o700) }, "aloft.yml: is a directory"},
		"fifo":          {func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "aloft.yml"), 0o600) }, "aloft.yml: is not a regular file"},
		"absolute link": {to(outside), out},
		"relative link": {to("../../x/secret.yml"), out},
		"link through a linked directory": {func(dir string) error {
			return errors.Join(os.Symlink(filepath.Dir(outside), filepath.Join(dir, "d")), to("d/secret.yml")(dir))
		}, out},
		"loop":     {to("aloft.yml"), "aloft.yml: too many symbolic links"},
		"dangling": {to("gone.yml"), "aloft.yml: cannot be read"},
		"link inside": {func(dir string) error {
			conf := filepath.Join(dir, "conf")
			return errors.Join(os.Mkdir(conf, 0o700), os.WriteFile(filepath.Join(conf, "real.yml"), []byte("name: inside\n"), 0o600),
				os.Symlink("real.yml", filepath.Join(conf, "link.yml")), to("conf/link.yml")(dir))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			check(t, c.arrange(dir))
			root, err := os.OpenRoot(dir)
			check(t, err)
			t.Cleanup(func() { root.Close() })
			for kind, src := range map[string]fs.FS{"DirFS": os.DirFS(dir), "Root": root.FS()} {
				m, _, err := manifest.Load(src)
				switch {
				case c.want == "" && (err != nil || m.Name() != "inside"):
					t.Errorf("%s: got %q, %v", kind, m.Name(), err)
				case c.want != "" && (aloft.ErrorCode(err) != aloft.Invalid || !strings.HasPrefix(err.Error(), c.want)):
					t.Errorf("%s: got %q, %v, want %s", kind, m.Name(), err, c.want)
				}
			}
		})
	}
}

// failing refuses to open a file that is there, as for a user without the right to read it.
type failing struct{ fstest.MapFS }

func (f failing) Open(name string) (fs.File, error) {
	if name == "up.json" {
		return nil, &fs.PathError{Op: "open", Path: "/srv/private/up.json", Err: fs.ErrPermission}
	}
	return f.MapFS.Open(name)
}

func TestUnreadable(t *testing.T) {
	_, _, err := manifest.Load(failing{fstest.MapFS{"up.json": &fstest.MapFile{Mode: 0o000}}})
	if aloft.ErrorCode(err) != aloft.Invalid || !errors.Is(err, fs.ErrPermission) || err.Error() != "up.json: cannot be read: permission denied" {
		t.Errorf("got %v", err)
	}
}

// Changing a result changes nothing for the next caller.
func TestStageSharesNothing(t *testing.T) {
	m, _, err := manifest.Load(source("aloft.yml", "env: {A: b}\nignore: [x]\nstatic: {prefix: /a}\nhooks: {clean: [x]}\nfunctions: {web: {memory: 1}}\nstages: {production: {env: {C: d}}}\n"))
	check(t, err)
	for _, stage := range []string{"production", "other"} {
		before := fmt.Sprintf("%+v %+v", m.Stage(stage), m.Stage(stage).Static.Dir)
		s := m.Stage(stage)
		s.Env["A"], s.Ignore[0], s.Hooks.Clean[0], s.Static.Dir = "changed", "changed", "changed", "changed"
		s.Functions["web"] = manifest.FunctionSettings{Memory: 2}
		after := fmt.Sprintf("%+v %+v", m.Stage(stage), m.Stage(stage).Static.Dir)
		strip := func(s string) string { return s[:strings.Index(s, "Static:")] + s[strings.Index(s, "Functions:"):] } // a pointer
		if strip(before) != strip(after) {
			t.Errorf("%s: before %s\nafter %s", stage, before, after)
		}
	}
}

// A function has what is said for it, else what is said for all.
func TestFunction(t *testing.T) {
	m, _, err := manifest.Load(source("aloft.yml", "start: ./server\ndrain: 5s\nhealth: /up\nfunctions:\n  worker: {drain: 1m, instances: 3, health: {timeout: 2m}}\n  clock: {instances: 0}\n"))
	check(t, err)
	s := m.Stage("any")
	minute := aloft.Duration(time.Minute)
	for name, want := range map[string]manifest.FunctionSettings{
		"web":    {Command: "./server", Instances: 1, Drain: minute / 12, Health: manifest.Health{Path: "/up", Timeout: minute}},
		"worker": {Instances: 3, Drain: minute, Health: manifest.Health{Path: "/up", Timeout: 2 * minute}},
		"clock":  {Off: true, Drain: minute / 12, Health: manifest.Health{Path: "/up", Timeout: minute}},
	} {
		if got := s.Function(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := manifest.Default().Validate(); err != nil {
		t.Error(err)
	}
	for name, s := range map[string]manifest.Settings{
		"name":          {Name: "My Shop"},
		"variable":      {Env: map[string]string{"PORT": "1"}},
		"function name": {Functions: map[string]manifest.FunctionSettings{"A": {}}},
		"memory":        {Functions: map[string]manifest.FunctionSettings{"web": {Memory: -1}}},
		"off":           {Functions: map[string]manifest.FunctionSettings{"web": {Off: true, Instances: 1}}},
		"build":         {Build: "make", Hooks: manifest.Hooks{Build: []string{"make"}}},
		"drain":         {Drain: -1},
		"health":        {Health: manifest.Health{Path: "up"}},
	} {
		if err := s.Validate(); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
