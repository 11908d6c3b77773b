package cli

import (
	"io"
	"net"
	"os"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/static"
	"github.com/aloft-run/aloft/internal/static/compression"
)

// hosts are the hosts of a stage, its own first.
func hosts(stage aloft.Stage) []string {
	return append([]string{stage.Label() + ".localhost"}, stage.Domains...)
}

// url is where a stage answers.
func (s *server) url(ref aloft.StageRef) string { return s.local(ref.Label() + ".localhost") }

// local is the URL of a host of this server.
func (s *server) local(host string) string {
	if _, port, err := net.SplitHostPort(s.gateway.HTTPAddr()); err == nil && port != "80" {
		host = net.JoinHostPort(host, port)
	}
	return "http://" + host
}

// staticFiles serves the files below a directory until it is closed.
func staticFiles(dir string) (route.Files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &rootFiles{Handler: static.New(root, static.Options{Encodings: compression.All()}), Closer: root}, nil
}

type rootFiles struct {
	*static.Handler
	io.Closer
}
