package python

import "github.com/aloft-run/aloft/internal/buildpack"

const (
	needsPython = "install Python 3 with pip (apt-get install python3 python3-pip)"
	needsUV     = "install uv (pip install uv), or replace the dependencies on git repositories and paths"
	pinsFile    = ".aloft-pins.txt"
)

// portable rewrites what pip wrote for this machine: the interpreter's path in scripts, and the digests of these scripts. It
// notes the version of Python, whose packages are for no other: see lambdaruntime.PythonVersion.
const portable = `
import glob, os, re, sys
root = sys.argv[1]
os.makedirs(root, exist_ok=True)
with open(os.path.join(root, ".python-version"), "w") as f:
    f.write("%d.%d\n" % sys.version_info[:2])
for name in glob.glob(os.path.join(root, "bin", "*")):
    with open(name, "rb") as f:
        text = f.read()
    new = re.sub(rb"\A#!/bin/sh\n'''exec'[^\n]*\n' '''\n|\A#![^\n]*python[^\n]*\n", b"#!/usr/bin/env python3\n", text)
    if new != text:
        with open(name, "wb") as f:
            f.write(new)
for name in glob.glob(os.path.join(root, "*.dist-info", "RECORD")):
    with open(name, encoding="utf-8", newline="") as f:
        lines = f.readlines()
    with open(name, "w", encoding="utf-8", newline="") as f:
        f.writelines(line for line in lines if not line.startswith("../../bin/"))
`

// runPip does what -m pip does. After "python3 -m pip install" pyenv's shims rewrite themselves, which fails where builds may
// not change the machine's own files.
const runPip = "import runpy; runpy.run_module('pip', run_name='__main__', alter_sys=True)"

// steps install the dependencies. Nothing is compiled to bytecode: its files hold times and paths.
func (d *dependencies) steps() []buildpack.Step {
	if len(d.args) == 0 {
		return nil
	}
	env := map[string]string{
		"PIP_CACHE_DIR": "$CACHE/pip", "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
		"PIP_NO_INPUT": "1", "PYTHONDONTWRITEBYTECODE": "1", "UV_CACHE_DIR": "$CACHE/uv", "UV_LINK_MODE": "copy",
	}
	var all []buildpack.Step
	pip := []string{"python3", "-c", runPip, "install", "--target", packages, "--no-compile"}
	switch {
	case d.uv:
		all = append(all, buildpack.Step{
			Name: "uv export", Needs: needsUV, Env: env,
			Command: []string{"uv", "export", "--frozen", "--no-dev", "--no-emit-project", "--quiet", "--output-file", pinsFile},
		}, buildpack.Step{
			Name: "uv pip install", Needs: needsUV, Env: env,
			Command: []string{"uv", "pip", "install", "--target", packages, "-r", pinsFile},
		})
	case len(d.pins) > 0:
		all = append(all, buildpack.Step{
			Name: "pins of " + d.from, Needs: "install a POSIX shell as sh",
			Command: append([]string{"sh", "-c", `printf '%s\n' "$@" > ` + pinsFile, "sh"}, d.pins...),
		})
		pip = append(pip, "-c", pinsFile)
		fallthrough
	default:
		if d.args[0] != "-r" {
			pip = append(pip, "--")
		}
		all = append(all, buildpack.Step{Name: "pip install", Needs: needsPython, Env: env, Command: append(pip, d.args...)})
	}
	return append(all, buildpack.Step{
		Name: "make scripts portable", Needs: needsPython, Command: []string{"python3", "-c", portable, packages},
	})
}
