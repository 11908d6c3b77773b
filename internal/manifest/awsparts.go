package manifest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
)

func alarmsShape() shape[aloft.Alarms] {
	const form = `^([^@\s]+@[^@\s]+\.[^@\s]+|https://\S+|arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:\S+)$`
	return objectOf(
		bind(KeyDoc{Key: "notify", Default: "nobody", Meaning: "Who is told: e-mail addresses, https:// addresses, ARNs of topics."},
			listOf(formed("somebody to tell", `such as "ops@example.com", "https://example.com/hook" or the ARN of a topic`, form)), func(a *aloft.Alarms) *[]string { return &a.Notify }),
		bind(KeyDoc{Key: "errors", Default: "1", Meaning: "Failed invocations of a function in five minutes, and as well requests that its API or function URL answers with 500 or more."},
			within(1, 1_000_000), func(a *aloft.Alarms) *int { return &a.Errors }),
		bind(KeyDoc{Key: "throttles", Default: "1", Meaning: "Invocations in five minutes that were refused because too many ran."},
			within(1, 1_000_000), func(a *aloft.Alarms) *int { return &a.Throttles }),
		bind(KeyDoc{Key: "latency", Default: "no such alarm", Meaning: "How long one in a hundred requests takes, over five minutes."},
			duration(), func(a *aloft.Alarms) *aloft.Duration { return &a.Latency }),
	)
}

func wafShape() shape[WAF] {
	short := yesNo()
	return either(
		shape[WAF]{wants: short.wants, like: short.like, schema: short.schema, read: func(d *document, n node) (WAF, error) {
			on, err := short.read(d, n)
			return WAF{Off: !on}, err
		}},
		objectOf(bind(KeyDoc{Key: "rate-limit", Default: "2000", Meaning: "Requests of one address in five minutes."},
			within(10, 2_000_000_000), func(w *WAF) *int { return &w.RateLimit })),
	)
}

func throttleShape() shape[aloft.Throttle] {
	const most = 100_000
	rate := word("a number of requests", "a second, such as 50", map[string]any{"type": "number", "exclusiveMinimum": 0, "maximum": most}, func(n node) (float64, bool) {
		v, err := strconv.ParseFloat(n.text, 64)
		return v, n.kind == number && err == nil && v > 0 && v <= most
	})
	s := objectOf(
		bind(KeyDoc{Key: "rate", Meaning: "Requests a second."}, rate, func(t *aloft.Throttle) *float64 { return &t.Rate }),
		bind(KeyDoc{Key: "burst", Meaning: "Requests at once."}, within(1, most), func(t *aloft.Throttle) *int { return &t.Burst }),
	)
	s.schema["required"] = []string{"rate", "burst"}
	return checked(s, func(d *document, n node, t *aloft.Throttle) error {
		if t.Rate == 0 || t.Burst == 0 {
			return d.fault(n.at, "%s: rate and burst are both needed", n.path).WithHint("write %s: {rate: 50, burst: 100}", n.path)
		}
		return nil
	})
}

// zone is a zone's name or id, or false.
func zone() shape[string] {
	const form = `^([a-z0-9-]+\.)+[a-z0-9-]+$|^Z[A-Z0-9]+$`
	name := regexp.MustCompile(form)
	schema := map[string]any{"anyOf": []any{map[string]any{"type": "string", "pattern": form}, map[string]any{"enum": []any{false}}}}
	return word("a zone's name or id, or false", `such as "example.com" or "Z0123456789ABC"`, schema, func(n node) (string, bool) {
		if n.kind == boolean && n.text == "false" {
			return NoZone, true
		}
		return n.text, n.kind == text && name.MatchString(n.text)
	})
}

// tagNames is the rule for tags. Source: Tag in the API reference of CloudFormation.
func tagNames() naming {
	const form = `^[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$`
	pattern := regexp.MustCompile(form)
	return naming{
		map[string]any{"minLength": 1, "maxLength": 128, "not": map[string]any{"pattern": "^(aws|aloft):"}},
		func(d *document, f field) (string, error) {
			if !pattern.MatchString(f.name) || strings.HasPrefix(f.name, "aws:") || strings.HasPrefix(f.name, "aloft:") {
				return "", d.fault(f.at, "tag %s is not allowed", quote(f.name)).
					WithHint("use up to 128 letters, digits, spaces and _.:/=+-@, not beginning with aws: or aloft:")
			}
			return f.name, nil
		},
	}
}

func tagValue() shape[string] {
	s := anyText()
	return checked(s, func(d *document, n node, v *string) error {
		if len(*v) > 256 {
			return d.fault(n.at, "%s: longer than 256 characters", n.path).WithHint("AWS takes no longer tags")
		}
		return nil
	})
}

// idForm is the form of logical ids in CloudFormation.
const idForm = `^[A-Za-z0-9]{1,255}$`

func logicalID() shape[string] { return formed("a logical id", "such as HelloFunction", idForm) }

func logicalIDs() naming {
	pattern := regexp.MustCompile(idForm)
	return naming{map[string]any{"pattern": idForm}, func(d *document, f field) (string, error) {
		if !pattern.MatchString(f.name) {
			return "", d.fault(f.at, "%s is no logical id", quote(f.name)).WithHint("it has letters and digits only")
		}
		return f.name, nil
	}}
}

// template is a part of a CloudFormation template, as JSON decodes it.
func template() shape[map[string]any] {
	const like = "with the sections of a template, such as Resources"
	sections := map[string]any{}
	for _, name := range templateSections() {
		sections[name] = map[string]any{"type": "object"}
	}
	schema := map[string]any{"type": "object", "properties": sections, "additionalProperties": false}
	return shape[map[string]any]{wants: "a map of keys", like: like, schema: schema, read: func(d *document, n node) (map[string]any, error) {
		if n.kind != object {
			return nil, d.expected(n, "a map of keys", like)
		}
		for _, f := range n.fields {
			if !slices.Contains(templateSections(), f.name) {
				return nil, d.fault(f.at, "unknown section %s of a template", quote(f.name)).WithHint("the sections are %s", strings.Join(templateSections(), ", "))
			}
			if f.value.kind != object {
				return nil, d.expected(n.below(f), "a map of keys", "from names to what they name")
			}
		}
		decoder := json.NewDecoder(strings.NewReader(jsonOf(n)))
		decoder.UseNumber() // as they are written
		var v map[string]any
		if err := decoder.Decode(&v); err != nil {
			return nil, d.fault(n.at, "%s: %v", n.path, err)
		}
		return v, nil
	}}
}

func templateSections() []string {
	return []string{"Conditions", "Mappings", "Metadata", "Outputs", "Parameters", "Resources", "Rules"}
}

// mergeTemplates returns what top and base say together, key by key at every depth; where both speak, top wins. The result may
// share memory with both, which nobody changes.
func mergeTemplates(top, base map[string]any) map[string]any {
	if len(top) == 0 || len(base) == 0 {
		if len(top) == 0 {
			top = base
		}
		return maps.Clone(top)
	}
	merged := maps.Clone(base)
	for name, v := range top {
		above, is := v.(map[string]any)
		below, was := merged[name].(map[string]any)
		if is && was {
			v = mergeTemplates(above, below)
		}
		merged[name] = v
	}
	return merged
}
