# The toolchain is pinned in go.mod; machines that say GOTOOLCHAIN=local would ignore that.
export GOTOOLCHAIN = go1.26.10
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL    := go tool -modfile=tools/go.mod
# Programs for tests that tools/deps.sh installs.
export PATH := $(CURDIR)/.deps/bin:$(PATH)
BENCHES := bench-spawn bench-deploy bench-gateway bench-elastic bench-invoke bench-logs bench-shim
SHIMS   := internal/shim/shimbin

.PHONY: build shim demo demo-aws aws-emulator test lint check aws-faults bench $(BENCHES) deps clean

# Build bin/aloft, which carries the shim for AWS Lambda.
build: shim
	CGO_ENABLED=0 go build -tags release -trimpath -ldflags "-s -w -X github.com/aloft-run/aloft/internal/cli.version=$(VERSION)" -o bin/aloft ./cmd/aloft

# Build the shim for each of Lambda's processors and compress it, for the builds that carry it.
shim:
	go run ./$(SHIMS)/embed $(SHIMS)

# Build aloft, deploy a real app on the embedded engine, show its URL and its answer, and clean up.
demo: build
	@sh examples/demo.sh bin/aloft

# The same on AWS Lambda, on an emulator: no account is needed.
demo-aws: build deps
	@sh examples/demo-aws.sh bin/aloft tools/aws-emulator.sh

# Run the emulator until Ctrl-C. In another terminal: . .deps/aws-emulator.env && aloft up production
aws-emulator: deps
	@echo "in another terminal: . $(CURDIR)/.deps/aws-emulator.env"
	@sh tools/aws-emulator.sh .deps/aws-emulator.env

# Run every test with the race detector. What the tests need from the system is installed first, and the shim is built once:
# commands of development builds link it anew, each.
test: deps shim
	go test -tags release -race -shuffle=on -timeout 75m ./...

# Check formatting, the linters' rules and the layers.
lint:
	$(TOOL) golangci-lint run ./...
	go vet ./...
	go test -run 'TestLayers|TestPackageComments' -count=1 .

# Exactly what CI runs.
check: lint demo test

# One goal of docs/RELIABILITY.md at its full size, with its control: make G1. Some minutes each; as root, for the kernel's bounds.
GOAL = ALOFT_HOSTILE=full go test -count=1 -timeout 40m -v ./hostile -run
.PHONY: goals G1 G2 G3 G4 G12 G13 G14 G15 G16 G17 G18 G19 G25 G26 G28 G30
G1 G2: ; $(GOAL) TestLoad
G3: ; $(GOAL) TestBadReleases
G4: ; $(GOAL) 'TestKill$$|TestKillSees'
G12: bench-spawn
G13: bench-elastic
G14: ; $(GOAL) TestSlowHeads
G15: ; $(GOAL) TestSlowReaders
G16: ; $(GOAL) 'TestHTTP2|TestH2spec'
G17: ; $(GOAL) TestProbes
G18: ; $(GOAL) TestNois
G19: ; $(GOAL) TestKillTree
G25: ; $(GOAL) TestEvents
G28: ; $(GOAL) TestUpgrade
G26: ; $(GOAL) TestLeaks
# An hour or two: not among the goals that run together. ALOFT_FAULT_STEP=11 takes every 11th case.
G30: shim ; ALOFT_HOSTILE=full go test -tags release -count=1 -timeout 12h -v ./hostile -run TestAWS
goals: G1 G3 G4 G12 G13 G14 G15 G16 G17 G18 G19 G25 G26 G28

# Each request of a deploy to AWS fails once, in each way, against an emulator: half an hour.
aws-faults: deps
	ALOFT_FAULTS=all go test ./internal/aws -run TestFaults -count=1 -timeout 2h -v

# Run the benchmarks against peers, side by side, one after the other, and print the ratios: some minutes. One that fails does
# not keep the others from running. BENCHFLAGS="-rounds 15" makes longer runs; make bench-gateway runs one.
bench:
	@$(MAKE) --no-print-directory -j1 -k $(BENCHES)

$(BENCHES): bench-%: build
	@sh tools/benchdeps.sh
	cd bench && go run ./$* $(BENCHFLAGS)

# Install what tests need and what is missing: system packages (Debian, Ubuntu), and programs in Python and of AWS below .deps.
deps:
	@sh tools/deps.sh

clean:
	rm -rf bin dist .deps $(SHIMS)/*.gz
