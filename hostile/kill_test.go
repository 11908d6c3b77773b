package hostile_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var kills = flag.Int("kills", 40, "how often TestKill kills the server; `make kill` says 200")

// history is what the client of a server that is killed again and again knows for certain.
type history struct {
	acked  int    // the newest release that a command said exists
	served string // what the app said at that release
	tried  string // what the app says if the deploy that was cut off went through
}

// release is an item of `releases --json`.
type release struct {
	Version  int    `json:"version"`
	Status   string `json:"status"`
	Current  bool   `json:"current"`
	Artifact struct {
		Digest string `json:"digest"`
	} `json:"artifact"`
}

// TestKill kills the server at random moments of deploys and starts it again: every acknowledged release is there, whole,
// and the app serves.
func TestKill(t *testing.T) {
	t.Parallel()
	n := *kills
	if testing.Short() {
		n = 10
	}
	violations, cut := killLoop(t, newWorld(t, ""), n)
	t.Logf("%d kills, %d of them cut a deploy off: %d violations", n, cut, len(violations))
	report(t, "violations", violations)
	if cut == 0 {
		t.Error("no kill hit a deploy: the test shows nothing")
	}
}

// TestKillSeesRowBeforeArtifact is the control: a server that acknowledges artifacts before they are stored is caught.
func TestKillSeesRowBeforeArtifact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.part = "aloft-row-before-artifact"
	violations, _ := killLoop(t, w, 10)
	if len(violations) == 0 {
		t.Error("the seeded bug was not caught")
	}
}

// killLoop deploys and kills n times and returns what went wrong and how many deploys were cut off.
func killLoop(t *testing.T, w *world, n int) (violations []string, cut int) {
	t.Helper()
	var h history
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // a test wants the same kills again
	for i := range n {
		w.start(t)
		if h.acked > 0 {
			violations = append(violations, w.verify(t, &h)...)
		}
		moment := time.Duration(random.IntN(400)) * time.Millisecond
		killed := make(chan struct{})
		time.AfterFunc(moment, func() {
			_ = w.cmd.Process.Kill()
			close(killed)
		})
		for k := 0; w.deploy(t, &h, fmt.Sprintf("kill-%d-%d", i, k)); k++ {
		}
		cut++
		<-killed
		_ = w.cmd.Wait()
	}
	w.start(t)
	return append(violations, w.verify(t, &h)...), cut
}

// deploy deploys a new version and reports whether that was acknowledged.
func (w *world) deploy(t *testing.T, h *history, version string) bool {
	t.Helper()
	w.edit(t, version)
	h.tried = version + " \n"
	out, _, err := w.run("up", "production", "--json", "--no-start")
	if err != nil {
		return false
	}
	var d deployment
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatalf("up printed %q: %v", out, err)
	}
	h.acked, h.served = d.Release, h.tried
	return true
}

// verify compares the state after a restart with what was acknowledged.
func (w *world) verify(t *testing.T, h *history) (violations []string) {
	t.Helper()
	var releases []release
	w.must(t, &releases, "releases", "--stage", "production", "--json")
	current := 0
	seen := map[int]string{}
	for _, r := range releases {
		seen[r.Version] = r.Status
		if r.Current {
			current = r.Version
		}
		if err := w.intact(r.Artifact.Digest); err != nil && r.Status == "succeeded" {
			violations = append(violations, fmt.Sprintf("v%d: %v", r.Version, err))
		}
	}
	for v := 1; v <= h.acked; v++ {
		if seen[v] == "" {
			violations = append(violations, fmt.Sprintf("v%d is lost", v))
		}
	}
	if current < h.acked {
		violations = append(violations, fmt.Sprintf("current is v%d, but v%d was acknowledged", current, h.acked))
	}
	text, err := w.answer()
	switch {
	case err != nil:
		violations = append(violations, fmt.Sprintf("the app does not serve after the restart: %v", err))
	case current == h.acked && text != h.served, current > h.acked && text != h.tried:
		violations = append(violations, fmt.Sprintf("v%d serves %q, not %q or %q", current, text, h.served, h.tried))
	}
	if current > h.acked { // the deploy that was cut off had gone through
		h.acked, h.served = current, text
	}
	return violations
}

// intact checks an artifact as it lies on the disk.
func (w *world) intact(digest string) error {
	file, err := os.Open(filepath.Join(w.home, "artifacts", digest[:2], digest))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != digest {
		return fmt.Errorf("artifact %s holds %s", digest, got)
	}
	return nil
}

// answer asks the app once; the gateway lets the request wait while the app starts.
func (w *world) answer() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	res, err := http.DefaultTransport.RoundTrip(w.request(ctx, http.MethodGet, "/", ""))
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, strings.TrimSpace(string(text)))
	}
	return string(text), err
}
