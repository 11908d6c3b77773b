package aloft_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/aloft-run/aloft"

// layers says which packages of this module a package may import, besides the root. A trailing "/..." matches the package
// and all below it. Packages not listed may import none. Tests (_test.go and packages named *test) are free.
var layers = map[string][]string{
	"cmd/aloft":         {"internal/cli"},
	"internal/cli":      {"internal/..."}, // the only package that knows concrete types and the environment
	"internal/standard": {"internal/engine/...", "internal/buildpack/...", "internal/eventsource/...", "internal/lineage", "internal/resource/..."},

	"internal/api":         {},
	"internal/awsapi":      {},
	"internal/lambdaapi":   {"internal/awsapi", "internal/lineage"},
	"internal/cfn":         {}, // data
	"internal/stack":       {"internal/cfn", "internal/eventsource", "internal/lambdaruntime", "internal/resource", "internal/shim"},
	"internal/aws":         {"internal/cfn", "internal/cfndiff", "internal/cost", "internal/foreign", "internal/metrics", "internal/stack", "internal/shim/..."},
	"internal/cfndiff":     {"internal/cfn"},
	"internal/terraform":   {"internal/cfn"},
	"internal/export":      {"internal/cfn", "internal/stack", "internal/terraform"},
	"internal/foreign":     {"internal/cfn", "internal/lambdaruntime"},
	"internal/metrics":     {},
	"internal/lambdahttp":  {},                   // a codec: what goes into the shim too
	"internal/client":      {"internal/api/..."}, // the wire types
	"internal/cost/...":    {"internal/cfn", "internal/cost"},
	"internal/deploy":      {"internal/artifact", "internal/buildpack", "internal/engine", "internal/eventsource", "internal/lambdaruntime", "internal/line", "internal/manifest", "internal/route", "internal/source"},
	"internal/events":      {"internal/eventsource"},
	"internal/gateway/...": {"internal/edge", "internal/gateway/...", "internal/route", "internal/upstream"},
	"internal/route":       {"internal/upstream"},

	"internal/local":         {"internal/awsapi", "internal/engine", "internal/function", "internal/lambdahttp", "internal/lambdaruntime", "internal/lineage", "internal/reclaim", "internal/resource", "internal/route", "internal/runtimeapi", "internal/upstream"},
	"internal/function":      {"internal/engine", "internal/line", "internal/route", "internal/runtimeapi", "internal/upstream"},
	"internal/artifact":      {"internal/source"},
	"internal/lambdaruntime": {},
	"internal/manifest":      {"internal/lambdaruntime"},
	"internal/testevent":     {"internal/lambdahttp"},
	"internal/static/...":    {"internal/static"},

	// They are what runs inside of Lambda: besides these the standard library only.
	"cmd/bootstrap":               {"internal/shim"},
	"internal/shim/shimbin/embed": {"internal/shim/shimbin"},
	"internal/shim":               {"internal/edge", "internal/engine/sockdiag", "internal/lambdahttp", "internal/static"},

	"internal/s3":            {"internal/artifact", "internal/seal"},
	"internal/sqlite/...":    {"internal/sqlite/..."},
	"internal/async":         {"internal/lineage", "internal/sqlite/messages"},
	"internal/attack":        {"internal/engine"},
	"internal/engine/...":    {"internal/engine/..."},
	"internal/buildpack/...": {"internal/buildpack/..."},
	"internal/resource/...":  {"internal/cfn", "internal/eventpattern", "internal/lineage", "internal/resource/...", "internal/sqlite/..."},

	"internal/eventsource/...":   {"internal/cfn", "internal/eventpattern", "internal/eventsource", "internal/lineage"},
	"internal/eventsource/table": {"internal/cfn", "internal/eventsource", "internal/eventsource/stream"}, // both are shards

}

// doors says which package is the only one to import a third-party module.
var doors = map[string][]string{
	"github.com/caddyserver/caddy":      {"internal/gateway", "bench/..."},
	"modernc.org/sqlite":                {"internal/sqlite", "bench/..."}, // there it is a peer
	"github.com/spf13/cobra":            {"internal/cli"},
	"github.com/danielgtaylor/huma":     {"internal/api"},
	"github.com/goccy/go-yaml":          {"internal/manifest"},
	"go.yaml.in/yaml/v3":                {"internal/foreign"}, // its nodes keep the tags of CloudFormation's short forms
	"github.com/johannesboyne/gofakes3": {"internal/resource/bucket"},
	"github.com/aws/aws-sdk-go-v2":      {"internal/aws", "internal/s3", "caddy/...", "bench/..."},
	"gvisor.dev/gvisor":                 {"internal/engine/netstack"},
}

func TestLayers(t *testing.T) {
	for file, imports := range imports(t) {
		pkg := path.Dir(file)
		if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(pkg, "test") {
			continue
		}
		for _, imp := range imports {
			checkInternal(t, file, pkg, imp)
			checkDoors(t, file, pkg, imp)
		}
	}
}

func checkInternal(t *testing.T, file, pkg, imp string) {
	t.Helper()
	target, ours := strings.CutPrefix(imp, module+"/")
	if pkg == "." && strings.Contains(imp, ".") {
		t.Errorf("%s imports %s; the root package imports the standard library only", file, imp)
	}
	if !ours || target == pkg {
		return
	}
	for rule, allowed := range layers {
		if matches(rule, pkg) && anyMatches(allowed, target) {
			return
		}
	}
	if !strings.HasPrefix(pkg, "bench") && !strings.HasPrefix(pkg, "examples") {
		t.Errorf("%s imports %s, which the layers do not allow", file, target)
	}
}

func checkDoors(t *testing.T, file, pkg, imp string) {
	t.Helper()
	for third, allowed := range doors {
		if strings.HasPrefix(imp, third) && !anyMatches(allowed, pkg) {
			t.Errorf("%s imports %s; its door is %v", file, imp, allowed)
		}
	}
}

func anyMatches(patterns []string, pkg string) bool {
	for _, p := range patterns {
		if matches(p, pkg) {
			return true
		}
	}
	return false
}

func matches(pattern, pkg string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
	}
	return pattern == pkg
}

// imports parses every Go file of the module in-process: a test that asks `go list` is cached and stays green when broken.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "examples" || strings.HasPrefix(entry.Name(), ".") && name != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		all[filepath.ToSlash(name)] = nil
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all[filepath.ToSlash(name)] = append(all[filepath.ToSlash(name)], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found only %d Go files: the test does not see the module", len(all))
	}
	return all
}

// TestPackageComments checks that every package says what it is.
func TestPackageComments(t *testing.T) {
	documented := map[string]bool{}
	for file := range imports(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(file)
		documented[dir] = documented[dir] || parsed.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}
