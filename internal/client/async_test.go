package client_test

import (
	"testing"

	"github.com/aloft-run/aloft"
)

// TestDeadLetters: events that nobody waits for, and those of them that were given up, are the same through the API.
func TestDeadLetters(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ref := aloft.StageRef{App: "web", Stage: "staging"}
			if _, err := s.DeadLetters(t.Context(), ref, 0); aloft.ErrorCode(err) != aloft.NotFound {
				t.Errorf("of no stage: %v", err)
			}
			d, err := s.Deploy(t.Context(), input(source(t, "server")), aloft.Discard{})
			if err != nil {
				t.Fatal(err)
			}
			ref = d.Release.StageRef
			for _, id := range []string{"a", "b"} {
				got, err := s.Invoke(t.Context(), aloft.InvokeInput{Stage: ref, Function: "work", Payload: []byte(`"fail"`), RequestID: id, Async: true})
				if err != nil || got.RequestID != id || got.Payload != nil {
					t.Errorf("%+v %v", got, err)
				}
			}
			if n, err := s.Pending(t.Context(), ref); err != nil || len(n) != 0 {
				t.Error(n, err)
			}
			if all, err := s.DeadLetters(t.Context(), ref, 1); err != nil || len(all) != 1 || all[0].ID != "a" || all[0].Payload != nil {
				t.Errorf("%+v %v", all, err)
			}
			if one, err := s.DeadLetter(t.Context(), ref, "b"); err != nil || string(one.Payload) != `"fail"` || one.Attempts != 3 {
				t.Errorf("%+v %v", one, err)
			}
			if _, err := s.Replay(t.Context(), ref, []string{"c"}); aloft.ErrorCode(err) != aloft.NotFound {
				t.Error(err)
			}
			if n, err := s.Replay(t.Context(), ref, []string{"a"}); n != 1 || err != nil {
				t.Error(n, err)
			}
			if n, err := s.RemoveDeadLetters(t.Context(), ref, nil); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
	}
}
