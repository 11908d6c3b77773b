package schedule

import (
	"fmt"
	"strings"
	"time"
)

// cron is due when the clock of a place shows one of the times that its six fields allow.
type cron struct {
	minutes, hours, months, years set
	day                           func(date) bool
	where                         *time.Location
}

// The years that AWS knows.
const firstYear, lastYear = 1970, 2199

// parseCron reads the six fields of AWS: minute, hour, day of month, month, day of week, year. It returns the expression with
// its canonical text: as it was written, in capitals, with single spaces.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
func parseCron(body string, where *time.Location) (due, string, error) {
	fields := strings.Fields(strings.ToUpper(body))
	text := "cron(" + strings.Join(fields, " ") + ")"
	fail := func(err error) (due, string, error) { return nil, "", fmt.Errorf("cron(%s): %w", body, err) }
	if len(fields) != 6 {
		return fail(fmt.Errorf("it has %d fields, not 6", len(fields)))
	}
	c := &cron{where: where}
	var err error
	if c.minutes, err = minuteField().set(fields[0]); err != nil {
		return fail(err)
	}
	if c.hours, err = hourField().set(fields[1]); err != nil {
		return fail(err)
	}
	if c.months, err = monthField().set(fields[3]); err != nil {
		return fail(err)
	}
	if c.years, err = yearField().set(fields[5]); err != nil {
		return fail(err)
	}
	ofMonth, ofWeek := fields[2], fields[4]
	switch {
	case ofMonth == "?" && ofWeek == "?":
		return fail(fmt.Errorf("day of month and day of week are both ?, so that it is never due"))
	case ofMonth != "?" && ofWeek != "?":
		return fail(fmt.Errorf("one of day of month and day of week must be ?"))
	case ofWeek == "?":
		c.day, err = parseOfMonth(ofMonth)
	default:
		c.day, err = parseOfWeek(ofWeek)
	}
	if err != nil {
		return fail(err)
	}
	return c, text, nil
}

// next implements due. Of times that clocks do not show, because they are put forward, there is none; of times that they show
// twice, because they are put back, the first counts. So EventBridge Scheduler has it:
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
func (c *cron) next(after time.Time) (time.Time, bool) {
	wall := after.In(c.where)
	d := date{wall.Year(), wall.Month(), wall.Day()}
	for d.year <= lastYear {
		switch {
		case !c.years.has(d.year):
			d = date{d.year + 1, time.January, 1}
		case !c.months.has(int(d.month)):
			d = date{d.year, d.month + 1, 1}.normal()
		default:
			if c.day(d) {
				if at, ok := c.onDay(d, after); ok {
					return at, true
				}
			}
			d = date{d.year, d.month, d.day + 1}.normal()
		}
	}
	return time.Time{}, false
}

// onDay is the first tick of a day after a time.
func (c *cron) onDay(d date, after time.Time) (time.Time, bool) {
	for hour := range 24 {
		for minute := range 60 {
			if !c.hours.has(hour) || !c.minutes.has(minute) {
				continue
			}
			if at, shown := first(d, hour, minute, c.where); shown && at.After(after) {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// first is when clocks of a place show a time first; false if they never do.
func first(d date, hour, minute int, where *time.Location) (time.Time, bool) {
	wall := time.Date(d.year, d.month, d.day, hour, minute, 0, 0, time.UTC)
	var at time.Time
	found := false
	for _, about := range []time.Duration{-24 * time.Hour, 24 * time.Hour} { // before and after a change of clocks
		_, offset := wall.Add(about).In(where).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		_, now := t.In(where).Zone()
		if now == offset && (!found || t.Before(at)) {
			at, found = t, true
		}
	}
	return at, found
}

// date is a day of a calendar.
type date struct {
	year  int
	month time.Month
	day   int
}

// normal is the same day with day and month within their bounds.
func (d date) normal() date {
	t := d.time()
	return date{t.Year(), t.Month(), t.Day()}
}

func (d date) time() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC) }

// length is the number of days in the month.
func (d date) length() int { return date{d.year, d.month + 1, 0}.time().Day() }
