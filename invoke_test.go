package aloft_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

func TestFunctionName(t *testing.T) {
	for want, got := range map[string]string{
		"shop-create":         aloft.StageRef{App: "shop", Stage: "production"}.FunctionName("create"),
		"shop-create-staging": aloft.StageRef{App: "shop", Stage: "staging"}.FunctionName("create"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	long := aloft.StageRef{App: strings.Repeat("a", 40), Stage: "staging"}
	one, two := long.FunctionName("create-thumbnail-of-images"), long.FunctionName("create-thumbnail-of-videos")
	if len(one) != 64 || len(two) != 64 || one == two || one != long.FunctionName("create-thumbnail-of-images") {
		t.Errorf("%q and %q", one, two)
	}
}
