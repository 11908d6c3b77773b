package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aloft-run/aloft"
)

// ResourceSettings is what a project says about one resource. Zero values are "not said".
type ResourceSettings struct {
	Type         string // aloft.Bucket and so on
	FIFO         bool
	ContentDedup bool
	Visibility   aloft.Duration
	Delay        aloft.Duration
	Wait         aloft.Duration
	Retention    aloft.Duration
	DeadLetters  string // the name of another queue
	MaxReceives  int
	Shards       int

	Cloud map[string]string `json:",omitempty"` // options of types that only AWS has, as a release has them
}

func (r ResourceSettings) over(base ResourceSettings) ResourceSettings {
	if r.Type != base.Type && r.Type != "" {
		return r // of another type it has other options
	}
	return ResourceSettings{
		Type: cmp.Or(r.Type, base.Type), FIFO: r.FIFO || base.FIFO, ContentDedup: r.ContentDedup || base.ContentDedup,
		Visibility: cmp.Or(r.Visibility, base.Visibility), Delay: cmp.Or(r.Delay, base.Delay), Wait: cmp.Or(r.Wait, base.Wait),
		Retention: cmp.Or(r.Retention, base.Retention), DeadLetters: cmp.Or(r.DeadLetters, base.DeadLetters),
		MaxReceives: cmp.Or(r.MaxReceives, base.MaxReceives), Shards: cmp.Or(r.Shards, base.Shards),
		Cloud: join(r.Cloud, base.Cloud),
	}
}

func mergeResources(top, base map[string]ResourceSettings) map[string]ResourceSettings {
	if len(top)+len(base) == 0 {
		return nil
	}
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]ResourceSettings{}
	}
	for name, r := range top {
		merged[name] = r.over(merged[name])
	}
	return merged
}

// option is a thing that may be said of resources of some types.
type option struct {
	key   string
	types []string
	text  func(r ResourceSettings) string // "" if it is not said
}

func options() []option {
	queue, ordered := []string{aloft.Queue}, []string{aloft.Queue, aloft.Topic}
	flag := func(at func(ResourceSettings) bool) func(ResourceSettings) string {
		return func(r ResourceSettings) string {
			if at(r) {
				return "true"
			}
			return ""
		}
	}
	period := func(at func(ResourceSettings) aloft.Duration) func(ResourceSettings) string {
		return func(r ResourceSettings) string {
			if d := at(r); d != 0 {
				return brief(d)
			}
			return ""
		}
	}
	number := func(at func(ResourceSettings) int) func(ResourceSettings) string {
		return func(r ResourceSettings) string {
			if n := at(r); n != 0 {
				return strconv.Itoa(n)
			}
			return ""
		}
	}
	return []option{
		{"fifo", ordered, flag(func(r ResourceSettings) bool { return r.FIFO })},
		{"content-dedup", ordered, flag(func(r ResourceSettings) bool { return r.ContentDedup })},
		{"visibility", queue, period(func(r ResourceSettings) aloft.Duration { return r.Visibility })},
		{"delay", queue, period(func(r ResourceSettings) aloft.Duration { return r.Delay })},
		{"wait", queue, period(func(r ResourceSettings) aloft.Duration { return r.Wait })},
		{"retention", []string{aloft.Queue, aloft.Stream}, period(func(r ResourceSettings) aloft.Duration { return r.Retention })},
		{"dead-letters", queue, func(r ResourceSettings) string { return r.DeadLetters }},
		{"max-receives", queue, number(func(r ResourceSettings) int { return r.MaxReceives })},
		{"shards", []string{aloft.Stream}, number(func(r ResourceSettings) int { return r.Shards })},
	}
}

// Declared are the resources of a stage as a release has them, by name.
func (s Settings) Declared() ([]aloft.Resource, error) {
	var all []aloft.Resource
	for _, name := range slices.Sorted(maps.Keys(s.Resources)) {
		r := s.Resources[name]
		if r.Type == "" {
			return nil, aloft.Errorf(aloft.Invalid, "resource %q has no type", name).WithHint("write %s: {type: queue} or another type in aloft.yml", name)
		}
		if wrong := contradiction(name, s.Resources); wrong.key != "" {
			return nil, aloft.Errorf(aloft.Invalid, "resource %q: %s: %s", name, wrong.key, wrong.why).WithHint("%s", wrong.hint)
		}
		said := maps.Clone(r.Cloud)
		for _, o := range options() {
			if text := o.text(r); text != "" {
				said = join(map[string]string{o.key: text}, said)
			}
		}
		all = append(all, aloft.Resource{Name: name, Type: r.Type, Options: said})
	}
	return all, nil
}

