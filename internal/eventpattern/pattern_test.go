package eventpattern_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/eventpattern"
)

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := eventpattern.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

// TestPatterns has the examples of AWS's documentation of filter policies, and what lies beside them.
func TestPatterns(t *testing.T) {
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
		{`{"a":{"b":[{"exists":false}]}}`, `{}`, true},
		{`{"a":{"b":[{"exists":false}]}}`, `{"a":{"b":1}}`, false},
		{`{"a":{"b":[{"exists":false}]}}`, `{"a":[]}`, true},
		{`{"a":{"b":["x",{"exists":true}]}}`, `{}`, false},
		{`{"a":[{"exists":true}]}`, `{"a":{"b":1}}`, false},
		{`{"a":[{"exists":false}]}`, `{"a":{"b":1}}`, true},
		{`{"a":[{"anything-but":["x"]}]}`, `{"a":{"b":1}}`, false},
		{`{"a":{"$or":[{"b":["x"]},{"c":{"d":[{"numeric":["<",5]}]}}]}}`, `{"a":{"c":{"d":4}}}`, true},
		{`{"a":{"$or":[{"b":["x"]},{"c":{"d":[{"numeric":["<",5]}]}}]}}`, `{"a":{"c":{"d":5}}}`, false},
		{`{}`, `{"a":1}`, true},
	} {
		p, err := eventpattern.Parse(c.policy)
		if err != nil {
			t.Errorf("%s: %v", c.policy, err)
			continue
		}
		if got := p.Match(object(t, c.body)); got != c.want {
			t.Errorf("%s lets %s through: %v", c.policy, c.body, got)
		}
	}
	for _, bad := range []string{`[]`, `{"a":"x"}`, `{"a":[]}`, `{"a":{}}`, `{"$or":[1]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"numeric":["<"]}]}`, `{"a":[{"numeric":["like",1]}]}`, `{"a":[{}]}`, `{"a":[{"exists":"yes"}]}`, `{"a":[{"like":"x"}]}`, `{`, `{} {}`} {
		if _, err := eventpattern.Parse(bad); err == nil {
			t.Errorf("%s is taken for a policy", bad)
		}
	}
}

// TestBounds: what strangers write is neither long nor deep.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`{"a":["` + strings.Repeat("x", 256<<10) + `"]}`, strings.Repeat(`{"a":`, 20) + `["x"]` + strings.Repeat(`}`, 20),
	} {
		if _, err := eventpattern.Parse(bad); err == nil {
			t.Errorf("%.40s… is taken for a pattern", bad)
		}
	}
}

func TestAsks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]bool{
		`{"body":["x"]}`: {true, false}, `{"body":{"a":["x"]}}`: {false, true}, `{"other":["x"]}`: {},
		`{"$or":[{"body":["x"]},{"body":{"a":["x"]}}]}`: {true, true},
	} {
		p, err := eventpattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if itself, below := p.Asks("body"); itself != want[0] || below != want[1] {
			t.Errorf("%s asks for the body %v and below it %v", text, itself, below)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`{"a":[{"numeric":[">",0]}],"b":{"c":["x"]},"$or":[{"d":[1]}]}`, `{"a":1,"b":{"c":"x"},"d":1}`)
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		p, err := eventpattern.Parse(pattern)
		v, bad := eventpattern.Decode(text)
		if of, ok := v.(map[string]any); ok && err == nil && bad == nil {
			p.Match(of)
		}
	})
}
