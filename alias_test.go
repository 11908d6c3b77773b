package aloft_test

import (
	"slices"
	"testing"

	"github.com/aloft-run/aloft"
)

func TestAliasPick(t *testing.T) {
	t.Parallel()
	a := aloft.Alias{Name: "live", Version: 3, Weights: map[int]float64{5: 0.25, 4: 0.5}}
	for at, want := range map[float64]int{0: 4, 0.49: 4, 0.5: 5, 0.74: 5, 0.75: 3, 0.99: 3} {
		if got := a.Pick(at); got != want {
			t.Errorf("Pick(%v) is v%d, want v%d", at, got, want)
		}
	}
	if got := a.Versions(); !slices.Equal(got, []int{3, 4, 5}) {
		t.Errorf("Versions: %v", got)
	}
	if got := (aloft.Alias{Name: aloft.CurrentAlias, Weights: map[int]float64{2: 1}}).Versions(); !slices.Equal(got, []int{2}) {
		t.Errorf("Versions: %v", got)
	}
}

func TestFindAlias(t *testing.T) {
	t.Parallel()
	all := []aloft.Alias{{Name: "live", Version: 1}, {Name: "live", Function: "resize", Version: 2}, {Name: "beta", Function: "resize", Version: 3}}
	for _, test := range []struct {
		function, name string
		version        int
	}{{"resize", "live", 2}, {"create", "live", 1}, {"resize", "beta", 3}, {"create", "beta", 0}} {
		if got, ok := aloft.FindAlias(all, test.function, test.name); got.Version != test.version || ok != (test.version != 0) {
			t.Errorf("%s of %s is %+v, %v", test.name, test.function, got, ok)
		}
		slices.Reverse(all)
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"4": 4, "v12": 12, "0": 0, "v": 0, "": 0, "-1": 0, "+1": 0, "vv1": 0, "1v": 0, "99999999999999999999": 0} {
		if got, ok := aloft.ParseVersion(text); ok != (want != 0) || ok && got != want {
			t.Errorf("%q is %d, %v", text, got, ok)
		}
	}
}
