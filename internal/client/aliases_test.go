package client_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft"
)

func TestAliases(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "server"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	ref := aloft.StageRef{App: "shop", Stage: "staging"}
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if _, err := s.Deploy(ctx, aloft.DeployInput{Stage: ref, Dir: dir}, aloft.Discard{}); err != nil {
				t.Fatal(err)
			}
			live := aloft.Alias{StageRef: ref, Function: "resize", Name: "live", Version: 1, Weights: map[int]float64{2: 0.25}, Description: "why"}
			made, err := s.CreateAlias(ctx, live)
			if err != nil || made.Revision == "" || made.Weights[2] != 0.25 || made.Description != "why" || made.StageRef != ref {
				t.Errorf("CreateAlias: %+v, %v", made, err)
			}
			if _, err := s.CreateAlias(ctx, live); aloft.ErrorCode(err) != aloft.Conflict {
				t.Errorf("second CreateAlias: %v", err)
			}
			live.Version, live.Weights = 3, nil
			if _, err := s.UpdateAlias(ctx, live); err != nil {
				t.Error(err)
			}
			if all, err := s.Aliases(ctx, ref); err != nil || len(all) != 1 || all[0].Version != 3 || len(all[0].Weights) != 0 || all[0].Function != "resize" {
				t.Errorf("Aliases: %+v, %v", all, err)
			}
			if err := s.DeleteAlias(ctx, ref, "", "live"); aloft.ErrorCode(err) != aloft.NotFound {
				t.Errorf("DeleteAlias of another function: %v", err)
			}
			if err := s.DeleteAlias(ctx, ref, "resize", "live"); err != nil {
				t.Error(err)
			}
			if all, err := s.Aliases(ctx, ref); err != nil || len(all) != 0 {
				t.Errorf("Aliases: %+v, %v", all, err)
			}
			got, err := s.Invoke(ctx, aloft.InvokeInput{Stage: ref, Function: "resize", Payload: []byte("{}"), RequestID: "id", Qualifier: "v4", Tail: true})
			if err != nil || got.RequestID != "id" || got.Release != 4 || len(got.LogTail) == 0 {
				t.Errorf("Invoke: %+v, %v", got, err)
			}
		})
	}
}
