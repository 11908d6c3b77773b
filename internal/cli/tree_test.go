package cli_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aloft-run/aloft/internal/cli"
)

// each calls f for every command.
func each(c *cobra.Command, f func(c *cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		each(sub, f)
	}
}

func TestEveryCommandIsExplained(t *testing.T) {
	b := newBench(t)
	each(cli.Root(), func(c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		if c.Example == "" || !strings.Contains(c.Long, "Exit status") || c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("aloft %s lacks an example, its exit status or a short line", strings.Join(path, " "))
		}
		r := b.raw(append(path, "--help")...)
		if r.status != 0 || !strings.Contains(r.stdout, "Examples:") || !strings.Contains(r.stdout, "Exit status") {
			t.Errorf("aloft %s --help: %+v", strings.Join(path, " "), r)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("aloft %s --%s is not explained", strings.Join(path, " "), f.Name)
			}
		})
		for line := range strings.SplitSeq(c.Long+"\n"+c.Example, "\n") {
			if len([]rune(line)) > 120 {
				t.Errorf("aloft %s: a line of its help is too long: %s", strings.Join(path, " "), line)
			}
		}
	})
}

// TestExamplesParse runs no example, but reads all flags and names of commands that they use.
func TestExamplesParse(t *testing.T) {
	each(cli.Root(), func(c *cobra.Command) {
		for line := range strings.SplitSeq(c.Example, "\n") {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "aloft" || strings.ContainsAny(line, "|>'\"") {
				continue
			}
			if i := slices.IndexFunc(words, func(w string) bool { return w == "<" }); i > 0 {
				words = words[:i]
			}
			if i := strings.Index(line, "   "); i > 0 && strings.TrimSpace(line[:i]) != "" {
				words = strings.Fields(line[:i])
			}
			found, rest, err := cli.Root().Find(words[1:])
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("example %q: %v", line, err)
			}
		}
	})
}

