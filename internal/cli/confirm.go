package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft"
)

// confirm asks a question and returns nil if the answer is yes. --yes answers. Without an answer it returns Invalid, and
// Failed if the answer is no.
func (p *program) confirm(ctx context.Context, question string) error {
	if p.flags.yes {
		return nil
	}
	if isTerminal(p.in) && !isTerminal(p.err) { // it would wait for an answer to what nobody sees
		return aloft.Errorf(aloft.Invalid, "there is a question, and standard error, where it would be asked, is no terminal").WithHint("answer it with --yes")
	}
	fmt.Fprintf(p.err, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { // a read that does not return is left behind: the program ends
		line, err := bufio.NewReader(p.in).ReadString('\n')
		if err != nil && line == "" {
			close(answer)
			return
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.err)
		return ctx.Err()
	case text, ok := <-answer:
		switch {
		case !ok:
			fmt.Fprintln(p.err)
			return aloft.Errorf(aloft.Invalid, "there is nobody to answer the question").WithHint("answer it with --yes")
		case text == "y" || text == "yes":
			return nil
		default:
			return aloft.Errorf(aloft.Failed, "nothing was done: the answer was not yes")
		}
	}
}
