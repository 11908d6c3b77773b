package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/standard"
)

// isolation is how well a server is to keep its apps apart.
type isolation struct {
	atMost, atLeast engine.Level // 0: whatever the machine gives
}

// readIsolation reads levels as users write them: "4", or "" for the default.
func readIsolation(atMost, atLeast string) (i isolation, err error) {
	if i.atMost, err = readLevel("--isolation", atMost); err != nil {
		return i, err
	}
	if i.atLeast, err = readLevel("--isolation-minimum", atLeast); err != nil {
		return i, err
	}
	if i.atMost != 0 && i.atLeast > i.atMost {
		return i, aloft.Errorf(aloft.Invalid, "--isolation %d is below --isolation-minimum %d", i.atMost, i.atLeast)
	}
	return i, nil
}

func readLevel(flag, text string) (engine.Level, error) {
	if text == "" || text == "auto" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if level := engine.Level(n); err == nil && level >= engine.Separate && level <= engine.Bounded {
		return level, nil
	}
	return 0, aloft.Errorf(aloft.Invalid, "%s %q is no level", flag, text).
		WithHint("4 isolated and bounded, 3 isolated, 2 confined, 1 separate processes; aloft doctor says which this machine gives")
}

// openEngine opens the strongest engine that the machine and the options allow.
func openEngine(ctx context.Context, names homeNames, env map[string]string, want isolation, logger *slog.Logger) (engine.Engine, error) {
	options := names.engine(logger)
	options.Visible, options.AtMost = append(toolDirs(env, names.home), names.runtimes()), want.atMost
	e, refused, err := standard.Engine(ctx, options)
	if err != nil {
		return nil, err
	}
	for _, r := range refused {
		logger.Warn("this machine does not isolate apps as well as it could", "level", int(r.Level), "reason", r.Err)
	}
	if e.Level() >= want.atLeast {
		return e, nil
	}
	closeEngine(e)
	why := ""
	if len(refused) > 0 {
		why = ": " + refused[len(refused)-1].Err.Error()
	}
	return nil, aloft.Errorf(aloft.Failed, "apps would be isolated at level %d (%s) only, at least %d is asked for%s", e.Level(), e.Level(), want.atLeast, why).
		WithHint("aloft doctor says what the machine lacks; a lower --isolation-minimum accepts it")
}

func closeEngine(e engine.Engine) {
	if c, ok := e.(io.Closer); ok {
		_ = c.Close()
	}
}

// serverName names the server of a home among those of the machine.
func serverName(home string) string {
	sum := sha256.Sum256([]byte(home))
	return "aloft-" + hex.EncodeToString(sum[:4])
}

// toolDirs are the directories outside of the system's where the interpreters and tools are that the server's environment
// names: every sandbox may read them. Of a directory that holds a user's own things too, only the programs are shown; one that
// holds own, the server's home, is not shown.
func toolDirs(env map[string]string, own string) []string {
	home := env["HOME"]
	personal := []string{home, filepath.Join(home, ".local"), filepath.Join(home, ".cargo"), filepath.Join(home, ".config"), filepath.Join(home, "go"), "/"}
	var dirs []string
	holdsOwn := func(dir string) bool { return own != "" && (own == dir || strings.HasPrefix(own, dir+"/")) }
	add := func(dir string) {
		for _, d := range ways(dir) {
			if !holdsOwn(d) {
				dirs = append(dirs, d)
			}
		}
	}
	for _, dir := range filepath.SplitList(env["PATH"]) {
		if !filepath.IsAbs(dir) || filepath.Clean(dir) == home {
			continue
		}
		whole := filepath.Dir(filepath.Clean(dir))
		if slices.Contains([]string{"bin", "sbin", "shims"}, filepath.Base(dir)) && !slices.Contains(personal, whole) && !holdsOwn(whole) {
			dir = whole
		}
		add(filepath.Clean(dir))
	}
	for _, name := range toolVariables() {
		if dir := filepath.Clean(env[name]); filepath.IsAbs(dir) && !slices.Contains(personal, dir) {
			add(dir)
		}
	}
	if home != "" {
		add(filepath.Join(home, ".rustup")) // the programs in ~/.cargo/bin are nothing without it
	}
	return outermost(dirs)
}

// ways are a directory and, if it is reached by a link, the one that it is. There are none to what is not there.
func ways(dir string) []string {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil && target != dir {
		return []string{target, dir}
	}
	return []string{dir}
}

// toolVariables name directories of tools.
func toolVariables() []string {
	return []string{"JAVA_HOME", "PYENV_ROOT", "RBENV_ROOT", "NVM_DIR", "GOROOT", "VOLTA_HOME", "ASDF_DATA_DIR", "GEM_HOME", "RUSTUP_HOME"}
}

// outermost leaves out what lies below another directory of the list, or below those that sandboxes see anyway.
func outermost(dirs []string) []string {
	slices.Sort(dirs)
	kept := []string{}
	for _, dir := range dirs {
		inside := func(parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }
		if !slices.ContainsFunc([]string{"/usr", "/bin", "/sbin", "/lib", "/opt", "/etc", "/snap", "/nix/store"}, inside) && !slices.ContainsFunc(kept, inside) {
			kept = append(kept, dir)
		}
	}
	return kept
}
