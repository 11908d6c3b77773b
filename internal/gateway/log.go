package gateway

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"

	"github.com/caddyserver/caddy/v2"
)

// logWriter carries Caddy's log, one JSON object per line, to the gateway's logger.
type logWriter struct{}

var _ caddy.WriterOpener = (*logWriter)(nil)

// CaddyModule says what the module is called and how it is made.
func (*logWriter) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.writers.aloft", New: func() caddy.Module { return new(logWriter) }}
}

// String names the destination.
func (*logWriter) String() string { return "aloft" }

// WriterKey tells destinations apart.
func (*logWriter) WriterKey() string { return "aloft" }

// OpenWriter returns the logger of the gateway that is being started; Start holds the lock.
func (*logWriter) OpenWriter() (io.WriteCloser, error) { return logLines{running.gateway.log}, nil }

type logLines struct{ log *slog.Logger }

func (l logLines) Close() error { return nil }

func (l logLines) Write(p []byte) (int, error) {
	entry := map[string]any{}
	if err := json.Unmarshal(p, &entry); err != nil {
		entry["msg"] = string(p)
	}
	level := slog.LevelWarn
	if entry["level"] == "error" {
		level = slog.LevelError
	}
	message, _ := entry["msg"].(string)
	for _, known := range []string{"level", "ts", "msg"} {
		delete(entry, known)
	}
	attrs := make([]slog.Attr, 0, len(entry))
	for k, v := range entry {
		attrs = append(attrs, slog.Any(k, v))
	}
	l.log.LogAttrs(context.Background(), level, message, attrs...)
	return len(p), nil
}
