#!/bin/sh
# Runs an emulator of AWS (MiniStack, which is not ours; `make deps` installs it) on a free port of loopback, with what
# internal/awstest adds to it, until it is interrupted. What to put into the environment for it is written to the file in $1.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
PATH=$here/.deps/bin:$PATH
export PATH
command -v ministack >/dev/null 2>&1 || {
	echo "the emulator is not installed: make deps" >&2
	exit 1
}
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
work=$(mktemp -d)
cp "$here/internal/awstest/ministack/sitecustomize.py" "$work"
mkdir "$work/state" "$work/s3"
case $1 in */*) file=$1 ;; *) file=./$1 ;; esac # else it is looked for in PATH
# A key of twelve digits is the number of its account there.
cat >"$file" <<ENV
export AWS_ENDPOINT_URL=http://127.0.0.1:$port
export AWS_ACCESS_KEY_ID=123456789012 AWS_SECRET_ACCESS_KEY=secret
export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE
ENV
# shellcheck source=/dev/null
. "$file"
finish() {
	kill "$emulator" 2>/dev/null || true
	wait "$emulator" 2>/dev/null || true
	rm -rf "$work"
}
TMPDIR=$work STATE_DIR=$work/state S3_DATA_DIR=$work/s3 PYTHONPATH=$work GATEWAY_PORT=$port BIND_HOST=127.0.0.1 \
	MINISTACK_ACCOUNT_ID=$AWS_ACCESS_KEY_ID MINISTACK_REGION=$AWS_REGION DOCKER_HOST=unix:///dev/null \
	ministack >"$work/log" 2>&1 &
emulator=$!
trap finish EXIT
trap 'exit 130' INT TERM
wait "$emulator"
