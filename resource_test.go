package aloft_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

func TestResourceName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 40)
	for _, c := range []struct {
		stage string
		r     aloft.Resource
		want  string
	}{
		{"production", aloft.Resource{Name: "jobs", Type: aloft.Queue}, "shop-jobs"},
		{"staging", aloft.Resource{Name: "jobs", Type: aloft.Queue, Options: map[string]string{"fifo": "true"}}, "shop-jobs-staging.fifo"},
		{"staging", aloft.Resource{Name: "up", Type: aloft.Bucket}, "shop-up-staging"},
	} {
		if got := (aloft.StageRef{App: "shop", Stage: c.stage}).ResourceName(c.r); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	ref := aloft.StageRef{App: long, Stage: "staging"}
	bucket, other := ref.ResourceName(aloft.Resource{Name: long, Type: aloft.Bucket}), ref.ResourceName(aloft.Resource{Name: long[1:] + "b", Type: aloft.Bucket})
	if len(bucket) > 63 || len(other) > 63 || bucket == other {
		t.Errorf("long names become %s and %s", bucket, other)
	}
}
