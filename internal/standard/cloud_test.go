package standard_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/manifest"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/standard"
)

// graph declares every kind, and every option of it once.
func graph() []aloft.Resource {
	r := func(name, kind string, options ...string) aloft.Resource {
		o := map[string]string{}
		for i := 0; i < len(options); i += 2 {
			o[options[i]] = options[i+1]
		}
		return aloft.Resource{Name: name, Type: kind, Options: o}
	}
	return []aloft.Resource{
		r("uploads", aloft.Bucket),
		r("jobs", aloft.Queue, "dead-letters", "jobs-dead", "max-receives", "5", "visibility", "2m", "delay", "1s", "wait", "20s", "retention", "48h"),
		r("jobs-dead", aloft.Queue),
		r("orders", aloft.Queue, "fifo", "true", "content-dedup", "true"),
		r("news", aloft.Topic),
		r("ledger", aloft.Topic, "fifo", "true", "content-dedup", "true"),
		r("clicks", aloft.Stream, "shards", "2", "retention", "48h"),
		r("carts", aloft.Table, "key", "user:string", "sort", "at:number", "ttl", "expires"),
		r("plain", aloft.Table),
		r("db", aloft.Postgres, "min-capacity", "0.5", "max-capacity", "8", "backups", "14", "database", "shop"),
		r("reports", aloft.Postgres, "instance", "db.t4g.micro", "storage", "50", "standby", "true", "variable", "REPORTS_URL"),
		r("cache", aloft.Cache, "storage", "2"),
		r("search", aloft.Search, "storage", "20"),
		r("mail", aloft.Mail, "identity", "shop.example"),
		r("alerts", aloft.Mail, "identity", "alerts@shop.example", "existing", "true"),
		r("session", aloft.Secret, "length", "64"),
	}
}

func logical(name string) string {
	var id strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		id.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return id.String()
}

func stage() aloft.StageRef { return aloft.StageRef{App: "shop", Stage: "staging"} }

// rendered is what a resource of the graph is in a stack.
func rendered(t *testing.T, r aloft.Resource, change func(*resource.Rendering)) resource.Rendered {
	t.Helper()
	in := resource.Rendering{
		Stage: stage(), Resource: r, Name: stage().ResourceName(r), ID: logical(r.Name),
		VPC:     &aloft.VPC{Subnets: []string{"subnet-0a1b2c3d4e5f60718", "subnet-1a1b2c3d4e5f60718"}, SecurityGroups: []string{"sg-0a1b2c3d4e5f60718"}},
		Sibling: logical,
	}
	if change != nil {
		change(&in)
	}
	for _, kind := range standard.CloudKinds() {
		if kind.Kind() == r.Type {
			out, err := kind.Render(in)
			if err != nil {
				t.Fatalf("%s: %v", r.Name, err)
			}
			return out
		}
	}
	t.Fatalf("there is no kind %s", r.Type)
	return resource.Rendered{}
}

// TestEdgesNameWhatTheyAllow checks every edge of every kind: no action and no resource of its statements is a star, none leads
// to a resource that is not its own, and an edge without a word is all words together.
func TestEdgesNameWhatTheyAllow(t *testing.T) {
	t.Parallel()
	for _, r := range graph() {
		out := rendered(t, r, func(in *resource.Rendering) { in.KMSKey = testKey })
		words := slices.Sorted(maps.Keys(out.Access))
		if want := append([]string{""}, aloft.EdgeWords(r.Type)...); !slices.Equal(words, want) {
			t.Errorf("%s has edges %q, want %q", r.Name, words, want)
		}
		var all []cfn.Statement
		for _, word := range aloft.EdgeWords(r.Type) {
			if len(out.Access[word]) == 0 {
				t.Errorf("%s:%s allows nothing", r.Name, word)
			}
			all = append(all, out.Access[word]...)
		}
		if asJSON(t, all) != asJSON(t, out.Access[""]) {
			t.Errorf("%s: an edge without a word is not all of them", r.Name)
		}
		for _, s := range all {
			checkStatement(t, r, s)
		}
	}
}

const testKey = "arn:aws:kms:eu-west-1:123456789012:key/0f6b2c7a-0000-4000-8000-000000000000"

