#!/bin/sh
# Installs AWS's Runtime Interface Emulator, from source by the Go command, into a directory: sh tools/rie.sh DIR
set -eu
[ ! -x "$1/aws-lambda-rie" ] || exit 0
mkdir -p "$1"
GOBIN="$(cd "$1" && pwd)" go install github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d >/dev/null 2>&1
