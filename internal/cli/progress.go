package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
)

// maxFolded bounds the output of a step that is kept for the case that the step fails, in bytes.
const maxFolded = 8 << 20

// progress prints events: a line for each step that is done, its output only if it fails or all is wanted. On a terminal
// the step under way shows on a line of its own.
type progress struct {
	w             io.Writer
	paint         paint
	live, verbose bool
	quiet         bool

	mu      sync.Mutex
	step    string // under way
	text    string
	since   time.Time
	folded  []string
	size    int
	cut     int // lines dropped from folded
	turn    int
	drawn   bool
	stop    chan struct{}
	stopped sync.WaitGroup
}

var _ aloft.Reporter = (*progress)(nil)

// newProgress starts to print progress on standard error. End must be called.
func (p *program) newProgress() *progress {
	r := &progress{
		w: p.err, paint: p.paint(p.err), verbose: p.flags.verbose, quiet: p.flags.quiet,
		live: isTerminal(p.err) && p.env["TERM"] != "dumb" && !p.flags.quiet, stop: make(chan struct{}),
	}
	if r.live {
		r.stopped.Go(r.spin)
	}
	return r
}

// Report prints an event.
func (r *progress) Report(event aloft.Event) {
	if r.quiet {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case aloft.StepStarted:
		r.step, r.text, r.since, r.folded, r.size, r.cut = e.Step, clean(e.Text), time.Now(), nil, 0, 0
		if r.verbose {
			r.line(r.paint.dim("…"), strings.TrimRight(fmt.Sprintf("%-8s %s", e.Step, clean(e.Text)), " "))
		}
	case aloft.StepDone:
		r.line(r.paint.green("✓"), strings.TrimRight(fmt.Sprintf("%-8s %s", e.Step, clean(e.Text)), " ")+r.paint.dim("  "+short(e.Elapsed)))
		r.step, r.folded, r.size, r.cut = "", nil, 0, 0
	case aloft.PartDone:
		r.line(" ", clean(e.Text)+r.paint.dim("  "+short(e.Elapsed)))
	case aloft.Output:
		r.output(clean(e.Text))
	case aloft.Warning:
		text, more, _ := strings.Cut(e.Text, "\n")
		r.line(r.paint.yellow("!"), r.paint.yellow("warning: ")+clean(text))
		if more != "" {
			printIndented(r.w, r.paint, more)
		}
	case aloft.Notice:
		r.line(r.paint.dim("-"), clean(e.Text))
	}
}

func (r *progress) output(text string) {
	if r.verbose {
		r.line(r.paint.dim(" "), r.paint.dim("| ")+text)
		return
	}
	r.folded = append(r.folded, text)
	r.size += len(text) + 1
	for r.size > maxFolded {
		r.size -= len(r.folded[0]) + 1
		r.folded = r.folded[1:]
		r.cut++
	}
}

// end stops printing. If the work failed it prints what the unfinished step had printed. It reports whether detail is part
// of what was printed, so that it need not be said again.
func (r *progress) end(failed bool, detail string) (said bool) {
	close(r.stop)
	r.stopped.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	if !failed || r.quiet || len(r.folded) == 0 {
		return false
	}
	fmt.Fprintln(r.w, r.paint.red("✗"), r.step)
	if r.cut > 0 {
		fmt.Fprintln(r.w, r.paint.dim("  |"), plural(r.cut, "earlier line")+" not kept; --verbose prints all")
	}
	for _, line := range r.folded {
		fmt.Fprintln(r.w, r.paint.dim("  |"), line)
	}
	return detail != "" && strings.Contains(strings.Join(r.folded, "\n"), strings.TrimSpace(cleanLines(detail)))
}

// line prints a line for good.
func (r *progress) line(mark, text string) {
	r.erase()
	fmt.Fprintln(r.w, mark, text)
}

func (r *progress) erase() {
	if r.drawn {
		fmt.Fprint(r.w, "\r\x1b[K")
		r.drawn = false
	}
}

// spin redraws the line of the step under way.
func (r *progress) spin() {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-ticker.C:
			r.draw()
		}
	}
}

func (r *progress) draw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.step == "" {
		return
	}
	text := r.text
	if len(r.folded) > 0 {
		text = r.folded[len(r.folded)-1]
	}
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	r.turn++
	r.erase()
	fmt.Fprintf(r.w, "%c %-8s %s %s", frames[r.turn%len(frames)], r.step, fit(text, 50), r.paint.dim(short(time.Since(r.since))))
	r.drawn = true
}

// fit cuts text to so many characters.
func fit(text string, width int) string {
	runes := []rune(strings.ReplaceAll(text, "\t", " "))
	if len(runes) <= width {
		return string(runes)
	}
	return string(runes[:width-1]) + "…"
}