func checkStatement(t *testing.T, r aloft.Resource, s cfn.Statement) {
	t.Helper()
	for _, action := range s.Action {
		if strings.Contains(action, "*") {
			t.Errorf("%s: the action %s is a star", r.Name, action)
		}
	}
	resources, ok := s.Resource.([]any)
	if !ok {
		resources = []any{s.Resource}
	}
	own := []string{logical(r.Name), stage().ResourceName(r), testKey, r.Options["identity"]}
	for _, one := range resources {
		text := asJSON(t, one)
		if r.Type == aloft.Mail { // IAM asks about recipients too: the sender is what bounds it
			text += asJSON(t, s.Condition["StringLike"])
		}
		if text == `"*"` || !slices.ContainsFunc(own, func(name string) bool { return name != "" && strings.Contains(text, name) }) {
			t.Errorf("%s: %v leads to %s", r.Name, s.Action, text)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestStoresStay checks that what holds data stays with its stack gone, unless it is to go.
func TestStoresStay(t *testing.T) {
	t.Parallel()
	goes := []string{aloft.Topic, aloft.Cache}
	for _, r := range graph() {
		id := logical(r.Name)
		if r.Options["instance"] != "" {
			id += "Server" // the id alone is a cluster's
		}
		stays, gone := rendered(t, r, nil).Resources, rendered(t, r, func(in *resource.Rendering) { in.Delete = true }).Resources
		if r.Options["existing"] == "true" {
			if len(stays) > 0 {
				t.Errorf("%s is made, though it exists", r.Name)
			}
			continue
		}
		if policy := stays[id].DeletionPolicy; !slices.Contains(goes, r.Type) && !strings.HasPrefix(policy, "Retain") {
			t.Errorf("%s has the deletion policy %q", r.Name, policy)
		}
		if policy := gone[id].DeletionPolicy; strings.HasPrefix(policy, "Retain") {
			t.Errorf("%s, to be deleted, has the deletion policy %q", r.Name, policy)
		}
	}
}

func TestPrivateStoresNeedANetwork(t *testing.T) {
	t.Parallel()
	for _, kind := range standard.CloudKinds() {
		if kind.Kind() != aloft.Postgres && kind.Kind() != aloft.Cache {
			continue
		}
		_, err := kind.Render(resource.Rendering{Stage: stage(), Resource: aloft.Resource{Name: "x", Type: kind.Kind()}, Name: "shop-x", ID: "X"})
		if aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%s without a network: %v", kind.Kind(), err)
		}
	}
}

func TestOptionsAreRefused(t *testing.T) {
	t.Parallel()
	bad := map[string][]map[string]string{
		aloft.Table:    {{"key": "id:word"}, {"sort": "id"}, {"ttl": "a b"}, {"fifo": "true"}, {"variable": "not-one"}},
		aloft.Postgres: {{"instance": "big"}, {"standby": "true"}, {"min-capacity": "0.3"}, {"min-capacity": "9", "max-capacity": "8"}, {"instance": "db.t4g.micro", "min-capacity": "1"}, {"database": "1"}},
		aloft.Cache:    {{"storage": "0"}},
		aloft.Search:   {{"instance": "t3.small"}, {"version": "7"}, {"storage": "1"}},
		aloft.Mail:     {{}, {"identity": "nothing"}, {"identity": "a@b.example", "existing": "perhaps"}},
		aloft.Secret:   {{"length": "3"}},
	}
	for _, kind := range standard.CloudKinds() {
		for _, options := range bad[kind.Kind()] {
			if err := kind.Check(options); aloft.ErrorCode(err) != aloft.Invalid {
				t.Errorf("%s takes %v: %v", kind.Kind(), options, err)
			}
		}
	}
}

// TestManifestOptions: what aloft.yml takes of a resource, its kind takes.
func TestManifestOptions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../manifest/testdata/good/graph.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "-- aloft.yml --\n")
	yaml, _, _ := strings.Cut(rest, "-- want --")
	m, _, err := manifest.Load(fstest.MapFS{"aloft.yml": {Data: []byte(yaml)}})
	if err != nil {
		t.Fatal(err)
	}
	declared, err := m.Stage("production").Declared()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range declared {
		seen[r.Type] = true
		rendered(t, r, nil)
	}
	for _, kind := range []string{aloft.Table, aloft.Postgres, aloft.Cache, aloft.Search, aloft.Mail, aloft.Secret} {
		if !seen[kind] {
			t.Errorf("the manifest declares no %s", kind)
		}
	}
}