// TestFlagMatrix gives every flag of every command values that are wrong for it.
func TestFlagMatrix(t *testing.T) {
	b := newBench(t)
	names := []string{"", " ", "..", "a/b", "A", "-", "a-", "1a", "é", strings.Repeat("a", 41), "a\x00b", "a\nb", "\x1b[31m", "$(id)"}
	numbers := []string{"", "x", "-1", "NaN", "1.5", "99999999999999999999", "0x", "１"}
	bad := map[string][]string{
		"app": names, "stage": names, "home": {"", "a\x00b", "/dev/null/x"},
		"directory": {"", "a\x00b", "/nonexistent", "/dev/null", strings.Repeat("x/", 3000)},
		"limit":     numbers, "lines": numbers,
		"since": {"x", "-5m", "NaN", "5", "2026-13-01T00:00:00Z", "99999999999999999h"},
		"file":  {"/nonexistent", "/", "a\x00b"},
		"http":  {"x", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536", ":", "[::1"},
	}
	bad["https"] = bad["http"]
	bad["self"] = []string{"", "/nonexistent", "/", "/dev/null", "a\x00b", "/etc/passwd", "/bin/true"}
	bad["timeout"] = []string{"", "x", "5", "-5m", "0s", "1ms", "2h", "NaN"}
	bad["isolation"] = []string{"x", "0", "5", "-1", "1.5", "99999999999999999999", "a\x00b"}
	bad["trusted-proxy"] = []string{"x", "10.0.0.0/33", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "10.0.0.1,x", "10.0.0.1:80", "a\x00b"}
	bad["level"] = bad["isolation"]
	bad["payload"] = []string{"", "{", "@/nonexistent", "@/", "a\x00b"}
	bad["client-context"] = []string{"{", "x"}
	bad["qualifier"] = []string{" ", "a b", "$LATEST!", strings.Repeat("a", 129)}
	bad["weight"] = []string{"", "x", "v5", "v5=", "v5=x", "5%", "v0=10%", "v5=-1", "v5=NaN", "v5=101%"}
	bad["event"] = []string{" ", "s4", "../x", "a\x00b"}
	bad["set"] = []string{"", "x", "=1", "Records.9.x=1"}
	bad["for"] = []string{"", "x", "5", "-5m", "0s", "25h", "NaN"}
	bad["canary"] = []string{"", "x", "0%", "100%", "-1", "NaN", "1e9", "10%%", "a\x00b"}
	bad["release"], bad["against"] = bad["qualifier"], bad["qualifier"]
	bad["function"] = []string{" ", "A", "a b", "é", "-"}
	bad["plan"] = []string{"", "x", "3-9f2c1ab077", "-1-9f2c1ab077-5de01c4a21", "3-9F2C1AB077-5de01c4a21", "a\x00b"}
	bad["platform"] = []string{"", "x", "azure", "AWS", "a\x00b"}
	bad["profile"] = []string{"", " ", "a b", "[x]", "a\x00b"}
	bad["region"] = []string{"", "x", "Frankfurt", "eu-central", "a\x00b"}
	bad["zone"] = []string{"", "x", "a b.example", ".example", "b.example", "a\x00b"}
	bad["isolation-minimum"] = bad["isolation"]
	bad["resources-limit"] = []string{"much", "-1GB"}
	bad["requests"] = []string{"x", "16000", "0/day", "-1/day", "1/year", "1e9/day", "NaN/day", "99999999999999999999/day", "a\x00b"}
	bad["duration"] = []string{"x", "5", "-5ms", "0s", "16m", "NaN"}
	bad["arch"] = []string{"x", "amd64", "ARM64", "a\x00b"}
	bad["endpoint"] = []string{"x", "alb", "HTTP-API", "a\x00b"}
	bad["box"] = []string{"x", "5", "0/month", "-1/month", "5/year", "5,00/month", "NaN/month"}
	bad["box-cores"] = append([]string{"0", "1025"}, numbers...)
	bad["response-bytes"], bad["log-bytes"], bad["provisioned"] = numbers, numbers, numbers
	bad["memory"] = []string{"x", "0", "127", "10241", "-1", "11GB", "1.5", "NaN"}
	bad["config"] = []string{"A=1", "a b", "é", "a/b/c", "a\x00b"}
	bad["dir"] = []string{"a\x00b", "/dev/null/x"}
	bad["format"] = []string{"", "x", "yaml", "a\x00b"}
	bad["function"], bad["grep"], bad["release"] = []string{"", "a b", "a\x00b"}, []string{"", "a\x00b"}, []string{"", "x", "v0", "-1"}
	bad["step"] = []string{"x", "-5m", "90s", "1ms", "5", "NaN"}
	arguments := map[string][]string{
		"promote": {"staging", "production"},
		"run":     {"cat"}, "get": {"A"}, "set": {"A=1"}, "unset": {"A"}, "add": {"a.example"}, "remove": {"a.example"}, "completion": {"bash"},
		"memory": {"web", "64MB"}, "timeout": {"web", "30s"}, "concurrency": {"web", "10"}, "upgrade": {"--self", "/bin/true"}, "invoke": {"create"},
		"aliases set": {"live", "v1"}, "aliases remove": {"live"}, "record": {"create"}, "replay": {"1"}, "test-events show": {"s3"}, "show": {"a"}, "dead-letters replay": {"--all"}, "save": {"create", "large"}, "test-events remove": {"create", "large"},
		"cloudformation": {"/dev/null/x"}, "terraform": {"/dev/null/x"}, "stack": {"none"},
		"event-sources add": {"web", "queue:jobs"}, "event-sources remove": {"web", "queue:jobs"}, "event-sources clear": {"web"},
	}
	// These name neither app nor stage, or no directory: for them such flags mean nothing.
	serverOnly := []string{"apps", "serve", "doctor", "version", "schema", "completion", "help", "upgrade", "show", "test-events:show", "credentials", "aws", "credentials:aws"}
	each(cli.Root(), func(c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		check := func(f *pflag.Flag) {
			values := bad[f.Name]
			if f.Value.Type() == "bool" {
				values = []string{"", "x", "2", "yes"}
			} else if slices.Contains([]string{"app", "stage", "directory"}, f.Name) && slices.Contains(serverOnly, c.Name()) {
				return
			} else if f.Name == "home" && slices.Contains([]string{"version", "schema", "completion", "help", "show", "test-events:show", "unlock"}, c.Name()) {
				return
			}
			if values == nil && f.Name != "message" && f.Name != "description" {
				t.Errorf("no bad values are known for --%s: add some to this test", f.Name)
			}
			for _, v := range values {
				name, _, _ := strings.Cut(c.Name(), ":")
				if _, sub, ok := strings.Cut(c.Name(), ":"); ok {
					name = sub
				}
				args := append([]string{"--directory=" + filepath.Join(b.dir, "shop")}, path...)
				args = append(args, "--yes", "--"+f.Name+"="+v)
				if f.Name != "self" { // which is the argument
					args = append(args, words(arguments, strings.ReplaceAll(strings.Join(path, " "), ":", " "), name)...)
				}
				r := b.raw(args...)
				if f.Name == "home" && v == "/dev/null/x" {
					if r.status != 1 && !slices.Contains([]string{"doctor", "stop", "upgrade", "iam", "export", "import", "stack", "import:stack"}, c.Name()) {
						t.Errorf("aloft %q ended with status %d, want 1: %s", args, r.status, r.stderr)
					}
				} else if r.status != 2 {
					t.Errorf("aloft %q ended with status %d, want 2: %s%s", args, r.status, r.stderr, r.stdout)
				}
				if strings.Contains(r.stderr, "goroutine") || strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "\x1b") ||
					(r.status != 0 && !strings.HasPrefix(r.stderr, "aloft: ") && c.Name() != "doctor") {
					t.Errorf("aloft %q says %q", args, r.stderr)
				}
			}
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				check(f)
			}
		})
		cli.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				check(f)
			}
		})
	})
}

