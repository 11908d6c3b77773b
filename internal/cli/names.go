package cli

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft/internal/standard"
)

// homeNames are what a server calls what no other may use at the same time. A home has two sets of them: while one server takes
// the place of another both run, and a server that takes a place has the names that the one before does not have.
type homeNames struct {
	home   string
	second bool
}

func (n homeNames) other() homeNames { return homeNames{n.home, !n.second} }

func (n homeNames) path(name string) string {
	if n.second {
		name += "2"
	}
	return filepath.Join(n.home, name)
}

// run is where engines keep records of what they started.
func (n homeNames) run() string { return n.path("run") }

// local is where the trees of releases and the private directories of instances are.
func (n homeNames) local() string { return n.path("local") }

// runtimes is where the clients of Lambda's runtimes are; every server of the home has the same.
func (n homeNames) runtimes() string { return filepath.Join(n.home, "runtimes") }

// server names the server among those of the machine: control groups, network interfaces, the firewall's table.
func (n homeNames) server() string {
	if n.second {
		return serverName(n.home) + "-2"
	}
	return serverName(n.home)
}

func (n homeNames) engine(logger *slog.Logger) standard.EngineOptions {
	return standard.EngineOptions{RunDir: n.run(), Server: n.server(), Second: n.second, Logger: logger}
}

// sweep ends and removes what a server of these names left, which is no more.
func (n homeNames) sweep(logger *slog.Logger) {
	standard.Sweep(n.engine(logger))
	if err := os.RemoveAll(n.local()); err != nil {
		logger.Warn("remove what an earlier server left", "error", err)
	}
}

// sweepNames frees what an earlier server left, before anything of this one is there. What is this server's own in the
// directory of trees is moved away by the platform, which takes less time.
func (s *server) sweepNames(context.Context) error {
	if s.before == nil {
		standard.Sweep(s.names.engine(s.logger))
		s.names.other().sweep(s.logger)
	}
	return nil
}
