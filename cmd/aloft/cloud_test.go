package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aloft-run/aloft/internal/awstest"
)

// TestAWS runs scripts about stages on AWS, each with an emulated account of its own that is empty. A command besides those of
// TestScripts:
//
//	http-of FILE PATH           http of a path below the URL in a file
//	records FILE                print the records of the Route 53 zone whose id is in a file: name, type, region, target
func TestAWS(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "aws", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	commands := allCommands()
	commands["http-of"], commands["records"] = getOf, records
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			cloud := awstest.Emulator(t)
			cloud.NeedMiniStack(t)
			testscript.Run(t, testscript.Params{
				Files: []string{script}, RequireExplicitExec: true, Cmds: commands, Condition: condition,
				Setup: func(env *testscript.Env) error { return cloudSetup(env, cloud) },
			})
		})
	}
}

// cloudSetup leads a script to its account. The shim is built with the developer's caches.
func cloudSetup(env *testscript.Env, cloud *awstest.Cloud) error {
	if err := setup(env); err != nil {
		return err
	}
	for _, kv := range cloud.Env() {
		name, value, _ := strings.Cut(kv, "=")
		env.Setenv(name, value)
	}
	// The AWS CLI takes a variable without a value for a profile without a name.
	env.Vars = slices.DeleteFunc(env.Vars, func(kv string) bool { return strings.HasPrefix(kv, "AWS_") && strings.HasSuffix(kv, "=") })
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		env.Setenv(name, strings.TrimSpace(string(value)))
	}
	return nil
}

func getOf(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "http-of FILE PATH")
	url, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	get(ts, neg, []string{strings.TrimSuffix(strings.TrimSpace(string(url)), "/") + args[1]})
}

func records(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "records FILE")
	zone, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(ts.Exec("aws", "route53", "list-resource-record-sets", "--hosted-zone-id", strings.TrimSpace(string(zone)),
		"--query", "ResourceRecordSets[].[Name,Type,Region,AliasTarget.DNSName]", "--output", "text"))
}
