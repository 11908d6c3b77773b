package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is what may stand in one of the six fields.
type field struct {
	name        string
	least, most int
	words       []string // for least, least+1, …
}

// The fields. Days of the week count from Sunday, which is 1.
func minuteField() field  { return field{name: "minute", least: 0, most: 59} }
func hourField() field    { return field{name: "hour", least: 0, most: 23} }
func ofMonthField() field { return field{name: "day of month", least: 1, most: 31} }
func yearField() field    { return field{name: "year", least: firstYear, most: lastYear} }

func monthField() field {
	return field{name: "month", least: 1, most: 12, words: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")}
}

func ofWeekField() field {
	return field{name: "day of week", least: 1, most: 7, words: strings.Fields("SUN MON TUE WED THU FRI SAT")}
}

// set are values of a field.
type set map[int]bool

func (s set) has(v int) bool { return s[v] }

// set reads a list of values, ranges and steps: "*", "1,MON-FRI", "0/15", "10-30/5". A range may go over the end: FRI-MON.
func (f field) set(text string) (set, error) {
	all := set{}
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 || step > f.most {
				return nil, fmt.Errorf("%s: %q is no step from 1 to %d", f.name, stepText, f.most)
			}
		}
		low, high, err := f.span(span, stepped)
		if err != nil {
			return nil, err
		}
		if high < low {
			high += f.most - f.least + 1
		}
		for v := low; v <= high; v += step {
			all[f.least+(v-f.least)%(f.most-f.least+1)] = true
		}
	}
	return all, nil
}

// span reads one value or a range. Before a step a single value begins a range to the end.
func (f field) span(text string, stepped bool) (low, high int, err error) {
	if text == "*" {
		return f.least, f.most, nil
	}
	first, last, ranged := strings.Cut(text, "-")
	if low, err = f.value(first); err != nil {
		return 0, 0, err
	}
	switch {
	case ranged:
		high, err = f.value(last)
	case stepped:
		high = f.most
	default:
		high = low
	}
	if err == nil && high < low && f.least == firstYear {
		err = fmt.Errorf("year: %s goes backwards", text)
	}
	return low, high, err
}

func (f field) value(text string) (int, error) {
	for i, w := range f.words {
		if w == text {
			return f.least + i, nil
		}
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < f.least || v > f.most || strings.Trim(text, "0123456789") != "" {
		also := ""
		if f.words != nil {
			also = fmt.Sprintf(" or %s to %s", f.words[0], f.words[len(f.words)-1])
		}
		return 0, fmt.Errorf("%s: %q is not from %d to %d%s", f.name, text, f.least, f.most, also)
	}
	return v, nil
}

// parseOfMonth reads the day of month: values as in other fields, L for the last, LW for the last weekday, 15W for the weekday
// nearest to the 15th within the month.
func parseOfMonth(text string) (func(date) bool, error) {
	if text == "L" {
		return func(d date) bool { return d.day == d.length() }, nil
	}
	if text == "LW" {
		return func(d date) bool { return d.day == nearestWeekday(d, d.length()) }, nil
	}
	if number, ok := strings.CutSuffix(text, "W"); ok {
		day, err := ofMonthField().value(number)
		if err != nil {
			return nil, err
		}
		return func(d date) bool { return day <= d.length() && d.day == nearestWeekday(d, day) }, nil
	}
	days, err := ofMonthField().set(text)
	return func(d date) bool { return days.has(d.day) }, err
}

// nearestWeekday is the day from Monday to Friday that is nearest to a day of d's month and in that month.
func nearestWeekday(d date, day int) int {
	switch (date{d.year, d.month, day}).time().Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == d.length() {
			return day - 2
		}
		return day + 1
	default:
		return day
	}
}

// parseOfWeek reads the day of week: values as in other fields, L for Saturday, 6L for the last Friday of a month, 3#2 for its
// second Tuesday.
func parseOfWeek(text string) (func(date) bool, error) {
	const week = 7
	if text == "L" {
		text = "SAT"
	}
	if name, ok := strings.CutSuffix(text, "L"); ok {
		day, err := ofWeekField().value(name)
		return func(d date) bool { return weekday(d) == day && d.day+week > d.length() }, err
	}
	if name, nth, ok := strings.Cut(text, "#"); ok {
		day, err := ofWeekField().value(name)
		n, nErr := strconv.Atoi(nth)
		if nErr != nil || n < 1 || n > 5 {
			return nil, fmt.Errorf("day of week: %q is not from 1 to 5", nth)
		}
		return func(d date) bool { return weekday(d) == day && (d.day-1)/week+1 == n }, err
	}
	days, err := ofWeekField().set(text)
	return func(d date) bool { return days.has(weekday(d)) }, err
}

// weekday is the day of the week as AWS counts: Sunday is 1.
func weekday(d date) int { return int(d.time().Weekday()) + 1 }
