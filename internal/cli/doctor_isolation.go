package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/standard"
)

// checkIsolation finds out how well this machine keeps apps apart, by doing it: at each level it runs a command.
func checkIsolation(ctx context.Context, env map[string]string) []check {
	var checks []check
	best := engine.Level(0)
	for level := engine.Bounded; level >= engine.Separate; level-- {
		c := check{Name: fmt.Sprintf("level %d", level), Status: good}
		e, refused, err := openAtMost(ctx, env, level)
		switch {
		case err != nil:
			c.Status, c.Text = bad, err.Error()
		case e.Level() == level:
			c.Text = level.String() + " works: " + e.Isolation()
			best = max(best, level)
		default:
			c.Text = fmt.Sprintf("%s does not work here: %v", level, refused[0].Err)
			c.Hint = remedy(refused[0].Err.Error())
			if level > best {
				c.Status = warning
			}
		}
		if err == nil {
			closeEngine(e)
		}
		checks = append(checks, c)
	}
	return append(checks, check{Name: "isolation", Status: good, Text: fmt.Sprintf("apps run at level %d (%s)", best, best)})
}

func openAtMost(ctx context.Context, env map[string]string, level engine.Level) (engine.Engine, []standard.Refusal, error) {
	dir, err := os.MkdirTemp("", "aloft-doctor-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	return standard.Engine(ctx, standard.EngineOptions{
		RunDir: dir, Server: fmt.Sprintf("aloft-doctor-%d", os.Getpid()), Visible: toolDirs(env, ""), AtMost: level, Logger: slog.New(slog.DiscardHandler),
	})
}

// remedy says what to do about a reason.
func remedy(reason string) string {
	switch {
	case strings.Contains(reason, "control group"), strings.Contains(reason, "controller"):
		return "run the server as root, or as a systemd user service with Delegate=yes (loginctl enable-linger, systemctl --user), so that it may make control groups"
	case strings.Contains(reason, "user namespaces"):
		return "allow them: sysctl kernel.unprivileged_userns_clone=1 on Debian; on Ubuntu 23.10 and later an AppArmor profile with \"userns,\" for the path of aloft; in a container they need its permission"
	case strings.Contains(reason, "Landlock"):
		return "a kernel of 6.7 or later with Landlock among its security modules (lsm=landlock,…)"
	case strings.Contains(reason, "mount proc"):
		return "in a container, /proc must not be masked: run it with --security-opt systempaths=unconfined, or run aloft outside"
	}
	return ""
}
