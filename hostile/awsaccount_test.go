package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/awstest"
)

// emulated is the account of the emulator.
const emulated = "123456789012"

// awsShop is an app of its own in regions of its own: as good as an account.
type awsShop struct {
	*shop

	t       *testing.T
	cloud   *awstest.Cloud
	proxy   *awsProxy
	app     string
	regions []string
	url     string // as aloft up printed it
	now     string // what the app says
}

// The parts of regions' names: no two shops of an emulator share a region.
var (
	worlds     = strings.Fields("eu us ap sa ca me af il mx")
	directions = strings.Fields("north south east west central northeast northwest southeast southwest")
)

// hasty is a command that waits ten seconds for an answer of AWS, where others wait half a minute.
const hasty = "hasty"

// newAWSShop makes number n of an emulator's shops.
func newAWSShop(t *testing.T, cloud *awstest.Cloud, proxy *awsProxy, n, regions int) *awsShop {
	t.Helper()
	s := &awsShop{t: t, cloud: cloud, proxy: proxy, app: fmt.Sprintf("shop%d", n)}
	for i := range regions {
		s.regions = append(s.regions, fmt.Sprintf("%s-%s-%d", worlds[n%len(worlds)], directions[n/len(worlds)%len(directions)], 2*(n/len(worlds)/len(directions))+i+1))
	}
	s.shop = newShop(t, "")
	s.Variant = hasty
	s.write(t, "aloft.yml", fmt.Sprintf("name: %s\nstages: {production: {platform: aws, aws: {architecture: %s, regions: [%s]}}}\n",
		s.app, map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH], strings.Join(s.regions, ", ")))
	for _, pair := range cloud.Env() {
		if !strings.HasPrefix(pair, "AWS_MAX_ATTEMPTS=") && !strings.HasPrefix(pair, "AWS_ENDPOINT_URL=") {
			s.Env = append(s.Env, pair)
		}
	}
	s.Env = append(s.Env, "AWS_ENDPOINT_URL="+proxy.server.URL)
	return s
}

// outcome is how a command ended.
type outcome struct {
	status int // -1: killed
	out    string
	said   string
	took   time.Duration
}

// aloft runs a command while one request goes wrong.
func (s *awsShop) aloft(plan awsPlan, args ...string) outcome {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := s.Command(ctx, s.dir, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = 10 * time.Second
	started, ended := make(chan struct{}), make(chan struct{})
	s.proxy.begin(plan, func() {
		<-started
		_ = cmd.Process.Kill()
		<-ended
	})
	began := time.Now()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	close(started)
	_ = cmd.Wait() // its status says it
	close(ended)
	if ctx.Err() != nil {
		s.t.Errorf("aloft %s did not end in 5 minutes:\n%s", strings.Join(args, " "), said.String())
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), said.String(), time.Since(began)}
}

// good runs a command that has to succeed.
func (s *awsShop) good(args ...string) outcome {
	s.t.Helper()
	o := s.aloft(awsPlan{kind: noFault}, args...)
	if o.status != 0 {
		s.t.Errorf("aloft %s: status %d\n%s", strings.Join(args, " "), o.status, o.said)
	}
	return o
}

func (s *awsShop) up() {
	s.t.Helper()
	o := s.good("up", "production")
	if url := strings.TrimSpace(o.out); url != "" {
		s.url = url
	}
}

// ask asks the app as a visitor does.
func (s *awsShop) ask() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return "", err
	}
	client := s.cloud.Client()
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", answer.Status, text)
	}
	return strings.TrimSpace(string(text)), err
}

// look learns what the app says.
func (s *awsShop) look() {
	s.t.Helper()
	if s.url == "" {
		s.url = strings.TrimSpace(s.aloft(awsPlan{kind: noFault}, "url", "production").out)
	}
	if s.url == "" {
		return
	}
	text, err := s.ask()
	if err != nil {
		s.t.Errorf("the app does not answer: %v", err)
	}
	s.now = text
}

// unlock takes the lock of a command that was killed, so that nobody has to wait for its end.
func (s *awsShop) unlock() {
	s.t.Helper()
	if o := s.aloft(awsPlan{kind: noFault}, "unlock", "production"); o.status != 0 && !strings.Contains(o.said, "nobody holds the lock") {
		s.t.Errorf("unlock: status %d\n%s", o.status, o.said)
	}
}

var hinted = regexp.MustCompile(`(?m)^hint:.*?\b(aloft [a-z][^;:,()]*)`)

// recover types the same command again. If that fails, it types the one command that the hint says, and then the same again.
func (s *awsShop) recover(round awsRound) outcome {
	s.t.Helper()
	o := s.aloft(awsPlan{kind: noFault}, round.args...)
	if o.status == 0 || round.new == "" && strings.Contains(o.said, "nothing is deployed") {
		return o
	}
	found := hinted.FindStringSubmatch(o.said)
	if found == nil {
		s.t.Errorf("the same command again: status %d without a command in its hint\n%s", o.status, o.said)
		return o
	}
	s.t.Logf("the hint is followed: %s", found[1])
	s.good(strings.Fields(found[1])[1:]...)
	return s.good(round.args...)
}

// visitors asks again and again until stop is called, which returns how often, and what else than one of the texts came.
func (s *awsShop) visitors(texts ...string) (stop func() (asked int, wrong []string)) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var wait sync.WaitGroup
	asked, wrong := 0, []string{}
	wait.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			text, err := s.ask()
			asked++
			if err != nil {
				wrong = append(wrong, err.Error())
			} else if !slices.Contains(texts, text) {
				wrong = append(wrong, fmt.Sprintf("%q", text))
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() (int, []string) {
		cancel()
		wait.Wait()
		return asked, wrong
	}
}

// history complains of what no history of a stage may have. It returns the current release's version.
func (s *awsShop) history() (current int) {
	s.t.Helper()
	o := s.good("releases", "production", "--json", "--limit", "0")
	var all []release
	if err := json.Unmarshal([]byte(o.out), &all); err != nil {
		s.t.Errorf("releases printed %q: %v", o.out, err)
	}
	last := 0
	for _, r := range slices.Backward(all) {
		if r.Version <= last {
			s.t.Errorf("v%d comes after v%d", r.Version, last)
		}
		last = r.Version
		if r.Status == "pending" {
			s.t.Errorf("v%d is pending for ever", r.Version)
		}
		if r.Current && current != 0 {
			s.t.Errorf("v%d and v%d are both current", current, r.Version)
		}
		if r.Current {
			current = r.Version
		}
	}
	return current
}

// left is all that the emulator has of the app in its regions, and of deploys that are over, each a word.
func (s *awsShop) left() []string {
	s.t.Helper()
	var all []string
	var errs []error
	for _, region := range s.regions {
		config := s.cloud.Config.Copy()
		config.Region = region
		l := &leftovers{ctx: s.t.Context(), config: config, app: s.app, bucket: "aloft-" + emulated + "-" + region}
		for _, look := range []func() error{l.stacks, l.functions, l.groups, l.roles, l.secrets, l.objects} {
			errs = append(errs, look())
		}
		for _, one := range l.found {
			all = append(all, strings.ReplaceAll(one, s.app, "shop"))
		}
	}
	if err := errors.Join(errs...); err != nil {
		s.t.Error(err)
	}
	slices.Sort(all)
	return all
}

// noServer fails if a command started a server of this machine for a stage that is on AWS.
func (s *awsShop) noServer() {
	s.t.Helper()
	if _, err := os.Stat(s.Home + "/server.log"); err == nil {
		s.t.Error("a server was started for a stage on AWS")
	}
}
