// Command paste puts the output of benchmarks into a page:
//
//	make bench | tee bench.out
//	cd bench && go run ./paste ../docs/PERFORMANCE.md < ../bench.out
//
// What bench/NAME printed replaces what stands between the lines "<!-- bench/NAME -->" and "<!-- end -->". Sections of
// benchmarks that did not run stay as they are.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "paste:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader) error {
	if len(args) != 1 {
		return errors.New("usage: paste PAGE < OUTPUT")
	}
	printed, err := sections(in)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var out strings.Builder
	old := false // in a section that is replaced
	for line := range strings.Lines(string(page)) {
		text := strings.TrimSpace(line)
		if text == "<!-- end -->" {
			old = false
		}
		if old {
			continue
		}
		out.WriteString(line)
		name := strings.TrimSuffix(strings.TrimPrefix(text, "<!-- "), " -->")
		if section := printed[name]; section != "" && text == "<!-- "+name+" -->" {
			out.WriteString(section)
			old = true
		}
	}
	return os.WriteFile(args[0], []byte(out.String()), 0o644)
}

// sections are what the benchmarks printed, by their names, from the line that says when they began to the one that says when
// they ended.
func sections(in io.Reader) (map[string]string, error) {
	all, name := map[string]string{}, ""
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		if first, _, ok := strings.Cut(line, " begins: "); ok && strings.HasPrefix(first, "bench/") {
			name = first
			all[name] = "\n"
		}
		if name != "" {
			all[name] += line + "\n"
		}
		if strings.HasPrefix(line, name+" ends: ") {
			name = ""
		}
	}
	return all, lines.Err()
}
