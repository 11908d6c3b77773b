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

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/client"
)

var kills = flag.Int("kills", 200, "how often TestKill kills the server")

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
	violations, cut := killLoop(t, newShop(t, ""), n)
	t.Logf("%d kills, %d of them cut a deploy off: %d violations", n, cut, len(violations))
	report(t, "violations", violations)
	if cut == 0 {
		t.Error("no kill hit a deploy: the test shows nothing")
	}
}

// TestKillSeesRowBeforeArtifact is the control: a server that acknowledges artifacts before they are stored is caught.
func TestKillSeesRowBeforeArtifact(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Variant = rowFirst
	for range 6 { // a kill meets the moment now and then
		if violations, _ := killLoop(t, s, 10); len(violations) > 0 {
			return
		}
	}
	t.Error("the seeded bug was not caught")
}

// killLoop deploys and kills n times and returns what went wrong and how many deploys were cut off.
func killLoop(t *testing.T, s *shop, n int) (violations []string, cut int) {
	t.Helper()
	var h history
	random := rand.New(rand.NewPCG(7, 7)) // the same kills again
	for i := range n {
		s.Serve(t)
		violations = append(violations, s.verify(t, &h)...)
		killed := make(chan struct{})
		time.AfterFunc(time.Duration(random.IntN(400))*time.Millisecond, func() {
			s.Kill()
			close(killed)
		})
		for k := 0; ; k++ {
			err := s.deploy(t, &h, fmt.Sprintf("kill-%d-%d", i, k))
			if err == nil {
				continue
			}
			if aloft.ErrorCode(err) != aloft.Unavailable && s.Variant == aloftest.Standard {
				violations = append(violations, fmt.Sprintf("a deploy failed: %v", err))
			}
			if dead(killed, aloft.ErrorCode(err) == aloft.Unavailable) {
				cut++
				break
			}
		}
	}
	s.Serve(t)
	return append(violations, s.verify(t, &h)...), cut
}

// dead reports whether the server was killed, giving the news a moment to arrive. A server that is away was: its end takes
// as long as the kernel needs to take it apart.
func dead(killed chan struct{}, away bool) bool {
	patience := 20 * time.Millisecond
	if away {
		patience = time.Minute
	}
	select {
	case <-killed:
		return true
	case <-time.After(patience):
		return false
	}
}

// deploy deploys a new version. It speaks to the API itself: the command would start another server in place of the
// killed one.
func (s *shop) deploy(t *testing.T, h *history, version string) error {
	t.Helper()
	s.edit(t, version)
	h.tried = version + " \n"
	c := client.New(filepath.Join(s.Home, api.SocketName))
	defer c.Close()
	ref := aloft.StageRef{App: "shop", Stage: aloft.Production}
	d, err := c.Deploy(context.Background(), aloft.DeployInput{Stage: ref, Dir: s.dir}, aloft.Discard{})
	if err == nil {
		h.acked, h.served = d.Release.Version, h.tried
	}
	return err
}

// verify compares the state after a restart with what was acknowledged.
func (s *shop) verify(t *testing.T, h *history) (violations []string) {
	t.Helper()
	var releases []release
	out, errs, err := s.Run(s.dir, "releases", "--stage", "production", "--json")
	switch {
	case err != nil && h.acked == 0:
		return nil // the first deploy was cut off before anything was written
	case err != nil:
		return []string{fmt.Sprintf("releases: %v\n%s", err, errs)}
	}
	if err := json.Unmarshal([]byte(out), &releases); err != nil {
		t.Fatalf("releases printed %q: %v", out, err)
	}
	current := 0
	seen := map[int]string{}
	for _, r := range releases {
		seen[r.Version] = r.Status
		if r.Current {
			current = r.Version
		}
		if err := s.intact(r.Artifact.Digest); err != nil {
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
	if current == 0 {
		return violations
	}
	text, err := s.answer()
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
func (s *shop) intact(digest string) error {
	file, err := os.Open(filepath.Join(s.Home, "artifacts", digest[:2], digest))
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
func (s *shop) answer() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := s.Request(ctx, http.MethodGet, url+"/", "")
	if err != nil {
		return "", err
	}
	res, err := http.DefaultTransport.RoundTrip(request)
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
