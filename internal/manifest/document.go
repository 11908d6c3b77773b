package manifest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aloft-run/aloft"
)

// place is a position in a file, line and column counted from 1, columns in characters.
type place struct{ line, column int }

// document is a file being read: what error messages need of it, and the warnings so far.
type document struct {
	name     string
	text     string // valid UTF-8, lines end in \n
	foreign  bool   // belongs to another tool: what means nothing here is a warning
	warnings []Warning
	source   func(text string) (string, error) // reads an event source; nil takes any
}

// fault makes the error for a mistake at a place, with the line shown.
func (d *document) fault(at place, format string, args ...any) *aloft.Error {
	at = place{max(at.line, 1), max(at.column, 1)}
	return aloft.Errorf(aloft.Invalid, "%s:%d:%d: %s", d.name, at.line, at.column, fmt.Sprintf(format, args...)).
		WithDetail(d.excerpt(at))
}

func (d *document) warn(at place, format string, args ...any) {
	d.warnings = append(d.warnings, Warning{d.name, at.line, at.column, fmt.Sprintf(format, args...)})
}

// line returns a line without its end, "" beyond the last.
func (d *document) line(number int) string {
	rest := d.text
	for range number - 1 {
		_, after, found := strings.Cut(rest, "\n")
		if !found {
			return ""
		}
		rest = after
	}
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// excerpt shows the line of a place with a caret below the column.
func (d *document) excerpt(at place) string {
	const width = 100 // of a minified file only a window is shown
	line := []rune(d.line(at.line))
	column := min(at.column-1, len(line))
	from := max(0, column-width/2)
	to := min(len(line), from+width)
	margin := fmt.Sprintf("%4d | ", at.line)
	return margin + printable(line[from:to]) + "\n" +
		strings.Repeat(" ", len(margin)-2) + "| " + strings.Repeat(" ", column-from) + "^"
}

// printable replaces what could move the cursor or colour a terminal, one for one so that the caret stays right.
func printable(line []rune) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return utf8.RuneError
		}
	}, string(line))
}
