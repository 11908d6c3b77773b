package hostile_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/cli"
	"github.com/aloft-run/aloft/internal/client"
)

// counted is a server that tells how many goroutines it has; leaky one that forgets some, and some files.
const counted, leaky = "counted", "leaky"

// tellGoroutines says their number to whoever connects to a socket in the server's home.
func tellGoroutines(leak bool) func(*cli.Process) {
	return func(p *cli.Process) {
		home := ""
		for _, kv := range p.Env {
			if value, ok := strings.CutPrefix(kv, "ALOFT_HOME="); ok {
				home = value
			}
		}
		if len(p.Args) == 0 || p.Args[0] != "serve" {
			return
		}
		_ = os.MkdirAll(home, 0o700)
		l, err := net.Listen("unix", filepath.Join(home, "goroutines"))
		if err != nil {
			return
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				if leak {
					go forget()
				}
				fmt.Fprintln(c, runtime.NumGoroutine())
				_ = c.Close()
			}
		}()
	}
}

// forget keeps a file open for ever.
func forget() {
	if f, err := os.Open(os.DevNull); err == nil {
		<-context.Background().Done() // never
		_ = f.Close()
	}
}

// resources are what a server holds, by kind.
type resources map[string]int

// held counts what the server and the machine hold for it.
func (s *shop) held(t *testing.T) resources {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Home, "server.lock"))
	if err != nil {
		t.Fatal(err)
	}
	proc := filepath.Join("/proc", strings.TrimSpace(string(text)))
	r := resources{"goroutines": s.goroutines(t)}
	entries := func(pattern string) int {
		all, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	r["descriptors"] = entries(proc + "/fd/*")
	r["mounts"] = lines(t, proc+"/mountinfo")
	r["children"] = len(strings.Fields(read(t, proc+"/task/"+filepath.Base(proc)+"/children")))
	sum := sha256.Sum256([]byte(s.Home)) // as the server names what is its own on the machine
	name := "aloft-" + hex.EncodeToString(sum[:4])
	r["control groups"] = entries("/sys/fs/cgroup/*/"+name+"/*/tasks") + entries("/sys/fs/cgroup/"+name+"/*/cgroup.procs")
	sum = sha256.Sum256([]byte(name))
	r["network interfaces"] = entries("/sys/class/net/al" + hex.EncodeToString(sum[:3]) + "-*")
	r["files in the home"] = s.filesInHome(t)
	return r
}

func (s *shop) goroutines(t *testing.T) int {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "unix", filepath.Join(s.Home, "goroutines"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	text, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// filesInHome counts what lies in the home, without the database's own files.
func (s *shop) filesInHome(t *testing.T) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(s.Home, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Base(filepath.Dir(path)) != "state" {
			n++
		}
		return nil // what goes away meanwhile is not there
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// listing names what lies in the home and what the server has open.
func (s *shop) listing() string {
	out, _ := exec.Command("sh", "-c", `find "$1" -type f; ls -l /proc/$(cat "$1/server.lock")/fd`, "sh", s.Home).CombinedOutput()
	return string(out)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("needs Linux's /proc: %v", err)
	}
	return string(text)
}

func lines(t *testing.T, name string) int {
	t.Helper()
	return strings.Count(read(t, name), "\n")
}

// sourced is the manifest of an app with resources of all kinds and events from them.
const sourced = `resources: {jobs: queue, orders: topic, pictures: bucket, clicks: stream}
functions:
  web: {events: ["queue:jobs", "topic:orders", "bucket:pictures", "stream:clicks", "schedule:rate(1 minute)"]}
`

// churn deploys an app from each directory, n times together, and destroys them. Every other app has resources.
func (s *shop) churn(t *testing.T, dirs []string, n int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for a, dir := range dirs {
		name := fmt.Sprintf("app-%d", a)
		if a%2 == 1 {
			if err := os.WriteFile(filepath.Join(dir, "aloft.yml"), []byte(sourced), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		wg.Go(func() {
			c := client.New(filepath.Join(s.Home, api.SocketName))
			defer c.Close()
			ref := aloft.StageRef{App: name, Stage: aloft.Production}
			for i := range n / len(dirs) {
				text := fmt.Sprintf("#!/bin/sh\nexec %q hostile-app %d\n", self, i)
				if i%10 == 9 {
					text = "#!/bin/sh\nexit 1\n" // failures leave nothing either
				}
				if err := os.WriteFile(filepath.Join(dir, "server"), []byte(text), 0o755); err != nil {
					t.Error(err)
					return
				}
				_, err := c.Deploy(context.Background(), aloft.DeployInput{Stage: ref, Dir: dir}, aloft.Discard{})
				if (err != nil) != (i%10 == 9) {
					t.Errorf("deploy %d of %s: %v", i, name, err)
				}
			}
			if err := c.Destroy(context.Background(), aloft.StageRef{App: name}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// poolSpace is how many more descriptors may be open afterwards: the pools of database connections and of user namespaces
// grow to what was needed at once, which differs from run to run, and no further.
const poolSpace = 64

// standing is how much more there may be afterwards, by kind: one or two sandboxes stand ready at any moment.
func standing() resources {
	return resources{"descriptors": poolSpace, "control groups": 4, "network interfaces": 1, "goroutines": 2}
}

// TestLeaks (G26): after many deploys, good and bad, and the end of their apps, the server holds what it held before.
func TestLeaks(t *testing.T) {
	s := newShop(t, "")
	s.Variant = counted
	s.Serve(t)
	dirs := make([]string, 8)
	for i := range dirs {
		dirs[i] = t.TempDir()
	}
	s.churn(t, dirs, 16) // what is made once is made
	before := s.held(t)
	n := scaled(10_000, 100)
	began := time.Now()
	s.churn(t, dirs, n)
	took := time.Since(began)
	var after resources
	aloftest.Eventually(t, time.Minute, func() error {
		after = s.held(t)
		for kind, n := range after {
			if n > before[kind]+standing()[kind] {
				return fmt.Errorf("before %v\nafter %v\n%s", before, after, s.listing())
			}
		}
		return nil
	})
	t.Logf("%d deploys of %d apps in %v; before and after: %v", n, len(dirs), took.Round(time.Second), after)
}

// TestLeaksAreSeen is the control: what a server forgets is counted.
func TestLeaksAreSeen(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Variant = leaky
	s.Serve(t)
	before := s.held(t) // it forgets something each time it is asked
	for range 2 * poolSpace {
		s.goroutines(t)
	}
	if after := s.held(t); after["goroutines"] <= before["goroutines"]+standing()["goroutines"] || after["descriptors"] <= before["descriptors"] {
		t.Errorf("before %v, after %v", before, after)
	}
}
