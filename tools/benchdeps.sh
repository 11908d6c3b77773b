#!/bin/sh
# Installs the peers of the benchmarks that this machine lacks, if that is possible. Without them the rest is measured.
set -u
packages=""
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need nginx nginx-light
need haproxy haproxy
need zip zip
[ -n "$packages" ] || exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
# RUNLEVEL=1: installed, not started.
# shellcheck disable=SC2086
if ! $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1; then
	echo "bench: could not install$packages; not compared with" >&2
fi
exit 0
