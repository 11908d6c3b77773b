package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// rate is due whenever so much time has passed since the first second of 1970.
type rate time.Duration

// maxRate is the longest that AWS takes in days.
const maxRate = 31 * 366 * 24 * time.Hour

// parseRate reads "5 minutes" and returns it with its canonical text. As on AWS 1 goes with minute, all others with minutes.
func parseRate(body string) (due, string, error) {
	fields := strings.Fields(body)
	if len(fields) != 2 {
		return nil, "", fmt.Errorf("rate(%s): it wants a number and a unit", body)
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil || n < 1 {
		return nil, "", fmt.Errorf("rate(%s): %q is no whole number from 1", body, fields[0])
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	singular := strings.TrimSuffix(fields[1], "s")
	unit, known := units[singular]
	switch want := singular + map[bool]string{false: "s"}[n == 1]; {
	case !known:
		return nil, "", fmt.Errorf("rate(%s): the unit is minutes, hours or days, not %q", body, fields[1])
	case fields[1] != want:
		return nil, "", fmt.Errorf("rate(%s): write rate(%d %s)", body, n, want)
	case n > int(maxRate/unit):
		return nil, "", fmt.Errorf("rate(%s): that is longer than %d days", body, maxRate/(24*time.Hour))
	}
	return rate(time.Duration(n) * unit), fmt.Sprintf("rate(%d %s)", n, fields[1]), nil
}

// next implements due.
func (r rate) next(after time.Time) (time.Time, bool) {
	every := int64(time.Duration(r) / time.Second)
	return time.Unix((after.Unix()/every+1)*every, 0).UTC(), true
}
