package manifest

import (
	"cmp"
	"time"

	"github.com/aloft-run/aloft"
)

// asyncKeys say what becomes of events that nobody waits for.
func asyncKeys() []key[FunctionSettings] {
	return []key[FunctionSettings]{
		{
			doc: KeyDoc{
				Key: "retries", Type: within(0, aloft.DefaultRetries).noun(), Default: "2",
				Meaning: "How often a handler gets an event that nobody waits for again, after it failed.",
			},
			schema: within(0, aloft.DefaultRetries).schema, read: readRetries,
		},
		bind(KeyDoc{Key: "retry-delay", Default: brief(aloft.DefaultRetryDelay), Meaning: "How long after a failure the first retry comes; the second comes after twice that."},
			duration(), func(f *FunctionSettings) *aloft.Duration { return &f.Async.RetryDelay }),
		bind(KeyDoc{Key: "max-event-age", Default: "6h", Meaning: "After how long an event that nobody waits for is given up."},
			eventAge(), func(f *FunctionSettings) *aloft.Duration { return &f.Async.MaxAge }),
		bind(KeyDoc{Key: "on-success", Default: "nowhere", Meaning: "Where the record of an event goes that nobody waited for: function:NAME, queue:NAME or topic:NAME."},
			destination(), func(f *FunctionSettings) *string { return &f.Async.OnSuccess }),
		bind(KeyDoc{Key: "on-failure", Default: "aloft dead-letters", Meaning: "Where the record of an event goes that is given up."},
			destination(), func(f *FunctionSettings) *string { return &f.Async.OnFailure }),
		bind(KeyDoc{Key: "loops", Default: aloft.LoopsEnd, Meaning: "Whether an event that comes of what the function made of it may come back more than 16 times (allow), or is given up."},
			oneOf(aloft.LoopsEnd, aloft.LoopsAllowed), func(f *FunctionSettings) *string { return &f.Async.Loops }),
	}
}

func readRetries(d *document, n node, f *FunctionSettings) error {
	v, err := within(0, aloft.DefaultRetries).read(d, n)
	f.Async.Retries = &v
	return err
}

// eventAge is a duration within Lambda's bounds.
func eventAge() shape[aloft.Duration] {
	return word("a duration", `from "1m" to "6h"`, duration().schema, func(n node) (aloft.Duration, bool) {
		v, err := time.ParseDuration(n.text)
		age := aloft.Duration(v)
		return age, n.kind == text && err == nil && age >= aloft.MinEventAge && age <= aloft.MaxEventAge
	})
}

// destination is where records of events go.
func destination() shape[string] {
	schema := map[string]any{"type": "string", "pattern": `^(function|queue|topic):[a-z][a-z0-9-]*$`}
	return word("a destination", `such as "function:NAME", "queue:NAME" or "topic:NAME"`, schema, func(n node) (string, bool) {
		_, _, ok := aloft.CutDestination(n.text)
		return n.text, n.kind == text && ok
	})
}

// asyncOver returns what a and base say together; where both speak, a wins.
func asyncOver(a, base aloft.Async) aloft.Async {
	if a.Retries == nil {
		a.Retries = base.Retries
	}
	a.RetryDelay = cmp.Or(a.RetryDelay, base.RetryDelay)
	a.MaxAge = cmp.Or(a.MaxAge, base.MaxAge)
	a.OnSuccess, a.OnFailure = cmp.Or(a.OnSuccess, base.OnSuccess), cmp.Or(a.OnFailure, base.OnFailure)
	a.Loops = cmp.Or(a.Loops, base.Loops)
	return a
}
