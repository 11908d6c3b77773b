package line_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/line"
)

// TestWriter: however the output is cut into writes, the lines are the same.
func TestWriter(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2*line.Max+10)
	output := "one\n\ntwo\r\n" + long + "\nthree\r\r\nno end"
	want := []string{"one", "", "two", long[:line.Max], long[:line.Max], long[:10], "three\r", "no end"}
	for _, size := range []int{1, 2, 7, 4096, line.Max, line.Max + 1, len(output)} {
		var got []string
		began := time.Now()
		w := line.NewWriter(func(text string, at time.Time) {
			got = append(got, text)
			if at.Before(began) {
				t.Errorf("%.20q is of %s", text, at)
			}
		})
		for rest := []byte(output); len(rest) > 0; {
			n, err := w.Write(rest[:min(size, len(rest))])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		w.Flush()
		w.Flush()
		if !slices.Equal(got, want) {
			t.Errorf("pieces of %d bytes: %d lines %.60q", size, len(got), got)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	tail := &line.Tail{}
	if tail.String() != "" {
		t.Errorf("empty: %q", tail)
	}
	for i := range 100 {
		tail.Add(strconv.Itoa(i))
	}
	tail.Add(strings.Repeat("x", 1<<20))
	last := tail.Lines()
	if len(last) != 20 || last[0] != "81" || len(last[19]) > 4096 {
		t.Errorf("%d lines from %q, the last of %d bytes", len(last), last[0], len(last[len(last)-1]))
	}
	last[0] = "changed"
	if !strings.HasPrefix(tail.String(), "81\n82\n") {
		t.Errorf("%.40q", tail)
	}
}
