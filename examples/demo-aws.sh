#!/bin/sh
# Deploys a real app to AWS Lambda on an emulator, from an empty account: shows its URL and answer, changes it, rolls
# back, and destroys it. No account is needed. $1 is aloft's program, $2 the script that runs the emulator.
set -eu
PATH=$(cd "$(dirname "$1")" && pwd):$(cd "$(dirname "$2")/.." && pwd)/.deps/bin:$PATH
export PATH
emulator=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
export ALOFT_HOME="$work/home"
sh "$emulator" "$work/env" &
running=$!
finish() {
	kill "$running" 2>/dev/null || true
	wait "$running" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The emulator's addresses are names below localhost: they lead to this machine without a DNS server.
ask() { curl -sS --fail --resolve "*:$port:127.0.0.1" "$@"; }
for _ in $(seq 300); do
	kill -0 "$running" || exit 1
	if [ -s "$work/env" ]; then
		# shellcheck source=/dev/null
		. "$work/env"
		port=${AWS_ENDPOINT_URL##*:}
		curl -sS -o /dev/null "$AWS_ENDPOINT_URL" 2>/dev/null && break
	fi
	sleep 0.1
done
curl -sS -o /dev/null "$AWS_ENDPOINT_URL" # says why it does not answer

say() { printf '\n$ %s\n' "$*"; }
show() {
	say "$@"
	"$@"
}
get() {
	say "curl $1"
	ask "$1"
	echo
}

# Functions of the emulator are processes of this machine.
case $(uname -m) in aarch64 | arm64) machine=arm64 ;; *) machine=x86_64 ;; esac
cp -R "$here/express" "$work/shop"
cd "$work/shop"
cat >aloft.yml <<YML
stages: {production: {platform: aws, aws: {region: eu-west-1, architecture: $machine}}}
YML
say cat aloft.yml
cat aloft.yml
show aloft up production
url=$(aloft url --stage production)
get "$url/hello/World"

say "sed -i s/Hello/Welcome/ server.js"
sed s/Hello/Welcome/ server.js >server.new && mv server.new server.js
show aloft plan production
show aloft up production
get "$url/hello/World"
show aloft rollback --stage production
get "$url/hello/World"
show aloft status production
show aws cloudformation describe-stacks --query 'Stacks[].[StackName,StackStatus]' --output text
show aloft destroy production --yes
