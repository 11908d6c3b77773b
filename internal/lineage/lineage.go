// Package lineage tells events that run in circles. What invoked a function, and how often each function has been part of that
// chain, travels in the trace header: Lambda's runtimes put it into _X_AMZN_TRACE_ID, AWS's SDKs send it with every request that
// they make meanwhile, and the services here keep it beside the message, object or event that the request makes. A function
// that lost it is a new beginning: who wants to run in circles can.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
package lineage

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// Header is where requests have the trace.
const Header = "X-Amzn-Trace-Id"

// Most is how often one event and what comes of it may pass the same function, as on Lambda.
const Most = 16

const (
	longest     = 1024 // bytes of a trace that is kept
	longestRoot = 128  // bytes of its root, of which AWS's have 40
	longestName = 8    // bytes of what it calls a function
	chain       = 32   // functions of which a trace has the number of passes
	field       = "Lineage="
)

type key struct{}

// With returns a context for what is made because of a trace; From has it.
func With(ctx context.Context, trace string) context.Context {
	if trace == "" {
		return ctx
	}
	return context.WithValue(ctx, key{}, trace)
}

// From is the trace of what is being made, "" if there is none.
func From(ctx context.Context) string {
	trace, _ := ctx.Value(key{}).(string)
	return trace
}

// Of is the trace of a request, "" if it has none that can be one. SDKs escape some of it.
func Of(r *http.Request) string {
	trace, err := url.PathUnescape(r.Header.Get(Header))
	if err != nil || !can(trace) {
		return ""
	}
	return trace
}

// can reports whether a text can be a trace: a header takes it, and it has an end.
func can(trace string) bool {
	return len(trace) <= longest && !strings.ContainsFunc(trace, func(c rune) bool { return c < ' ' || c > '~' })
}

// Traced has a handler make what it makes because of its requests' traces.
func Traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trace := Of(r); trace != "" {
			r = r.WithContext(With(r.Context(), trace))
		}
		next.ServeHTTP(w, r)
	})
}

// Join is the trace that a client gave a message, with the lineage of the request that sends it. What can be no trace is none.
func Join(said, sent string) string {
	_, lineage, found := strings.Cut(sent, field)
	lineage, _, _ = strings.Cut(lineage, ";")
	joined := said + ";" + field + lineage
	switch {
	case said == "" || !can(said):
		return sent
	case !found || strings.Contains(said, field):
		return said
	case !can(joined):
		return sent
	}
	return joined
}

// pass says how often a function was passed.
type pass struct {
	function string
	n        int
}

// parse takes a trace apart. What is not understood is left out: all of what can be no trace.
func parse(trace string) (rest []string, passes []pass) {
	if !can(trace) {
		return nil, nil
	}
	for part := range strings.SplitSeq(trace, ";") {
		list, ok := strings.CutPrefix(part, field)
		if !ok {
			if part != "" {
				rest = append(rest, part)
			}
			continue
		}
		for text := range strings.SplitSeq(list, "|") {
			function, count, _ := strings.Cut(text, ":")
			if n, err := strconv.Atoi(count); err == nil && n > 0 && len(function) <= longestName && len(passes) < chain {
				passes = append(passes, pass{function, min(n, Most)})
			}
		}
	}
	return rest, passes
}

// name is what a trace calls a function.
func name(ref aloft.StageRef, function string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(ref.String() + "/" + function)) // it never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

// Passes is how often an event with a trace has passed a function.
func Passes(trace string, ref aloft.StageRef, function string) int {
	_, passes := parse(trace)
	self := name(ref, function)
	if i := slices.IndexFunc(passes, func(p pass) bool { return p.function == self }); i >= 0 {
		return passes[i].n
	}
	return 0
}

// Passed says which functions an event with a trace has passed, and how often each: traces of which it says the same lead to the
// same traces.
func Passed(trace string) string {
	_, passes := parse(trace)
	return text(passes)
}

func text(passes []pass) string {
	texts := make([]string, len(passes))
	for i, p := range passes {
		texts[i] = p.function + ":" + strconv.Itoa(p.n)
	}
	return strings.Join(texts, "|")
}

// Loops reports whether an event with a trace has passed a function so often that it is to end.
func Loops(trace string, ref aloft.StageRef, function string) bool {
	return trace != "" && Passes(trace, ref, function) >= Most
}

// Step is the trace of a function while it works on an event with a trace, which may be "": a new one begins then.
func Step(trace string, ref aloft.StageRef, function string) string {
	rest, passes := parse(trace)
	root := ""
	for _, part := range rest {
		if strings.HasPrefix(part, "Root=") && len(part) <= longestRoot {
			root = part
		}
	}
	var b [20]byte
	_, _ = rand.Read(b[:])
	if root == "" {
		root = fmt.Sprintf("Root=1-%08x-%x", time.Now().Unix(), b[:12])
	}
	self := name(ref, function)
	i := slices.IndexFunc(passes, func(p pass) bool { return p.function == self })
	if i < 0 {
		if len(passes) == chain {
			passes = slices.Delete(passes, 0, 1)
		}
		passes, i = append(passes, pass{function: self}), len(passes)
	}
	passes[i].n = min(passes[i].n+1, Most)
	return fmt.Sprintf("%s;Parent=%x;Sampled=0;%s%s", root, b[12:], field, text(passes))
}
