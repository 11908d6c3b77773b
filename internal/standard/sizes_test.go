package standard_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/queue"
	"github.com/aloft-run/aloft/internal/resource/stream"
	"github.com/aloft-run/aloft/internal/resource/topic"
	"github.com/aloft-run/aloft/internal/sqlite"
	"github.com/aloft-run/aloft/internal/standard"
)

// TestSizesOfOlder: resources of a server that knew no sizes are as they were when a new one fails beside it, and are counted when
// that one stays, as they would have been with each write.
func TestSizesOfOlder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openResources(t, dir, false)
	fillResources(t, r)
	want := sizesOf(t, r)
	for kind, n := range want {
		if n == 0 {
			t.Errorf("%s: nothing is counted", kind)
		}
	}
	closeResources(t, r)
	files := []string{"buckets.db", "messages.db", "topics.db", "streams.db"}
	before := map[string]string{}
	for _, name := range files {
		before[name] = asOlder(t, filepath.Join(dir, name), true)
		if strings.Contains(before[name], "sizes") {
			t.Fatal(name, before[name])
		}
	}
	r = openResources(t, dir, true)
	for kind, n := range sizesOf(t, r) {
		if n != 0 {
			t.Errorf("%s: %d bytes before somebody counts", kind, n)
		}
	}
	closeResources(t, r)
	for _, name := range files {
		if after := asOlder(t, filepath.Join(dir, name), false); after != before[name] {
			t.Errorf("%s: a server that failed left %s, there was %s", name, after, before[name])
		}
	}
	r = openResources(t, dir, true)
	if err := r.CountSizes(t.Context()); err != nil {
		t.Fatal(err)
	}
	for kind, n := range sizesOf(t, r) {
		if n != want[kind] {
			t.Errorf("%s: %d bytes were counted, want %d", kind, n, want[kind])
		}
	}
	closeResources(t, r)
}

func openResources(t *testing.T, dir string, shared bool) *standard.Resources {
	t.Helper()
	r, err := standard.OpenResources(t.Context(), standard.ResourceOptions{Dir: dir, Shared: shared, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func closeResources(t *testing.T, r *standard.Resources) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func fillResources(t *testing.T, r *standard.Resources) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"one", "two"} {
		must(r.Buckets.Provision(ctx, resource.Claim{Name: name}))
		must(r.Queues.Provision(ctx, resource.Claim{Name: name}))
		must(r.Topics.Provision(ctx, resource.Claim{Name: name}))
		must(r.Streams.Provision(ctx, resource.Claim{Name: name}))
		_, err := r.Topics.Subscribe(ctx, topic.Subscription{Topic: name, Protocol: topic.ToFunction, Endpoint: "arn:aws:lambda:us-east-1:000000000000:function:f"})
		must(err)
		for _, text := range []string{"short", strings.Repeat("löng", 50_000)} {
			_, err = r.Buckets.Put(ctx, name, "ö"+text[:2], nil, strings.NewReader(text), nil)
			must(err)
			_, err = r.Queues.Send(ctx, name, queue.Send{Body: text})
			must(err)
			_, err = r.Topics.Publish(ctx, name, topic.Message{Body: text})
			must(err)
			_, err = r.Streams.Put(ctx, name, []stream.Entry{{Key: "kéy", Data: []byte(text)}})
			must(err)
		}
		id, err := r.Buckets.StartUpload(ctx, name, "u", nil)
		must(err)
		_, err = r.Buckets.PutPart(ctx, name, "u", id, 1, strings.NewReader("part"))
		must(err)
	}
}

func sizesOf(t *testing.T, r *standard.Resources) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	for kind, of := range map[string]func(context.Context, string) (int64, error){
		"buckets": r.Buckets.Size, "queues": r.Queues.Size, "topics": r.Topics.Size, "streams": r.Streams.Size,
	} {
		n, err := of(t.Context(), "")
		if err != nil {
			t.Error(err)
		}
		sizes[kind] = n
	}
	return sizes
}

// asOlder opens a database as a server that knows no sizes does, removes what it does not know if told to, and returns what else is
// there.
func asOlder(t *testing.T, path string, remove bool) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := sqlite.OpenDatabase(t.Context(), path, sqlite.Kind{
		ID: int64(binary.BigEndian.Uint32(content[68:])), Schema: fstest.MapFS{"migrations/0001.sql": {}}, // the head has the ID there
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	rows, err := d.Reader().QueryContext(t.Context(), `SELECT type, name FROM sqlite_schema ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var drops, rest []string
	for rows.Next() {
		var kind, name string
		if err := rows.Scan(&kind, &name); err != nil {
			t.Fatal(err)
		}
		if kind == "trigger" || name == "sizes" || name == "sizes_count" {
			drops = append(drops, "DROP "+kind+" "+name)
		} else if !strings.HasPrefix(name, "sqlite_autoindex_sizes") {
			rest = append(rest, name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !remove {
		return strings.Join(append(rest, drops...), " ")
	}
	if _, err := d.Writer().ExecContext(t.Context(), strings.Join(drops, "; ")); err != nil {
		t.Fatal(err)
	}
	return strings.Join(rest, " ")
}
