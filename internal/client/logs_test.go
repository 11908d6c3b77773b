package client_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/aloft-run/aloft"
)

func TestLogs(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			query := aloft.LogQuery{Stage: input("").Stage, Limit: 2}
			for _, err := range s.Logs(t.Context(), query) {
				if aloft.ErrorCode(err) != aloft.NotFound {
					t.Errorf("logs of no stage: %v, want not found", err)
				}
			}
			if _, err := s.Deploy(t.Context(), input(source(t, "server")), aloft.Discard{}); err != nil {
				t.Fatal(err)
			}
			var texts []string
			for line, err := range s.Logs(t.Context(), query) {
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, line.Text)
			}
			if want := []string{"two \x1b[2Jcleared", "three"}; !reflect.DeepEqual(texts, want) {
				t.Errorf("lines are %q, want %q", texts, want)
			}
			query.Follow = true
			n := 0
			for range s.Logs(t.Context(), query) {
				if n++; n == 20 {
					break
				}
			}
			if n != 20 {
				t.Errorf("following gave %d lines", n)
			}
		})
	}
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	c := serve(t, t.TempDir())
	if _, err := c.Deploy(t.Context(), input(source(t, "server")), aloft.Discard{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.Logs(ctx, aloft.LogQuery{Stage: input("").Stage, Follow: true}) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("following ended with %v", last)
	}
}