// words are the arguments that the first known of the names has.
func words(arguments map[string][]string, names ...string) []string {
	for _, name := range names {
		if known := arguments[name]; known != nil {
			return known
		}
	}
	return nil
}

func TestUnknown(t *testing.T) {
	b := newBench(t)
	b.fails(2, []string{"upp"}, `unknown command "upp"`, "did you mean aloft up?")
	b.fails(2, []string{"rolback"}, "did you mean aloft rollback?")
	b.fails(2, []string{"production"}, "aloft up production")
	b.fails(2, []string{"up", "--froce"}, "unknown flag: --froce", "did you mean --force?")
	b.fails(2, []string{"up", "-Z"}, "-Z", "aloft up --help")
	b.fails(2, []string{"help", "upp"}, "did you mean aloft up?")
	b.fails(2, []string{"up", "a", "b"}, `unexpected argument "b"`, "usage: aloft up [stage]")
	b.fails(2, []string{"completion", "tcsh"}, "bash, zsh, fish")
	if r := b.run("upp", "--json"); !strings.Contains(r.stdout, `"code": "invalid"`) {
		t.Errorf("an unknown command with --json prints %q", r.stdout)
	}
}

func TestCompletion(t *testing.T) {
	b := newBench(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := b.ok("completion", shell); !strings.Contains(out, "aloft") {
			t.Errorf("completion %s prints %q", shell, out)
		}
	}
	r := b.raw("__complete", "rol")
	if !strings.Contains(r.stdout, "rollback") {
		t.Errorf("rol completes to %q", r.stdout)
	}
}

func TestToolCommands(t *testing.T) {
	b := newBench(t)
	if got := value[map[string]any](b, "version"); got["version"] == "" || got["go"] == "" {
		t.Errorf("version --json prints %v", got)
	}
	if got := value[map[string]any](b, "schema"); got["$schema"] == nil {
		t.Errorf("schema prints %v", got)
	}
	doctor := value[map[string]any](b, "doctor")
	if doctor["ok"] != true || len(doctor["checks"].([]any)) < 6 {
		t.Errorf("doctor --json prints %v", doctor)
	}
	if out := b.ok("doctor"); !strings.Contains(out, "none: this is a fake") {
		t.Errorf("doctor does not say what isolation there is:\n%s", out)
	}
	if r := b.run("stop", "--server"); r.status != 0 || !strings.Contains(r.stderr, "has stopped") {
		t.Errorf("stop --server: %+v", r)
	}
	b.fails(2, []string{"stop", "production", "--server"}, "whole server")
	b.env = []string{"PATH=" + filepath.Join(b.dir)}
	b.fails(2, []string{"apps"}, "HOME", "ALOFT_HOME")
}
