package appservicetest

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// addReleases makes n succeeded releases of web/staging.
func addReleases(t *testing.T, s aloft.AppService, n int) aloft.StageRef {
	t.Helper()
	staging := addWeb(t, s)
	for range n {
		must(t, s.FinishRelease(t.Context(), staging, addRelease(t, s, staging), ""))
	}
	return staging
}

func testAliases(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addReleases(t, s, 3)
	if got, err := s.Aliases(ctx, staging); err != nil || len(got) != 0 {
		t.Errorf("Aliases of a stage without: %v, %v", got, err)
	}
	_, err := s.Aliases(ctx, ref("web", "none"))
	wantCode(t, "Aliases without stage", err, aloft.NotFound)

	live := aloft.Alias{StageRef: staging, Name: "live", Version: 2, Weights: map[int]float64{3: 0.1, 1: 0.25}, Description: "größe", UpdatedAt: created}
	made, err := s.CreateAlias(ctx, live)
	must(t, err)
	if live.Revision = made.Revision; made.Revision == "" || !reflect.DeepEqual(made, live) {
		t.Errorf("CreateAlias returned %+v, want %+v and a revision", made, live)
	}
	_, err = s.CreateAlias(ctx, live)
	wantCode(t, "second CreateAlias", err, aloft.Conflict)
	for _, a := range []aloft.Alias{{Function: "resize", Name: "live", Version: 1}, {Function: "create", Name: "beta", Version: 3}, {Name: aloft.CurrentAlias, Weights: map[int]float64{1: 1}}} {
		a.StageRef = staging
		_, err = s.CreateAlias(ctx, a)
		must(t, err)
	}
	got, err := s.Aliases(ctx, staging)
	must(t, err)
	if len(got) != 4 || !reflect.DeepEqual(got[1], live) || got[0].Name != aloft.CurrentAlias || got[2].Function != "create" || got[3].Function != "resize" {
		t.Errorf("Aliases: %+v", got)
	}
	must(t, s.DeleteAlias(ctx, staging, "resize", "live"))
	wantCode(t, "second DeleteAlias", s.DeleteAlias(ctx, staging, "resize", "live"), aloft.NotFound)
	wantCode(t, "DeleteAlias without stage", s.DeleteAlias(ctx, ref("web", "none"), "", "live"), aloft.NotFound)

	must(t, s.DeleteStage(ctx, staging))
	addStage(t, s, staging)
	if got, err := s.Aliases(ctx, staging); err != nil || len(got) != 0 {
		t.Errorf("Aliases of a new stage of an old name: %v, %v", got, err)
	}
}

func testUpdateAlias(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addReleases(t, s, 2)
	live := aloft.Alias{StageRef: staging, Name: "live", Version: 1, Weights: map[int]float64{2: 0.5}, Description: "why", UpdatedAt: created}
	_, err := s.UpdateAlias(ctx, live)
	wantCode(t, "UpdateAlias of none", err, aloft.NotFound)
	first, err := s.CreateAlias(ctx, live)
	must(t, err)
	second, err := s.UpdateAlias(ctx, aloft.Alias{StageRef: staging, Name: "live", Version: 2, Revision: first.Revision})
	must(t, err)
	if second.Version != 2 || second.Description != "" || len(second.Weights) != 0 || second.Revision == "" || second.Revision == first.Revision {
		t.Errorf("UpdateAlias returned %+v", second)
	}
	_, err = s.UpdateAlias(ctx, first)
	wantCode(t, "UpdateAlias of an old revision", err, aloft.Conflict)
	live.Revision = ""
	_, err = s.UpdateAlias(ctx, live)
	must(t, err)
	got, err := s.Aliases(ctx, staging)
	must(t, err)
	got[0].Weights[2] = 0.9
	if got, err = s.Aliases(ctx, staging); err != nil || len(got) != 1 || got[0].Version != 1 || got[0].Weights[2] != 0.5 {
		t.Errorf("Aliases: %+v, %v", got, err)
	}
}

func testBadAliases(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addReleases(t, s, 2)
	pending := addRelease(t, s, staging)
	for _, test := range []struct {
		alias aloft.Alias
		code  aloft.Code
	}{
		{aloft.Alias{Name: "", Version: 1}, aloft.Invalid},
		{aloft.Alias{Name: "12", Version: 1}, aloft.Invalid},
		{aloft.Alias{Name: aloft.LatestVersion, Version: 1}, aloft.Invalid},
		{aloft.Alias{Name: strings.Repeat("a", 129), Version: 1}, aloft.Invalid},
		{aloft.Alias{Name: "live", Version: 1, Function: "No"}, aloft.Invalid},
		{aloft.Alias{Name: "live"}, aloft.Invalid},
		{aloft.Alias{Name: "live", Version: -1}, aloft.Invalid},
		{aloft.Alias{Name: aloft.CurrentAlias, Version: 1}, aloft.Invalid},
		{aloft.Alias{Name: "live", Version: 1, Weights: map[int]float64{1: 0.5}}, aloft.Invalid},
		{aloft.Alias{Name: "live", Version: 1, Weights: map[int]float64{2: 0}}, aloft.Invalid},
		{aloft.Alias{Name: "live", Version: 1, Weights: map[int]float64{2: math.NaN()}}, aloft.Invalid},
		{aloft.Alias{Name: "live", Version: 1, Weights: map[int]float64{2: 0.6, 3: 0.6}}, aloft.Invalid},
		{aloft.Alias{Name: "live", Version: 9}, aloft.NotFound},
		{aloft.Alias{Name: "live", Version: 1, Weights: map[int]float64{9: 0.5}}, aloft.NotFound},
		{aloft.Alias{Name: "live", Version: pending}, aloft.Conflict},
	} {
		test.alias.StageRef = staging
		_, err := s.CreateAlias(ctx, test.alias)
		wantCode(t, "CreateAlias of a bad one", err, test.code)
	}
	_, err := s.CreateAlias(ctx, aloft.Alias{StageRef: ref("web", "none"), Name: "live", Version: 1})
	wantCode(t, "CreateAlias without stage", err, aloft.NotFound)
}
