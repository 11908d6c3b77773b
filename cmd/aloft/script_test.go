package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aloft-run/aloft/internal/terraform/terraformtest"
)

// The scripts are the product, end to end: each runs this program, which is this test binary under another name, in a home
// directory of its own, with a real server in the background on a port of its own. Commands besides testscript's:
//
//	aloft-exit N ARG...         run aloft; it must end with status N
//	copy-aloft DIR              put the aloft program into DIR
//	server-schema N             make the state's schema N, while no server runs
//	http [-X METHOD] [-H K:V] [-d BODY] URL
//	                            print status line and body; the port is the gateway's unless the URL has one
//	waitfor URL                 wait until URL answers below 400
//	retry COMMAND ARG...        run a program until it ends with status 0
//	kill-server [SIGNAL]        end the server (KILL, TERM, INT) and wait until it is gone
//	onterminal KEYS COMMAND ARG...
//	                            run a program on a terminal, type KEYS once it has said "keys?" or "[y/N]", print what it showed and its status
//	noprocess [TEXT]            no process of this home is left but the server, and none with TEXT in its arguments
//	nosecret TEXT DIR...        no file below DIR holds TEXT
//	freeport NAME               set NAME to a port that is free
//	subst NAME FILE...          replace the word NAME in files by the variable's value
//	edit FILE OLD NEW           replace OLD in a file
//	oddfiles DIR N              make N files with odd names
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setup,
		RequireExplicitExec: true,
		Cmds:                allCommands(),
		Condition:           condition,
	})
}

func allCommands() map[string]command {
	all := commands()
	maps.Copy(all, awsCommands())
	return all
}

// condition knows "isolation": this machine lets namespaces be made; "boto3": Python has the module; "lambda_runtime":
// Cargo reaches AWS's crate; "aws-sdk-js": somebody installed AWS's SDK for JavaScript; and "aws-provider": Terraform can install its AWS provider from a directory.
func condition(name string) (bool, error) {
	switch name {
	case "boto3":
		return exec.Command("python3", "-c", "import boto3").Run() == nil, nil
	case "lambda_runtime":
		return exec.Command("cargo", "info", "lambda_runtime@1").Run() == nil, nil
	case "aws-sdk-js":
		return os.Getenv("ALOFT_TEST_AWS_SDK_JS") != "", nil
	case "aws-provider":
		return terraformtest.Mirror() != "", nil
	case "isolation":
	default:
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return exec.Command("unshare", "-U", "-r", "-n", "-m", "-p", "-f", "true").Run() == nil, nil
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aloft": main})
}

// setup gives a script its home directory and sees to it that nothing of it runs on.
func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".aloft-home")
	user := filepath.Join(env.WorkDir, ".user")
	if err := os.MkdirAll(user, 0o700); err != nil {
		return err
	}
	for _, kv := range os.Environ() {
		// What package managers need to work behind a proxy or with an authority of their own.
		name, value, _ := strings.Cut(kv, "=")
		if env.Getenv(name) == "" && !strings.HasPrefix(name, "ALOFT_") && !strings.HasPrefix(name, "XDG_") {
			env.Setenv(name, value)
		}
	}
	if real, err := os.UserHomeDir(); err == nil && env.Getenv("RUSTUP_HOME") == "" {
		env.Setenv("RUSTUP_HOME", filepath.Join(real, ".rustup")) // where Rust's toolchains are
	}
	env.Setenv("HOME", user)
	env.Setenv("USER", "tester")
	env.Setenv("ALOFT_HOME", home)
	env.Setenv("ALOFT_HTTP", "127.0.0.1:0")
	env.Setenv("TF_MIRROR", terraformtest.Mirror())
	env.Setenv("AWS_SDK_JS", os.Getenv("ALOFT_TEST_AWS_SDK_JS"))
	env.Defer(func() { cleanUp(env.WorkDir) })
	return nil
}
