package server_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/server"
)

type files = map[string]string

func TestContract(t *testing.T) {
	t.Parallel()
	buildpacktest.Run(t, server.New(), buildpacktest.Source(files{"server*": "#!/bin/sh\n"}), buildpacktest.Source(files{"server/main.go": "x"}))
}

func TestDetect(t *testing.T) {
	t.Parallel()
	buildpacktest.Table(t, server.New(), []buildpacktest.Case{
		{Name: "script", Files: files{"server*": "#!/usr/bin/env node\n"}, Start: "./server"},
		{Name: "binary", Files: files{"server*": "\x7fELF\x02"}, Start: "./server"},
		{Name: "script without x", Files: files{"server": "#!/usr/bin/env node\n"}, Err: "not executable", Hint: "chmod +x server"},
		{Name: "binary without x", Files: files{"server": "\x7fELF\x02"}, Err: "not executable", Hint: "chmod +x server"},
		{Name: "without shebang", Files: files{"server*": "echo hi"}, Err: "neither a binary nor a script", Hint: "#!/usr/bin/env"},
		{Name: "empty", Files: files{"server*": ""}, Err: "neither a binary nor a script"},
		{Name: "notes", Files: files{"server": "notes about the server"}, No: true},
		{Name: "none", Files: files{"serve*": "#!/bin/sh"}, No: true},
	})
}
