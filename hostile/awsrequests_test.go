package hostile_test

import (
	"slices"
	"strings"
	"testing"
)

// TestAWSRequests bounds how much commands ask of an account: each request to AWS takes some 20 to 100 ms, and may fail. With -v
// it lists the requests and the times; ALOFT_AWS_DELAY=50ms makes each take so much longer.
func TestAWSRequests(t *testing.T) {
	t.Parallel()
	cloud, proxy := newAWSEmulator(t)
	s := newAWSShop(t, cloud, proxy, 1, 1)
	for _, step := range []struct {
		what, edit string
		args       []string
		most       int // 0: as many as CloudFormation takes
	}{
		{what: "first deploy", edit: "one", args: []string{"up", "production"}},
		{what: "unchanged", args: []string{"up", "production"}, most: 12},
		{what: "code", edit: "two", args: []string{"up", "production"}, most: 28},
		{what: "config", args: []string{"config", "set", "COLOUR=red", "--stage", "production"}},
		{what: "code with config", edit: "three", args: []string{"up", "production"}, most: 29},
		{what: "unchanged, with config", args: []string{"up", "production"}, most: 13},
		{what: "rollback", args: []string{"rollback", "--stage", "production"}, most: 28},
		{what: "status", args: []string{"status", "production"}, most: 10},
		{what: "destroy", args: []string{"destroy", "production", "--yes"}},
	} {
		if step.edit != "" {
			s.edit(t, step.edit)
		}
		o := s.good(step.args...)
		names, _ := proxy.seen()
		t.Logf("%s: %d requests in %v: %s", step.what, len(names), o.took, strings.Join(names, ", "))
		if n := len(withoutPolls(names)); step.most > 0 && n > step.most {
			t.Errorf("%s: %d requests besides those that wait, want at most %d", step.what, n, step.most)
		}
	}
}

// withoutPolls leaves out the looks at a function that is not ready yet: how many there are is a matter of time.
func withoutPolls(names []string) []string {
	return slices.CompactFunc(slices.Clone(names), func(a, b string) bool { return a == b && a == "GET functions/configuration" })
}
