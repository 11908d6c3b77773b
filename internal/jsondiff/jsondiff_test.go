package jsondiff_test

import (
	"encoding/json"
	"testing"

	"github.com/aloft-run/aloft/internal/jsondiff"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ before, after, want string }{
		{`{"a":1,"b":[1,2]}`, ` {"b":[1,2.0], "a":1}`, `[]`},
		{`{"a":1,"b":{"c":[1,{"d":null}]}}`, `{"b":{"c":[1,{"d":"x"},3]},"e f":true}`, `[{"path":"a","before":1},{"path":"b.c[1].d","before":null,"after":"x"},{"path":"b.c[2]","after":3},{"path":"[\"e f\"]","after":true}]`},
		{`1`, `2`, `[{"path":"","before":1,"after":2}]`},
		{`{"a":1}`, `[1]`, `[{"path":"","before":{"a":1},"after":[1]}]`},
		{`{"statusCode":200,"body":"{\"x\":1,\"y\":[2]}"}`, `{"statusCode":200,"body":"{\"y\":[3], \"x\":1}"}`, `[{"path":"body.y[0]","before":2,"after":3}]`},
		{`"{x"`, `"{y"`, `[{"path":"","before":"{x","after":"{y"}]`},
		{`9007199254740993`, `9007199254740992`, `[{"path":"","before":9007199254740993,"after":9007199254740992}]`},
		{`no JSON`, `no JSON`, `[]`},
		{``, `{}`, `[{"path":"","before":"","after":{}}]`},
		{`"<a>"`, `"<b>"`, `[{"path":"","before":"<a>","after":"<b>"}]`},
	} {
		got := jsondiff.Compare([]byte(test.before), []byte(test.after))
		if len(got) == 0 {
			got = []jsondiff.Difference{}
		}
		text, err := json.Marshal(got)
		var want []jsondiff.Difference
		if err2 := json.Unmarshal([]byte(test.want), &want); err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		wanted, _ := json.Marshal(want)
		if string(text) != string(wanted) {
			t.Errorf("%s and %s differ by %s, want %s", test.before, test.after, text, wanted)
		}
	}
}
