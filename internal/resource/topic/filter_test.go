package topic_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/resource/topic"
)

// TestFilters has the examples of AWS's documentation of filter policies, and what lies beside them.
func TestFilters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy, body string
		want         bool
	}{
		{`{"store":["shop"]}`, `{"store":"shop","x":1}`, true},
		{`{"store":["shop","other"]}`, `{"store":"other"}`, true},
		{`{"store":["shop"]}`, `{"store":"Shop"}`, false},
		{`{"store":["shop"]}`, `{}`, false},
		{`{"store":["shop"],"n":[1]}`, `{"store":"shop"}`, false},
		{`{"n":[301.5]}`, `{"n":3.015e2}`, true},
		{`{"n":["1"]}`, `{"n":1}`, false},
		{`{"b":[true,null]}`, `{"b":null}`, true},
		{`{"s":[{"prefix":"bas"}]}`, `{"s":"baseball"}`, true},
		{`{"s":[{"suffix":"ball"}]}`, `{"s":"baseball"}`, true},
		{`{"s":[{"suffix":"ball"}]}`, `{"s":"rugby"}`, false},
		{`{"s":[{"equals-ignore-case":"TENNIS"}]}`, `{"s":"tennis"}`, true},
		{`{"s":[{"anything-but":["rugby","tennis"]}]}`, `{"s":"baseball"}`, true},
		{`{"s":[{"anything-but":["rugby","tennis"]}]}`, `{"s":"rugby"}`, false},
		{`{"s":[{"anything-but":["rugby"]}]}`, `{}`, false},
		{`{"s":[{"anything-but":{"prefix":"bas"}}]}`, `{"s":"baseball"}`, false},
		{`{"s":[{"anything-but":{"suffix":["ball","by"]}}]}`, `{"s":"rugby"}`, false},
		{`{"n":[{"anything-but":[100]}]}`, `{"n":101}`, true},
		{`{"n":[{"numeric":["=",301.5]}]}`, `{"n":301.5}`, true},
		{`{"n":[{"numeric":[">",0,"<=",150]}]}`, `{"n":150}`, true},
		{`{"n":[{"numeric":[">",0,"<=",150]}]}`, `{"n":0}`, false},
		{`{"n":[{"numeric":["<",0]}]}`, `{"n":"-1"}`, false},
		{`{"s":[{"exists":true}]}`, `{"s":""}`, true},
		{`{"s":[{"exists":false}]}`, `{"s":""}`, false},
		{`{"s":[{"exists":false}]}`, `{}`, true},
		{`{"ip":[{"cidr":"10.0.0.0/24"}]}`, `{"ip":"10.0.0.255"}`, true},
		{`{"ip":[{"cidr":"10.0.0.0/24"}]}`, `{"ip":"10.1.1.0"}`, false},
		{`{"a":{"b":["x"]}}`, `{"a":{"b":"x"}}`, true},
		{`{"a":{"b":["x"]}}`, `{"a":[{"b":"y"},{"b":"x"}]}`, true},
		{`{"a":{"b":["x"]}}`, `{"a":"x"}`, false},
		{`{"l":["x"]}`, `{"l":["y","x"]}`, true},
		{`{"$or":[{"a":[1]},{"b":[2]}]}`, `{"b":2}`, true},
		{`{"$or":[{"a":[1]},{"b":[2]}],"c":[3]}`, `{"b":2}`, false},
		{`{"a":["x"]}`, `no JSON`, false},
		{`{"a":["x"]}`, `["x"]`, false},
		{`{}`, `{"a":1}`, true},
	} {
		f, err := topic.ParseFilter(c.policy)
		if err != nil {
			t.Errorf("%s: %v", c.policy, err)
			continue
		}
		if got := f.MatchBody(c.body); got != c.want {
			t.Errorf("%s lets %s through: %v", c.policy, c.body, got)
		}
	}
	for _, bad := range []string{`[]`, `{"a":"x"}`, `{"a":[{"numeric":["<"]}]}`, `{"a":[{"numeric":["like",1]}]}`, `{"a":[{}]}`, `{"a":[{"exists":"yes"}]}`, `{"a":[{"like":"x"}]}`, `{`, `{} {}`} {
		if _, err := topic.ParseFilter(bad); err == nil {
			t.Errorf("%s is taken for a policy", bad)
		}
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

func FuzzFilter(f *testing.F) {
	f.Add(`{"a":[{"numeric":[">",0]}],"b":{"c":["x"]},"$or":[{"d":[1]}]}`, `{"a":1,"b":{"c":"x"},"d":1}`)
	f.Fuzz(func(_ *testing.T, policy, body string) {
		if parsed, err := topic.ParseFilter(policy); err == nil {
			parsed.MatchBody(body)
		}
	})
}
