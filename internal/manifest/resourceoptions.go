package manifest

import (
	"regexp"
	"strconv"

	"github.com/aloft-run/aloft"
)

// cloudOption is a thing that may be said of resources of types that only AWS has: its text is what a release has.
type cloudOption struct {
	doc    KeyDoc
	types  []string
	schema map[string]any
	read   func(d *document, n node) (string, error)
}

// saidOf makes an option of a shape.
func saidOf[T any](doc KeyDoc, s shape[T], text func(T) string, types ...string) cloudOption {
	doc.Type = s.noun()
	return cloudOption{doc, types, s.schema, func(d *document, n node) (string, error) {
		v, err := s.read(d, n)
		return text(v), err
	}}
}

func cloudOptions() []cloudOption {
	asIs := func(v string) string { return v }
	cloud := []string{aloft.Table, aloft.Postgres, aloft.Cache, aloft.Search, aloft.Mail, aloft.Secret}
	const attribute = `[A-Za-z0-9_.-]{1,255}`
	keyed := formed("an attribute", "such as id, id:number or id:binary", `^`+attribute+`(:(string|number|binary))?$`)
	return []cloudOption{
		saidOf(KeyDoc{Key: "key", Default: "id", Meaning: "Tables: the attribute by which items are found, with its type if it is no text."}, keyed, asIs, aloft.Table),
		saidOf(KeyDoc{Key: "sort", Default: "none", Meaning: "Tables: the attribute that tells items of one key apart, and orders them."}, keyed, asIs, aloft.Table),
		saidOf(KeyDoc{Key: "ttl", Default: "none", Meaning: "Tables: the attribute with the second since 1970 after which an item goes away."},
			formed("an attribute", "such as expires", `^`+attribute+`$`), asIs, aloft.Table),
		saidOf(KeyDoc{Key: "min-capacity", Default: "0.5", Meaning: "Databases: how many capacity units Aurora has at least, of 2 GB each. With 0 it stops when nobody asks."},
			halves(0), asIs, aloft.Postgres),
		saidOf(KeyDoc{Key: "max-capacity", Default: "4", Meaning: "Databases: how many capacity units Aurora has at most."}, halves(1), asIs, aloft.Postgres),
		saidOf(KeyDoc{Key: "instance", Default: "Aurora; t3.small.search for search", Meaning: "Databases: a class of RDS, such as db.t4g.micro, in place of Aurora. Search: the class of its node."},
			formed("a class", "such as db.t4g.micro", `^[a-z0-9-]+(\.[a-z0-9-]+){1,2}$`), asIs, aloft.Postgres, aloft.Search),
		saidOf(KeyDoc{Key: "storage", Default: "20GB for an instance, 10GB for search, 1GB for caches", Meaning: "Instances of databases, caches and search: how much fits in."},
			gigabytes(), strconv.Itoa, aloft.Postgres, aloft.Search, aloft.Cache),
		saidOf(KeyDoc{Key: "standby", Default: "false", Meaning: "Instances of databases: whether a second one takes over from another zone."}, yesNo(), strconv.FormatBool, aloft.Postgres),
		saidOf(KeyDoc{Key: "version", Default: "AWS's", Meaning: "Databases: PostgreSQL's version, such as \"17\". Search: OpenSearch_2.19 and the like."},
			formed("a version", `such as "17"`, `^[A-Za-z0-9_.]+$`), asIs, aloft.Postgres, aloft.Search),
		saidOf(KeyDoc{Key: "backups", Default: "7", Meaning: "Databases: how many days backups are kept."}, within(1, 35), strconv.Itoa, aloft.Postgres),
		saidOf(KeyDoc{Key: "database", Default: "app", Meaning: "Databases: the name in the server."}, formed("a database's name", "such as shop", `^[a-z][a-z0-9_]{0,62}$`), asIs, aloft.Postgres),
		saidOf(KeyDoc{Key: "identity", Meaning: "Mail: the domain or the address that mail is sent from."}, formed("a domain or an address", "such as shop.example", `^[A-Za-z0-9._%+@-]+\.[a-z]{2,}$`), asIs, aloft.Mail),
		saidOf(KeyDoc{Key: "existing", Default: "false", Meaning: "Mail: whether the account has the identity already, of another stage or by hand."}, yesNo(), strconv.FormatBool, aloft.Mail),
		saidOf(KeyDoc{Key: "length", Default: "48", Meaning: "Secrets: how many letters and digits the value has."}, within(16, 4096), strconv.Itoa, aloft.Secret),
		saidOf(KeyDoc{Key: "variable", Default: "by name and type", Meaning: "Types that only AWS has: the variable by which functions know it, such as DATABASE_URL."},
			formed("a variable's name", "such as DATABASE_URL", `^[A-Z_][A-Z0-9_]*$`), asIs, cloud...),
	}
}

// cloudOptionKeys are the options as keys.
func cloudOptionKeys() []key[ResourceSettings] {
	var keys []key[ResourceSettings]
	for _, o := range cloudOptions() {
		keys = append(keys, key[ResourceSettings]{doc: o.doc, schema: o.schema, read: func(d *document, n node, r *ResourceSettings) error {
			v, err := o.read(d, n)
			if err != nil {
				return err
			}
			if r.Cloud == nil {
				r.Cloud = map[string]string{}
			}
			r.Cloud[o.doc.Key] = v
			return nil
		}})
	}
	return keys
}

// optionTypes are the types of resources that an option is for.
func optionTypes() map[string][]string {
	all := map[string][]string{}
	for _, o := range options() {
		all[o.key] = o.types
	}
	for _, o := range cloudOptions() {
		all[o.doc.Key] = o.types
	}
	return all
}

// halves is a number of Aurora's capacity units.
func halves(least float64) shape[string] {
	const most = 256
	schema := map[string]any{"type": "number", "minimum": least, "maximum": most, "multipleOf": 0.5}
	return word("a number of units", "in steps of 0.5, up to 256", schema, func(n node) (string, bool) {
		v, err := strconv.ParseFloat(n.text, 64)
		return strconv.FormatFloat(v, 'g', -1, 64), n.kind == number && err == nil && v >= least && v <= most && v*2 == float64(int(v*2))
	})
}

var gigabytePattern = regexp.MustCompile(`^([1-9][0-9]{0,4}) ?Gi?B?$`)

// gigabytes is an amount of storage.
func gigabytes() shape[int] {
	schema := map[string]any{"anyOf": []any{
		map[string]any{"type": "integer", "minimum": 1, "maximum": 99_999}, map[string]any{"type": "string", "pattern": gigabytePattern.String()},
	}}
	return word("a size", `such as "20GB", or a number of GB`, schema, func(n node) (int, bool) {
		digits := n.text
		if parts := gigabytePattern.FindStringSubmatch(n.text); n.kind == text && parts != nil {
			digits = parts[1]
		} else if n.kind != number {
			return 0, false
		}
		v, err := strconv.Atoi(digits)
		return v, err == nil && v >= 1 && v <= 99_999
	})
}
