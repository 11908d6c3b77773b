package apitest

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/creack/pty"

	"github.com/aloft-run/aloft"
)

// Overview implements aloft.Operator.
func (f *Fake) Overview(_ context.Context, app string) ([]aloft.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var statuses []aloft.Status
	for _, ref := range f.refs() {
		if app != "" && ref.App != app {
			continue
		}
		s := f.stages[ref]
		status := aloft.Status{Stage: s.Clone(), URL: f.url(s), Isolation: "none", Instances: []aloft.Instance{}}
		if s.Current > 0 && !s.Stopped {
			status.Instances = []aloft.Instance{{
				ID: "web.1", Function: "web", Release: s.Current, State: aloft.Ready, PID: 4711,
				Listen: "127.0.0.1:3000", StartedAt: s.CreatedAt,
			}}
		}
		statuses = append(statuses, status)
	}
	if app != "" && statuses == nil {
		return nil, aloft.Errorf(aloft.NotFound, "there is no app %q", app)
	}
	return statuses, nil
}

// Config implements aloft.Operator.
func (f *Fake) Config(_ context.Context, ref aloft.StageRef) (aloft.Config, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return nil, err
	}
	return s.current(), nil
}

// SetDomains implements aloft.Operator.
func (f *Fake) SetDomains(_ context.Context, ref aloft.StageRef, domains []string) (aloft.Stage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return aloft.Stage{}, err
	}
	if slices.Contains(domains, "taken.example") {
		return aloft.Stage{}, aloft.Errorf(aloft.Conflict, "taken.example belongs to another app").WithHint("remove it there first")
	}
	s.Domains = slices.Sorted(slices.Values(domains))
	return s.Clone(), nil
}

// Stop implements aloft.Operator.
func (f *Fake) Stop(_ context.Context, ref aloft.StageRef) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err == nil {
		s.Stopped = true
	}
	return err
}

// Resources implements aloft.ResourceLister: a stage that exists has one bucket.
func (f *Fake) Resources(ctx context.Context, ref aloft.StageRef) ([]aloft.ResourceStatus, error) {
	if _, err := f.Releases(ctx, ref, 1); err != nil {
		return nil, err
	}
	r := aloft.Resource{Name: "uploads", Type: aloft.Bucket}
	return []aloft.ResourceStatus{{
		Resource: r.Name, Type: r.Type, Name: ref.ResourceName(r), ARN: "arn:aws:s3:::" + ref.ResourceName(r), Variable: "UPLOADS_BUCKET",
		Counts: []aloft.ResourceCount{{What: "objects", N: 3}},
	}}, nil
}

// Invoke implements aloft.Invoker: the event is the answer, and "fail" an error.
func (f *Fake) Invoke(_ context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(input.Stage)
	if err != nil {
		return aloft.Invoked{}, err
	}
	if input.Async {
		return s.later(input), nil
	}
	invoked := aloft.Invoked{RequestID: cmp.Or(input.RequestID, "4711"), Release: 1, Payload: input.Payload, Elapsed: time.Millisecond}
	if version, ok := aloft.ParseVersion(input.Qualifier); ok {
		invoked.Release = version
	}
	if input.Tail {
		invoked.LogTail = []byte("START\nEND\n")
	}
	if string(input.Payload) == `"fail"` {
		invoked.FunctionError, invoked.Payload = "TypeError", []byte(`{"errorMessage":"no","errorType":"TypeError"}`)
	}
	return invoked, nil
}

// Restart implements aloft.Operator.
func (f *Fake) Restart(_ context.Context, ref aloft.StageRef, _ aloft.Reporter) (aloft.Deployment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return aloft.Deployment{}, err
	}
	s.Stopped = false
	return aloft.Deployment{Release: s.releases[len(s.releases)-1], URL: f.url(s)}, nil
}

// Destroy implements aloft.Operator.
func (f *Fake) Destroy(_ context.Context, ref aloft.StageRef) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := false
	for r := range f.stages {
		if r == ref || (ref.Stage == "" && r.App == ref.App) {
			delete(f.stages, r)
			found = true
		}
	}
	if !found {
		return aloft.Errorf(aloft.NotFound, "there is no %s", ref)
	}
	return nil
}

