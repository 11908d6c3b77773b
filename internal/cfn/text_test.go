package cfn_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/cfn"
)

func TestText(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{
		"plain": "plain", "${Jobs.Arn}": cfn.GetAtt("Jobs", "Arn"), "${Topic}": cfn.Ref("Topic"), "arn:${AWS::Partition}:s3:::x": cfn.Sub("arn:${AWS::Partition}:s3:::x"),
		`{"a":1,"b":2}`: map[string]any{"b": 2, "a": 1},
	} {
		if got := cfn.Text(value); got != want {
			t.Errorf("%v is %s, want %s", value, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 50)
	a, b := cfn.Shorten(long+"-x", 28), cfn.Shorten(long+"-y", 28)
	if len(a) > 28 || a == b || cfn.Shorten("shop-jobs", 28) != "shop-jobs" || a != cfn.Shorten(long+"-x", 28) {
		t.Errorf("%s, %s", a, b)
	}
}