func resourceShape() shape[ResourceSettings] {
	types := oneOf(aloft.ResourceTypes()...)
	short := shape[ResourceSettings]{wants: types.wants, like: types.like, schema: types.schema, read: func(d *document, n node) (ResourceSettings, error) {
		t, err := types.read(d, n)
		return ResourceSettings{Type: t}, err
	}}
	const day = 24 * time.Hour
	long := objectOf(append([]key[ResourceSettings]{
		bind(KeyDoc{Key: "type", Meaning: "A bucket has S3's API, a queue that of SQS, a topic that of SNS, a stream that of Kinesis. The others are on AWS only: DynamoDB, a database, a cache, OpenSearch, SES, Secrets Manager."},
			types, func(r *ResourceSettings) *string { return &r.Type }),
		bind(KeyDoc{Key: "fifo", Default: "false", Meaning: "Queues and topics: messages of a group are in order, and what is sent twice within 5 minutes comes once."},
			yesNo(), func(r *ResourceSettings) *bool { return &r.FIFO }),
		bind(KeyDoc{Key: "content-dedup", Default: "false", Meaning: "FIFO queues and topics: two messages with the same body are the same message."},
			yesNo(), func(r *ResourceSettings) *bool { return &r.ContentDedup }),
		bind(KeyDoc{Key: "visibility", Default: "30s", Meaning: "Queues: how long a received message is nobody else's."},
			span(time.Second, 12*time.Hour), func(r *ResourceSettings) *aloft.Duration { return &r.Visibility }),
		bind(KeyDoc{Key: "delay", Default: "none", Meaning: "Queues: how long after sending a message can be received."},
			span(time.Second, 15*time.Minute), func(r *ResourceSettings) *aloft.Duration { return &r.Delay }),
		bind(KeyDoc{Key: "wait", Default: "none", Meaning: "Queues: how long receiving waits for a message."},
			span(time.Second, 20*time.Second), func(r *ResourceSettings) *aloft.Duration { return &r.Wait }),
		bind(KeyDoc{Key: "retention", Default: "96h for queues, 24h for streams", Meaning: "Queues and streams: how long messages and records are kept."},
			span(time.Minute, 365*day), func(r *ResourceSettings) *aloft.Duration { return &r.Retention }),
		bind(KeyDoc{Key: "dead-letters", Meaning: "Queues: the queue to which messages go that are received too often."},
			resourceName(), func(r *ResourceSettings) *string { return &r.DeadLetters }),
		bind(KeyDoc{Key: "max-receives", Default: "5", Meaning: "Queues with dead-letters: how often a message may be received."},
			within(1, 1000), func(r *ResourceSettings) *int { return &r.MaxReceives }),
		bind(KeyDoc{Key: "shards", Default: "1", Meaning: "Streams: how many parts there are, each with an order of its own."},
			within(1, 100), func(r *ResourceSettings) *int { return &r.Shards }),
	}, cloudOptionKeys()...)...)
	return either(short, checked(long, checkResource))
}

// checkResource refuses options that the type does not have.
func checkResource(d *document, n node, r *ResourceSettings) error {
	if r.Type == "" {
		return nil // a stage may say less
	}
	types := optionTypes()
	for _, f := range n.fields {
		if of, is := types[f.name]; is && !slices.Contains(of, r.Type) {
			return d.fault(f.value.at, "%s: a %s has no %s", n.path, r.Type, f.name).WithHint("remove it, or correct the type")
		}
	}
	v, _ := n.get("retention")
	switch least, most := retentionOf(r.Type); {
	case r.Retention != 0 && (time.Duration(r.Retention) < least || time.Duration(r.Retention) > most):
		return d.fault(v.at, "%s: a %s keeps what it holds for %s to %s", n.path, r.Type, brief(aloft.Duration(least)), brief(aloft.Duration(most))).WithHint("correct the retention")
	case r.Type == aloft.Stream && time.Duration(r.Retention)%time.Hour != 0:
		return d.fault(v.at, "%s: a stream keeps records for whole hours", n.path).WithHint("correct the retention")
	}
	return nil
}

func retentionOf(kind string) (least, most time.Duration) {
	const day = 24 * time.Hour
	if kind == aloft.Stream {
		return day, 365 * day
	}
	return time.Minute, 14 * day
}

// checkResources refuses what resources of one section say of each other.
func checkResources(d *document, n node, all map[string]ResourceSettings) error {
	section, _ := n.get("resources")
	for _, f := range section.fields {
		if all[f.name].Type == "" {
			return d.fault(f.at, "resources.%s has no type", f.name).WithHint("write %s: %s or another type", f.name, aloft.Bucket)
		}
		if wrong := contradiction(f.name, all); wrong.key != "" {
			v, _ := f.value.get(wrong.key)
			return d.fault(cmp.Or(v.at, f.at), "resources.%s: %s: %s", f.name, wrong.key, wrong.why).WithHint("%s", wrong.hint)
		}
	}
	return nil
}

// wrong is what is wrong with an option.
type wrong struct{ key, why, hint string }

// contradiction finds what contradicts itself in a resource, or in what it says of another; the zero value if nothing does.
func contradiction(name string, all map[string]ResourceSettings) wrong {
	r := all[name]
	to, said := all[r.DeadLetters]
	switch {
	case r.Type == aloft.Mail && r.Cloud["identity"] == "":
		return wrong{"identity", "it is not said what mail is sent from", "write " + name + ": {type: mail, identity: shop.example}, a domain or an address"}
	case r.ContentDedup && !r.FIFO:
		return wrong{"content-dedup", "it says nothing without fifo", "add fifo: true, or remove it"}
	case r.DeadLetters == "" && r.MaxReceives > 0:
		return wrong{"max-receives", "it says nothing without dead-letters", "name the queue for them, or remove it"}
	case r.DeadLetters == "":
		return wrong{}
	case !said || to.Type != aloft.Queue:
		return wrong{"dead-letters", "there is no queue " + strconv.Quote(r.DeadLetters), "declare it beside this one: " + r.DeadLetters + ": {type: queue}"}
	case r.DeadLetters == name:
		return wrong{"dead-letters", "it is the queue itself", "name another queue"}
	case to.FIFO != r.FIFO:
		return wrong{"dead-letters", "one of the two queues is FIFO, the other is not", "say fifo: true of both, or of none"}
	}
	return wrong{}
}
