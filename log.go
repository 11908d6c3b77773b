package aloft

import (
	"context"
	"iter"
	"time"
)

// LogLine is one line that an instance printed, or that aloft says about it (Stream "aloft"), or a request (Stream "access").
type LogLine struct {
	Time      time.Time `json:"time"`
	Release   int       `json:"release"`
	Region    string    `json:"region,omitempty"` // on AWS
	Function  string    `json:"function"`
	Instance  string    `json:"instance,omitempty"`
	Stream    string    `json:"stream"` // "stdout", "stderr", "aloft", "access", "run"
	RequestID string    `json:"requestId,omitempty"`
	Text      string    `json:"text"`
}

// LogQuery selects log lines of a stage.
type LogQuery struct {
	Stage  StageRef
	Limit  int       // the last so many; 0 means all
	Since  time.Time // not before; zero means from the start
	Follow bool      // go on with new lines until ctx ends
}

// LogService reads logs. Implementations: logs.Store, client.Client.
type LogService interface {
	// Logs yields lines oldest first. An error ends the sequence. A stage without logs has none.
	Logs(ctx context.Context, query LogQuery) iter.Seq2[LogLine, error]
}
