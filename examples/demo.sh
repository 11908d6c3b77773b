#!/bin/sh
# Deploys a real app on the embedded engine, shows its URL and its answer, changes it, and rolls back. Everything happens
# in a temporary home that is removed at the end.
set -eu
PATH=$(cd "$(dirname "$1")" && pwd):$PATH
export PATH
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
export ALOFT_HOME="$work/home"
finish() {
	aloft stop --server --yes >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\n$ %s\n' "$*"; }
show() {
	say "$@"
	"$@"
}
# No name below localhost needs a DNS server: the address is always this machine.
get() {
	say "curl $1"
	curl -sS --fail --resolve "*:$port:127.0.0.1" "$1"
	echo
}

cp -R "$here/express" "$work/shop"
cd "$work/shop"
say cat server.js
cat server.js
show aloft up production
url=$(aloft url --stage production)
port=${url##*:}
get "$url/hello/World"

say "sed -i s/Hello/Welcome/ server.js"
sed s/Hello/Welcome/ server.js >server.new && mv server.new server.js
show aloft up production
get "$url/hello/World"
show aloft rollback --stage production
get "$url/hello/World"
show aloft releases --stage production
