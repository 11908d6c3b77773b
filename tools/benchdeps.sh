#!/bin/sh
# Installs the peers of the benchmarks that this machine lacks, if that is possible. Without them the rest is measured.
set -u
packages=""
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need nginx nginx-light
need haproxy haproxy
need zip zip
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
# RUNLEVEL=1: installed, not started.
# shellcheck disable=SC2086
if [ -n "$packages" ] && ! $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1; then
	echo "bench: could not install$packages; not compared with" >&2
fi
# What functions are compared with is no package of Debian's.
peers=bin/peers
mkdir -p "$peers"
sh tools/rie.sh "$peers" || echo "bench: could not install the Runtime Interface Emulator; not compared with" >&2
if [ ! -d "$peers/node_modules/serverless-offline" ]; then
	npm install --prefix "$peers" --no-audit --no-fund --silent serverless@3.40.0 serverless-offline@13.10.1 >/dev/null 2>&1 ||
		echo "bench: could not install serverless-offline; not compared with" >&2
fi
if [ ! -d "$peers/node_modules/workerd" ]; then
	npm install --prefix "$peers" --no-audit --no-fund --silent workerd@1.20261117.1 >/dev/null 2>&1 ||
		echo "bench: could not install workerd; not compared with" >&2
fi
exit 0
