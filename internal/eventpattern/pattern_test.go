package eventpattern_test

import (
	"strconv"
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

// TestLinear: what a match costs does not grow with a pattern's values times an object's.
func TestLinear(t *testing.T) { //nolint:paralleltest // it counts allocations
	const n = 1000
	list := func(prefix string) string {
		var all []string
		for i := range n {
			all = append(all, strconv.Quote(prefix+strconv.Itoa(i)), "0."+prefix[1:]+strconv.Itoa(i))
		}
		return strings.Join(all, ",")
	}
	for _, pattern := range []string{`{"k":[` + list("a1") + `]}`, `{"k":[{"anything-but":[` + list("b2") + `]}]}`} {
		p, err := eventpattern.Parse(pattern)
		if err != nil {
			t.Fatal(err)
		}
		of := object(t, `{"k":[`+list("b2")+`]}`)
		let := false
		if allocations := testing.AllocsPerRun(1, func() { let = p.Match(of) }); let || allocations > 10*n {
			t.Errorf("%.20s… takes %.0f allocations; let through: %v", pattern, allocations, let)
		}
	}
}

// TestTests: tests other than for exact values, which look at each value, are few.
func TestTests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ begin, more, end string }{
		{`{"k":[`, `{"prefix":"a"}`, `]}`},
		{`{"k":[`, `{"anything-but":["a","b"]}`, `]}`},
		{`{"k":[{"anything-but":{"suffix":[`, `"a"`, `]}}]}`},
		{`{"k":[{"numeric":[`, `">",0`, `]}]}`},
		{`{"$or":[`, `{"k":["a"]}`, `]}`},
	} {
		for n, good := range map[int]bool{200: true, 600: false} {
			if _, err := eventpattern.Parse(c.begin + strings.Repeat(c.more+",", n) + c.more + c.end); good != (err == nil) {
				t.Errorf("%s %d times: %v", c.more, n, err)
			}
		}
	}
}

// TestCombinations has the examples of AWS's documentation.
func TestCombinations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{}`: 1, `{"a":["x","y"],"b":["x",{"prefix":"y"},1]}`: 6,
		`{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]}}`:                             72,
		`{"a":["x"],"$or":[{"b":["x","y"]},{"c":["x"]}]}`:                                         3,
		`{"a":[` + strings.Repeat("0,", 40000) + `0],"b":[` + strings.Repeat("0,", 40000) + `0]}`: 1e9,
	} {
		p, err := eventpattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Combinations(); got != want {
			t.Errorf("%.80s combines %d values, not %d", text, got, want)
		}
	}
}

// TestStored: what was taken once is read as it was.
func TestStored(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"a":{}}`, `{"$or":[]}`, `{"$or":[{}]}`, `{"a":{"b":{}}}`} {
		p, err := eventpattern.ParseStored(text)
		if err != nil || !p.Match(object(t, `{"a":1}`)) {
			t.Errorf("%s: %v", text, err)
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
