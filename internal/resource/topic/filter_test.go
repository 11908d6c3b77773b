package topic_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/resource/topic"
)

// TestBodyFilter: bodies that are no JSON objects are not let through.
func TestBodyFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy, body string
		want         bool
	}{
		{`{"a":["x"]}`, `{"a":"x"}`, true}, {`{"a":["x"]}`, `no JSON`, false}, {`{"a":["x"]}`, `["x"]`, false}, {`{}`, `{"a":1}`, true},
	} {
		f, err := topic.ParseFilter(c.policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.MatchBody(c.body); got != c.want {
			t.Errorf("%s lets %s through: %v", c.policy, c.body, got)
		}
	}
	if _, err := topic.ParseFilter(`[]`); err == nil {
		t.Error("a list is taken for a policy")
	}
}

func TestAttributeFilter(t *testing.T) {
	t.Parallel()
	attributes := map[string]topic.Value{
		"price": {Type: "Number", Text: "20"}, "sports": {Type: "String.Array", Text: `["rugby","tennis"]`}, "picture": {Type: "Binary", Binary: []byte("x")},
	}
	for policy, want := range map[string]bool{
		`{"price":[{"numeric":[">=",20]}]}`: true, `{"price":[21]}`: false, `{"sports":["tennis"]}`: true, `{"sports":["golf"]}`: false, `{"picture":["x"]}`: false,
	} {
		f, err := topic.ParseFilter(policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.MatchAttributes(attributes); got != want {
			t.Errorf("%s lets the attributes through: %v", policy, got)
		}
	}
}

// TestStoredPolicies: what was taken once is not dropped without a word.
func TestStoredPolicies(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	defer func() { _ = store.Close() }()
	var said bytes.Buffer
	store.Logger = slog.New(slog.NewTextHandler(&said, nil))
	publish := func(policy, body string) {
		t.Helper()
		if err := store.SetPolicy(t.Context(), policy); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Publish(t.Context(), "news", topic.Message{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := store.Create(t.Context(), topic.Topic{Name: "news"})
	if err == nil {
		_, err = store.Subscribe(t.Context(), topic.Subscription{Topic: "news", Protocol: topic.ToQueue, Endpoint: jobs, Attributes: topic.Attributes{"FilterPolicyScope": "MessageBody"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	publish(`{"a":[]}`, `{"n":1}`)
	publish(`{"a":[]}`, `{"n":2}`)
	publish(`{"a":{}}`, `{"n":3}`)
	many := `{"n":[` + strings.Repeat("0,", 200) + `4]}`
	publish(many, `{"n":4}`)
	for i, d := range deliveries(t, store, 2) {
		if want := fmt.Sprintf(`{"n":%d}`, i+3); d.Body != want {
			t.Errorf("%s came, not %s", d.Body, want)
		}
	}
	if n := strings.Count(said.String(), "cannot be read"); n != 1 {
		t.Errorf("it was told %d times: %s", n, said.String())
	}
	for _, bad := range []string{many, `{"a":{}}`} {
		if _, err := topic.ParseFilter(bad); err == nil {
			t.Errorf("%s is taken for a new policy", bad)
		}
	}
}