// Run implements aloft.Runner with four commands: "cat" copies input to output, "tty" shows its terminal, "exit N" ends with status N and a line on
// standard error, "hang" runs until it is canceled.
func (f *Fake) Run(ctx context.Context, input aloft.RunInput) (int, error) {
	f.mu.Lock()
	_, err := f.find(input.Stage)
	f.mu.Unlock()
	if err != nil {
		return 0, err
	}
	switch input.Command[0] {
	case "cat":
		_, err := io.Copy(input.Stdout, input.Stdin)
		return 0, err
	case "exit":
		status, err := strconv.Atoi(input.Command[1])
		fmt.Fprintln(input.Stderr, "bye")
		return status, err
	case "tty": // says what terminal it has, and the first line typed
		if input.Terminal == nil {
			return 1, nil
		}
		line, err := bufio.NewReader(input.Terminal.File).ReadString('\n')
		rows, cols, _ := pty.Getsize(input.Terminal.File)
		fmt.Fprintf(input.Terminal.File, "%s %dx%d %s", input.Terminal.Type, rows, cols, line)
		return 0, err
	case "hang":
		fmt.Fprintln(input.Stdout, "hanging")
		<-ctx.Done()
		return 0, ctx.Err()
	default:
		return 0, aloft.Errorf(aloft.Failed, "%s: no such program", input.Command[0])
	}
}

// Logs implements aloft.LogService with three lines, and with Follow a line a millisecond until ctx ends.
func (f *Fake) Logs(ctx context.Context, query aloft.LogQuery) iter.Seq2[aloft.LogLine, error] {
	return func(yield func(aloft.LogLine, error) bool) {
		f.mu.Lock()
		_, err := f.find(query.Stage)
		f.mu.Unlock()
		if err != nil {
			yield(aloft.LogLine{}, err)
			return
		}
		texts := []string{"one", "two \x1b[2Jcleared", "three"}
		if query.Limit > 0 {
			texts = texts[max(0, len(texts)-query.Limit):]
		}
		line := aloft.LogLine{Time: time.Now(), Release: 1, Function: "web", Instance: "web.1", Stream: "stdout"}
		for _, line.Text = range texts {
			if !yield(line, nil) {
				return
			}
		}
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for query.Follow {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				line.Text = "more"
				if !yield(line, nil) {
					return
				}
			}
		}
	}
}

// CreateRelease implements aloft.ReleaseStore; the API never calls it.
func (f *Fake) CreateRelease(context.Context, aloft.Release) (aloft.Release, error) {
	return aloft.Release{}, aloft.Errorf(aloft.Internal, "the API creates no releases")
}

// FinishRelease implements aloft.ReleaseStore; the API never calls it.
func (f *Fake) FinishRelease(context.Context, aloft.StageRef, int, string) error {
	return aloft.Errorf(aloft.Internal, "the API finishes no releases")
}

// Release implements aloft.ReleaseStore.
func (f *Fake) Release(_ context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return aloft.Release{}, err
	}
	if version < 1 || version > len(s.releases) {
		return aloft.Release{}, aloft.Errorf(aloft.NotFound, "%s has no release v%d", ref, version)
	}
	return s.releases[version-1].Clone(), nil
}

// Releases implements aloft.ReleaseStore.
func (f *Fake) Releases(_ context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return nil, err
	}
	var releases []aloft.Release
	for _, r := range slices.Backward(s.releases) {
		if limit > 0 && len(releases) == limit {
			break
		}
		releases = append(releases, r.Clone())
	}
	return releases, nil
}

// Digests implements aloft.ReleaseStore; the API never calls it.
func (f *Fake) Digests(context.Context) (map[string]bool, error) {
	return nil, aloft.Errorf(aloft.Internal, "the API asks for no digests")
}

// EventSources lists what the functions of the current release have.
func (f *Fake) EventSources(_ context.Context, ref aloft.StageRef) ([]aloft.EventSource, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stages[ref]
	if s == nil {
		return nil, aloft.Errorf(aloft.NotFound, "there is no stage %s", ref)
	}
	all := []aloft.EventSource{}
	if len(s.releases) > 0 {
		for _, fn := range s.releases[len(s.releases)-1].Tuned() {
			for _, text := range fn.EventSources {
				all = append(all, aloft.EventSource{Function: fn.Name, Source: text})
			}
		}
	}
	return all, nil
}
