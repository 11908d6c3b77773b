#!/bin/sh
# Installs the Debian packages that aloft's tests need and that this machine lacks. The toolchains that users bring
# themselves (Go, Node.js, Python, Java with Maven, Rust) are prerequisites named in the README; they are only checked.
set -eu
packages=""
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need git git
python3 -c "import ensurepip" >/dev/null 2>&1 || packages="$packages python3-venv"
need curl curl
need strace strace
need ruby ruby-full
need bundle ruby-bundler
# The Ruby example's gems: where no gem server is reached, Bundler takes the system's.
ruby -e 'require "sinatra/base"; require "puma"; require "webrick"' >/dev/null 2>&1 || packages="$packages ruby-sinatra ruby-rack puma ruby-webrick"
if [ -n "$packages" ]; then
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "deps: please install:$packages" >&2
		exit 1
	fi
	sudo=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	echo "deps: installing$packages" >&2
	$sudo apt-get update -qq
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi
# Programs in Python for the tests of AWS, in an environment of their own below the repository.
if ! cmp -s tools/requirements.txt .deps/installed; then
	if python3 -m venv --clear .deps/venv >/dev/null && .deps/venv/bin/pip install -q --disable-pip-version-check -r tools/requirements.txt >&2; then
		mkdir -p .deps/bin # apart from the environment's own python3, which is not for apps
		for program in aws cfn-lint ministack; do ln -sf "../venv/bin/$program" ".deps/bin/$program"; done
		cp tools/requirements.txt .deps/installed
	else
		echo "deps: the programs of tools/requirements.txt cannot be installed; tests of AWS will be skipped and say so" >&2
	fi
fi
sh tools/rie.sh .deps/bin || echo "deps: AWS's Runtime Interface Emulator cannot be installed; the test of the shim under it will be skipped and says so" >&2
for tool in go node npm python3 java mvn cargo; do
	command -v "$tool" >/dev/null 2>&1 || echo "deps: $tool is missing; tests of apps that need it will be skipped and say so" >&2
done
