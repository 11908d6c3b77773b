package stack

import (
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// notification is what of a bucket a function is told.
type notification struct {
	event          string // "s3:ObjectCreated:*"
	prefix, suffix string
}

// checkNotifications returns Invalid if two functions would be told of one event of a bucket, which S3 refuses.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (s *render) checkNotifications() error {
	for _, name := range slices.Sorted(maps.Keys(s.stores)) {
		one := s.stores[name]
		if one.kind != aloft.Bucket {
			continue
		}
		all := notificationsOf(s.template.Resources[one.id].Properties)
		for i, n := range all {
			for _, other := range all[:i] {
				if n.overlaps(other) {
					return aloft.Errorf(aloft.Invalid, "the bucket %s tells of %s twice where prefixes and suffixes overlap (%q and %q), and S3 tells of one event once",
						name, strings.TrimPrefix(n.event, "s3:"), other.prefix+"…"+other.suffix, n.prefix+"…"+n.suffix).
						WithHint("give the event sources prefixes or suffixes that exclude each other, or have one function publish to a topic that the others take their events from")
				}
			}
		}
	}
	return nil
}

func notificationsOf(bucket map[string]any) []notification {
	configuration, _ := bucket["NotificationConfiguration"].(map[string]any)
	list, _ := configuration["LambdaConfigurations"].([]any)
	var all []notification
	for _, entry := range list {
		one, _ := entry.(map[string]any)
		n := notification{}
		n.event, _ = one["Event"].(string)
		filter, _ := one["Filter"].(map[string]any)
		key, _ := filter["S3Key"].(map[string]any)
		rules, _ := key["Rules"].([]any)
		for _, entry := range rules {
			rule, _ := entry.(map[string]any)
			value, _ := rule["Value"].(string)
			if rule["Name"] == "prefix" {
				n.prefix = value
			} else {
				n.suffix = value
			}
		}
		all = append(all, n)
	}
	return all
}

// overlaps reports whether one event may be of both.
func (n notification) overlaps(o notification) bool {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(n.event, "s3:"), ":")
	other, another, _ := strings.Cut(strings.TrimPrefix(o.event, "s3:"), ":")
	return kind == other && (rest == another || rest == "*" || another == "*") &&
		(strings.HasPrefix(n.prefix, o.prefix) || strings.HasPrefix(o.prefix, n.prefix)) &&
		(strings.HasSuffix(n.suffix, o.suffix) || strings.HasSuffix(o.suffix, n.suffix))
}
