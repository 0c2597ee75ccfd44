# make test   everything that must pass: format, vet, tests with the race
#             detector; as root on Debian it installs what the tests use
# make lint   staticcheck, with the rules of staticcheck.conf
# make bench  amble against plain colly and a bare loop, and its hot steps, into
#             docs/performance.md; bench-peers: against Scrapy, where it is
#             installed; bench-rows: rows against aiohttp; bench-polite and
#             bench-scale: what their names say;
#             bench-downloads: files of a bucket, against rclone (on the PATH)
# make fuzz   every fuzz target for FUZZTIME
# make torture  kills, power cuts, full disks and more, KILLS times and for about
#             15 minutes, with a table of what was done at the end
# make soak   a daemon with five crawls for MINUTES, killed and stopped meanwhile
# make demo   the built-in fixture web, crawled
# make build  the binary, ./amble

GO ?= go
FUZZTIME ?= 10s
# How often an input of interest is tried to be made smaller: by default for a minute,
# in which a target over large pages looks at nothing else.
FUZZ = -fuzztime $(FUZZTIME) -fuzzminimizetime 100x
KILLS ?= 100
MINUTES ?= 60
# What a build with -tags full differs in.
FULL = ./cmd/amble ./crawler/bucket ./extractors/article ./extractors/dates
# What bounds memory, which the race detector takes several times as much of, and what
# makes PDFium ready, which takes it ten times as long.
UNRACED = ^Test(HostileWeb|HangingHosts|PageFlood|InitOfAwkwardPages|ExtractorPages)
# Else each process sleeps for a second at its end, for races that come to light there.
export GORACE ?= atexit_sleep_ms=10
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: test needs format vet lint bench bench-peers bench-polite bench-scale bench-rows bench-downloads fuzz torture soak demo build

test: needs format vet
	$(GO) test -race -timeout 45m ./...
	$(GO) test -timeout 20m -parallel 1 -run '$(UNRACED)' ./cmd
	$(GO) test -timeout 20m -tags full $(FULL)

needs:
	@.ci/needs

format:
	@files=$$(find . -name '*.go' -not -path './.git/*' -exec gofmt -l {} +); \
	if [ -n "$$files" ]; then echo "not gofmt-clean:"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...
	$(GO) vet -tags full $(FULL)

lint:
	$(GO) run $(STATICCHECK) ./...

bench:
	$(GO) run ./fixtures/bench -write

bench-peers bench-polite bench-scale bench-rows:
	$(GO) run ./fixtures/bench $(@:bench-%=%)

bench-downloads:
	$(GO) run ./fixtures/bench/downloads

# go test fuzzes one target of one package at a time.
fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" $(FUZZ) $$package; \
	  done; \
	done

# The power cuts of the packages below are short in `make test` and long here.
torture:
	AMBLE_KILLS=$(KILLS) $(GO) test -count=1 -timeout 20m -run 'Contract|Power|Full|Lossy' ./crawler/frontier ./crawler/sink
	cd cmd && AMBLE_KILLS=$(KILLS) $(GO) test -count=1 -timeout 20m \
	  -run '^Test(Killed|Interrupted|NewRunOwes|ClockIsSet|Stopped|FullDisk|ReadOnly|Touched|FewFiles)'

soak:
	cd cmd && AMBLE_KILLS=1 AMBLE_SOAK=$(MINUTES) $(GO) test -count=1 -timeout 0 -v -run '^TestSoak$$'

demo:
	$(GO) run ./cmd/amble demo

build:
	$(GO) build -o amble ./cmd/amble
