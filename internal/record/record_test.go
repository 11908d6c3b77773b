package record_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/record"
)

var shop = aloft.StageRef{App: "shop", Stage: "staging"}

// open returns a store of stages that have the function "create" alone.
func open(dir string) *record.Store {
	return record.New(dir, func(_ context.Context, _ aloft.StageRef, function string) error {
		if function != "create" {
			return aloft.Errorf(aloft.NotFound, "no %s", function)
		}
		return nil
	})
}

func keep(t *testing.T, s *record.Store, event, reply string, secrets ...string) aloft.Recording {
	t.Helper()
	if err := s.Keep(shop, aloft.Recording{Function: "create", Release: 1, At: time.Now(), Event: []byte(event), Reply: []byte(reply)}, secrets); err != nil {
		t.Fatal(err)
	}
	all, err := s.Recordings(t.Context(), shop, "")
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	return all[0]
}

func TestMask(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(dir)
	encoded := base64.StdEncoding.EncodeToString([]byte(`{"password":"canary"}`))
	event := `{"headers":{"Authorization":"Bearer canary","x-api-key":"canary","Accept":"*/*"},"cookies":["a=canary"],"rawQueryString":"a=1&access_token=canary",
		"body":"{\"user\":\"ann\",\"Pass-Word\":\"canary\"}","deep":[{"clientSecret":{"a":["canary"]}}],"form":"password=canary&b=2","link":"https://a.example/?token=canary",
		"text":"the value is sealed/canary.","number":123456789,"list":[{"name":"Cookie","value":"canary"}],"on":{"hasPassword":true},"keys":{"by sealed/canary":1},"inner":{"body":"` + encoded + `","isBase64Encoded":true}}`
	r := keep(t, s, event, `{"token":"canary","ok":1}`, "sealed/canary", "123456789", "on")
	for _, text := range []string{string(r.Event), string(r.Reply)} {
		if strings.Contains(text, "canary") || strings.Contains(text, "123456789") || strings.Contains(text, encoded) {
			t.Errorf("a secret is left in %s", text)
		}
	}
	var got map[string]any
	if err := json.Unmarshal(r.Event, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"rawQueryString": "a=1&access_token=%5Bmasked%5D", "body": `{"Pass-Word":"[masked]","user":"ann"}`, "form": "password=%5Bmasked%5D&b=2", "text": "the value is [masked].", "number": "[masked]",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if headers := fmt.Sprint(got["headers"]); !strings.Contains(headers, "Accept:*/*") || r.Masked != 14 || string(r.Reply) != `{"ok":1,"token":"[masked]"}` {
		t.Errorf("%d masked; %s, %s", r.Masked, headers, r.Reply)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*.json"))
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
	if len(files) != 1 {
		t.Errorf("files: %v", files)
	}
}

func TestRecording(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	s := open(dir)
	if s.Wants(shop, "create") {
		t.Error("events are wanted though nobody said so")
	}
	for function, until := range map[string]time.Time{"create": time.Now().Add(25 * time.Hour), "Create": time.Now().Add(time.Minute)} {
		if err := s.Record(ctx, shop, function, until); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%s until %s: %v", function, until, err)
		}
	}
	if err := s.Record(ctx, shop, "resize", time.Now().Add(time.Minute)); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("an unknown function: %v", err)
	}
	if err := s.Record(ctx, shop, "create", time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	s = open(dir) // after a start of the server
	if !s.Wants(shop, "create") || s.Wants(shop, "resize") {
		t.Error("it forgot what is recorded")
	}
	if states, err := s.Recorded(ctx, shop); err != nil || len(states) != 1 || states[0].Function != "create" {
		t.Errorf("recorded: %+v, %v", states, err)
	}
	for n := range 205 {
		if err := s.Keep(shop, aloft.Recording{Function: "create", Event: fmt.Appendf(nil, "%d", n)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Recordings(ctx, shop, "create")
	if err != nil || len(all) != 200 || all[0].ID != 205 || string(all[0].Event) != "204" || all[199].ID != 6 {
		t.Errorf("%d recordings, %v", len(all), err)
	}
	if _, err := s.Recording(ctx, shop, 5); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("one that was dropped: %v", err)
	}
	if err := s.Keep(shop, aloft.Recording{Function: "create", Event: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)}, nil); err != nil {
		t.Error(err)
	}
	if r, err := s.Recording(ctx, shop, 206); err == nil {
		t.Errorf("a large event is kept: %d bytes", len(r.Event))
	}
	if err := s.Record(ctx, shop, "create", time.Time{}); err != nil || s.Wants(shop, "create") {
		t.Errorf("turned off: %v, %v", err, s.Wants(shop, "create"))
	}
	if err := s.Delete(shop); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTestEvents(t *testing.T) {
	t.Parallel()
	s, ctx := open(t.TempDir()), t.Context()
	save := func(function, name, event string) error {
		return s.SaveTestEvent(ctx, shop, aloft.TestEvent{Function: function, Name: name, Event: []byte(event)})
	}
	for _, test := range []struct {
		function, name, event string
		code                  aloft.Code
	}{{"create", "../x", "{}", aloft.Invalid}, {"create", "a", "{", aloft.Invalid}, {"..", "a", "{}", aloft.Invalid}, {"resize", "a", "{}", aloft.NotFound}} {
		if err := save(test.function, test.name, test.event); aloft.ErrorCode(err) != test.code {
			t.Errorf("%+v: %v", test, err)
		}
	}
	for _, name := range []string{"b", "a", "a"} {
		if err := save("create", name, `{"n":"`+name+`"}`); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.TestEvents(ctx, shop)
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[0].Function != "create" || string(all[1].Event) != `{"n":"b"}` {
		t.Errorf("%+v, %v", all, err)
	}
	if err := s.DeleteTestEvent(ctx, shop, "create", "a"); err != nil {
		t.Error(err)
	}
	if err := s.DeleteTestEvent(ctx, shop, "create", "a"); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("second: %v", err)
	}
}
