package lambdaruntime_test

import (
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

func TestForCommand(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o755} }
	tree := fstest.MapFS{
		"server": file("\x7fELF"), "run.js": file("#!/usr/bin/env node\n"), "run.sh": file("#!/bin/sh\n# starts it\nset -e\ncd app\nexec python3 web.py\n"),
		"start": file("#!/bin/bash\nexec ./run.sh\n"), "php": file("#!/usr/bin/env php\n"), "node_modules/.bin/serve-it": file("x"), ".python_packages/bin/serve": file("x"),
		"loop": file("#!/bin/sh\n./loop\n"), "lua": file("#!/usr/bin/env lua\n"), "old": file("#!/usr/bin/lua5.4\n"), "split": file("#!/usr/bin/env -S lua -W\n"),
		"own": file("#!/var/task/bin/luajit\n"), "near": file("#!bin/luajit\n"), "by-path": file("#!/usr/bin/env luajit\n"), "bin/luajit": file("\x7fELF"),
		"layer": file("#!/opt/bin/perl\n"), "start-lua": file("#!/bin/sh\nset -e\nexec lua web.lua\n"), "odd": file("#!/bin/bash\nfind . | xargs chmod +x\nexec \"$SERVER\"\n"),
	}
	line := func(text string) []string { return []string{"/bin/sh", "-c", text} }
	for _, c := range []struct {
		command []string
		want    lambdaruntime.Family
	}{
		{[]string{"./server"}, lambdaruntime.Provided},
		{[]string{"bin/web"}, lambdaruntime.Provided},
		{[]string{"node", "server.js"}, lambdaruntime.Node},
		{[]string{"npm", "start"}, lambdaruntime.Node},
		{[]string{"./run.js"}, lambdaruntime.Node},
		{[]string{"serve-it"}, lambdaruntime.Node},
		{[]string{"serve"}, lambdaruntime.Python},
		{[]string{"sh", "run.sh"}, lambdaruntime.Python},
		{[]string{"./run.sh"}, lambdaruntime.Python},
		{[]string{"./start"}, lambdaruntime.Python},
		{[]string{"./loop"}, lambdaruntime.Provided},
		{line("exec python3 -m gunicorn --bind $HOST:$PORT app:app"), lambdaruntime.Python},
		{line("cd web && exec bundle exec puma"), lambdaruntime.Ruby},
		{line("A=b exec java -jar x.jar"), lambdaruntime.Java},
		{line("mkdir -p /tmp/x; exec ./server"), lambdaruntime.Provided},
		{[]string{"php", "-S", "0.0.0.0:80"}, ""},
		{[]string{"./php"}, ""},
		{line("exec lua web.lua"), ""},
		{[]string{"./lua"}, ""},
		{[]string{"./old"}, ""},
		{[]string{"./split"}, ""},
		{[]string{"./start-lua"}, ""},
		{[]string{"/usr/bin/lua", "web.lua"}, ""},
		{[]string{"./own"}, lambdaruntime.Provided},
		{[]string{"./near"}, lambdaruntime.Provided},
		{[]string{"./by-path"}, lambdaruntime.Provided},
		{[]string{"luajit", "web.lua"}, lambdaruntime.Provided},
		{[]string{"./layer"}, lambdaruntime.Provided},
		{[]string{"./odd"}, lambdaruntime.Provided},
		{line("/usr/bin/env A=b ./server"), lambdaruntime.Provided},
		{[]string{"/bin/sh", "run.sh"}, lambdaruntime.Python},
	} {
		got, err := lambdaruntime.ForCommand(c.command, tree, "bin")
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q runs in %q (%v), want %q", c.command, got, err, c.want)
		}
	}
}

func TestForTree(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	engines := func(text string) fstest.MapFS {
		return fstest.MapFS{"package.json": file(`{"engines": {"node": "` + text + `"}}`)}
	}
	for _, c := range []struct {
		family lambdaruntime.Family
		tree   fstest.MapFS
		want   string
	}{
		{lambdaruntime.Python, fstest.MapFS{}, "python"},
		{lambdaruntime.Python, fstest.MapFS{lambdaruntime.PythonVersion: file("3.12\n")}, "python3.12"},
		{lambdaruntime.Python, fstest.MapFS{".python_packages/x/_y.cpython-311-x86_64-linux-gnu.so": file("")}, "python3.11"},
		{lambdaruntime.Ruby, fstest.MapFS{"vendor/bundle/ruby/3.3.0/gems/x": file("")}, "ruby3.3"},
		{lambdaruntime.Node, fstest.MapFS{}, "nodejs"},
		{lambdaruntime.Node, engines(">=18"), "nodejs24.x"},
		{lambdaruntime.Node, engines("^20.1.0"), "nodejs20.x"},
		{lambdaruntime.Node, engines("18 || 20.x || 22"), "nodejs22.x"},
		{lambdaruntime.Node, engines(">=18 <23"), "nodejs22.x"},
		{lambdaruntime.Node, engines("*"), "nodejs"},
		{lambdaruntime.Java, fstest.MapFS{"pom.xml": file("<project><properties><java.version>17</java.version>")}, "java17"},
		{lambdaruntime.Java, fstest.MapFS{"pom.xml": file("<maven.compiler.source>1.8</maven.compiler.source>")}, "java11"},
		{lambdaruntime.Java, fstest.MapFS{"build.gradle": file("languageVersion = JavaLanguageVersion.of(24)")}, "java25"},
		{lambdaruntime.Java, fstest.MapFS{}, "java"},
		{lambdaruntime.Provided, fstest.MapFS{}, "provided"},
	} {
		if got := lambdaruntime.ForTree(c.family, c.tree); got != c.want {
			t.Errorf("%s with %v is %q, want %q", c.family, c.tree, got, c.want)
		}
	}
}
