package topic_test

import (
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
