package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aloft-run/aloft/internal/porttest"
)

func freePort(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "freeport NAME")
	port, err := porttest.Find()
	ts.Check(err)
	ts.Setenv(args[0], port)
}

func subst(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "subst NAME FILE...")
	for _, name := range args[1:] {
		replace(ts, name, args[0], ts.Getenv(args[0]))
	}
}

func edit(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "edit FILE OLD NEW")
	replace(ts, args[0], args[1], args[2])
}

func replace(ts *testscript.TestScript, name, old, text string) {
	path := ts.MkAbs(name)
	data, err := os.ReadFile(path)
	ts.Check(err)
	info, err := os.Stat(path)
	ts.Check(err)
	if !bytes.Contains(data, []byte(old)) {
		ts.Fatalf("%s does not hold %q", name, old)
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(data, []byte(old), []byte(text)), info.Mode().Perm()))
}

// oddFiles makes files whose names have spaces, newlines, quotes, escapes, and letters of many scripts.
func oddFiles(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "oddfiles DIR N")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	odd := []string{" ", "\n", "'", `"`, "\x1b[31m", "é", "e\u0301", "日本", "🙂", "-", "--", "*", "$HOME", "`id`", `\`, "#", "%2e", "~", ";", "\u202e"}
	for i := range n {
		dir := filepath.Join(ts.MkAbs(args[0]), fmt.Sprintf("d%s%d", odd[i%7], i%50))
		ts.Check(os.MkdirAll(dir, 0o755))
		name := fmt.Sprintf("%s%d%s", odd[i%len(odd)], i, odd[(i/3)%len(odd)])
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
}
