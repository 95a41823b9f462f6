# Everything that a contributor runs. `make test` is what continuous integration runs.

GO          ?= go
# A module of its own, as a plugin's author has it: ./... does not go into it.
NESTED       = examples/plugins/go-wordfilter

STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2

PYTHON      ?= python3

# Its protoc makes the messages of the Python SDK. Raising it raises the least version of protobuf that the SDK runs with.
GRPCIO_TOOLS = grpcio-tools==1.72.2 setuptools==80.9.0

# Runs arm64 programs on other machines: Debian's qemu-user-static or qemu-user.
QEMU_ARM64  ?= $(or $(shell command -v qemu-aarch64-static),$(shell command -v qemu-aarch64))

.PHONY: build test test-python test-trainers test-arm64 lint unit cross fuzz proto proto-python proto-check data table-quickstart test-collapse test-specialist bench-forecast bench-plan bench-plugins bench-train bench-trainers bench-sample bench-tokenizer check-tokenizer

build:
	$(GO) build -o jupiter ./cmd/jupiter

# Build, vet, lint, unit and end-to-end tests.
test: build lint cross unit

# The packages in Python: format, lint, types, tests. Needs Python 3.10 or later and, the first time, the package index. Of the
# trainers, mlx is tested where it has a wheel; torch, which is gigabytes, where TRANSFORMERS_PYTHON names a Python that has it.
test-python: test-trainers
	@venv=$$($(PYTHON) plugins/sdk/python/environment.py) && \
	for d in plugins/sdk/python examples/plugins/python-markov; do \
		echo "$$d" && (cd "$$d" && "$$venv/bin/ruff" format --check --quiet . && "$$venv/bin/ruff" check --quiet . && \
			"$$venv/bin/mypy" && "$$venv/bin/pytest") || exit 1; \
	done && ruff="$$venv/bin/ruff" && \
	for what in "format --check" check; do $$ruff $$what --quiet --config plugins/sdk/python/pyproject.toml runtime/serve/openai bench/specialist bench/trainers || exit 1; done

test-trainers:
	@for part in mlx torch; do \
		venv=$$($(PYTHON) plugins/trainers/environment.py $$part) || exit 1; \
		if [ -z "$$venv" ]; then echo "plugins/trainers/$$part: NOT TESTED"; continue; fi; \
		dirs=$$part; if [ $$part = mlx ]; then dirs="common mlx"; fi; \
		for d in $$dirs; do \
			echo "plugins/trainers/$$d" && (cd "plugins/trainers/$$d" && "$$venv/bin/ruff" format --check --quiet . && \
				"$$venv/bin/ruff" check --quiet . && "$$venv/bin/mypy" && "$$venv/bin/python" -m pytest) || exit 1; \
		done; \
	done

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "not gofmt-formatted:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	cd $(NESTED) && $(GO) vet ./...

# The model's arithmetic on arm64, in an emulator; on an arm64 machine `make unit` tests it. What it says of speed means
# nothing. Left out are two tests of many steps, which take most of the time there; the others hold every operation to its
# reference. Some minutes on two cores.
test-arm64:
	@if [ -z "$(QEMU_ARM64)" ]; then echo "make test-arm64 needs qemu-aarch64: install qemu-user-static or qemu-user, or set QEMU_ARM64" >&2; exit 1; fi
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./plugins/builtin/llama/kernel
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) test -count=1 -timeout 60m -exec "$(QEMU_ARM64)" \
		-skip 'TestOverfitsEightSequences|TestChooseFollowsTheChances' \
		./plugins/builtin/llama/kernel ./plugins/builtin/llama/train ./plugins/builtin/llama/infer

# The program builds where it is not tested: for other systems, and on processors without SIMD kernels.
cross:
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build ./...
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build ./...
	GOOS=linux GOARCH=riscv64 CGO_ENABLED=0 $(GO) vet ./plugins/builtin/llama/kernel

unit:
	$(GO) test -count=1 -timeout 60m ./...
	cd $(NESTED) && $(GO) test -count=1 ./...

# Each of the targets that continuous integration fuzzes, one after the other: package:target:inputs, some 20 seconds of
# each on two cores. They are counted because a limit in time fails now and then, with no input to blame ("context deadline
# exceeded", golang/go#75804); make fuzz FUZZTIME=10m is for one who looks on. What fails is kept below the package's
# testdata/fuzz, and every later test tries it.
FUZZ      = plan/config:FuzzLoad:30000x plan/addr:FuzzAddress:600000x plan/planfile:FuzzDecode:150000x \
	state:FuzzRecords:300000x plugins/lockfile:FuzzLock:400000x \
	plugins/builtin/llama/gguf:FuzzGGUF:150000x plugins/builtin/llama/safetensors:FuzzSafetensors:300000x \
	plugins/builtin/llama/bpe:FuzzTokenizer:300000x plugins/builtin/llama/bpe:FuzzRoundTrip:600000x \
	plugins/builtin/llama/hf:FuzzConfig:900000x plugins/builtin/llama/hf:FuzzIndex:900000x \
	plugins/builtin/llama/peft:FuzzAdapter:300000x runtime/serve:FuzzRequest:80000x \
	domains/godoc:FuzzJudge:150000x runtime/questions:FuzzParse:300000x runtime/questions:FuzzConversation:300000x

fuzz:
	@for t in $(FUZZ); do \
		package=$${t%%:*} inputs=$${t##*:}; target=$${t%:*}; \
		$(GO) test ./$$package -run '^$$' -fuzz "^$${target##*:}$$" -fuzztime $${FUZZTIME:-$$inputs} -fuzzminimizetime 10x || exit 1; \
	done

# buf: from npm, where it comes built, or else from its source, which takes some minutes the first time.
BUF_VERSION = 1.75.0
BUF ?= $(if $(shell command -v npx),npx --yes @bufbuild/buf@$(BUF_VERSION),$(GO) run github.com/bufbuild/buf/cmd/buf@v$(BUF_VERSION))

# Regenerates the protocol's code in Go and Python.
proto: proto-python
	cd plugins/proto && $(BUF) generate

# The protocol keeps to the usual form, breaks no plugin that was made from a released version, and is what its code was made
# from.
proto-check:
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && cd plugins/proto && $(BUF) lint && \
	for r in released/*; do mkdir -p "$$dir/$$r" && cp -r "$$r/." "$$dir/$$r" && $(BUF) breaking --against "$$dir/$$r" || exit 1; done && \
	$(BUF) generate -o "$$dir" && diff -r "$$dir/pluginv1" pluginv1

# The Python messages alone, with a protoc of their own in an environment that is thrown away.
proto-python:
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(PYTHON) -m venv "$$dir/venv" && "$$dir/venv/bin/pip" install --quiet --disable-pip-version-check $(GRPCIO_TOOLS) && \
	(cd plugins/proto && "$$dir/venv/bin/python" -m grpc_tools.protoc -I . --python_out="$$dir" --pyi_out="$$dir" jupiter/plugin/v1/plugin.proto) && \
	cp "$$dir"/jupiter/plugin/v1/plugin_pb2.py "$$dir"/jupiter/plugin/v1/plugin_pb2.pyi plugins/sdk/python/src/jupiter_sdk/_pb/

# Regenerates the default domain's data; a test compares the bytes.
data:
	$(GO) run ./domains/quantities/gen

# The README's table: quickstart and control arm over four seeds, each in a copy of its own. About ten minutes on two
# cores without other work.
table-quickstart:
	$(GO) run ./cmd/table

# The guard against both collapses and the healthy loop, with the examples as they are, over four seeds; and what becomes
# of the collapses without it. About an hour on two cores; `make test` does the first with one seed and one cycle.
test-collapse:
	$(GO) test -count=1 -timeout 3h -v -run 'TestCollapse|TestUnguarded' ./cmd/jupiter -collapse.full

# examples/specialist in little: a served model teaches, the trainer mlx learns, and what it learned is merged and served; and the
# student says the same greedily in the library that trained it and in the server. Some five minutes on two cores without other
# work, after the downloads of the first time.
test-specialist:
	$(GO) run ./bench/specialist -llama-server "$${LLAMA_SERVER:-llama-server}" $(SPECIALIST)

# The forecast of the fourth run of the quickstart, after three on this machine, beside what it takes. About a quarter of an
# hour on two cores; FORECAST_OF=tiny takes a minute or two.
FORECAST_OF ?= quickstart
bench-forecast:
	$(GO) test -count=1 -timeout 3h -v -run TestForecastOfTheFourth ./cmd/jupiter -forecast.of $(FORECAST_OF)

# The time that a plan with nothing to do takes, against the number of stages and, where it is installed, Terraform: see
# docs/benchmarks.md. Terraform's plans take most of its time, some four minutes on two cores; BENCH=-peer-runs=0 leaves
# them out.
bench-plan:
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(GO) build -trimpath -o "$$dir/jupiter" ./cmd/jupiter && $(GO) build -trimpath -o "$$dir/bench-plan" ./bench/plan && \
	"$$dir/bench-plan" -jupiter "$$dir/jupiter" $(BENCH)

# How fast plugins start, and how fast records go to them and back: see docs/benchmarks.md. A minute or two on two cores,
# and the first time the environment of the Python SDK.
bench-plugins:
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(GO) build -trimpath -o "$$dir/jupiter" ./cmd/jupiter && $(GO) build -trimpath -o "$$dir/bench-plugins" ./bench/plugins && \
	"$$dir/bench-plugins" -jupiter "$$dir/jupiter" -python plugins/sdk/python/environment.py $(BENCH)

# How fast the trainers mlx and torch train SmolLM2-135M-Instruct: see plugins/trainers/README.md. Some four minutes on two
# cores without other work. torch is measured where TRANSFORMERS_PYTHON names a Python that has it.
bench-trainers: build
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && ./jupiter convert "$$(.ci/model)" "$$dir/model" --dtype bf16 && \
	for part in mlx torch; do \
		venv=$$($(PYTHON) plugins/trainers/environment.py $$part) || exit 1; \
		[ -z "$$venv" ] || set -- "$$@" "$$part=$$venv/bin/python"; \
	done && $(PYTHON) bench/trainers/run.py "$$dir/model" "$$@"

# The training of the embedded model against PyTorch, and its matrix products against OpenBLAS: see docs/benchmarks.md. A
# quarter of an hour on two cores without other work, and the first time gigabytes for PyTorch.
bench-train:
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(GO) build -trimpath -o "$$dir/bench-train" ./bench/train && \
	"$$dir/bench-train" -environment bench/environment.py $(BENCH)

# How fast the embedded model writes against llama.cpp, on the same files: see docs/benchmarks.md. A few minutes on two cores
# without other work. LLAMA_CPP names a directory with llama.cpp's programs and its libggml-cpu-*.so; without it they are fetched.
bench-sample:
	@llama=$${LLAMA_CPP:-$$(.ci/llama.cpp)} && dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(GO) build -trimpath -o "$$dir/bench-sample" ./bench/sample && \
	"$$dir/bench-sample" -llama-server "$$llama/llama-server" -llama-bench "$$llama/llama-bench" \
		-backends "$$(dirname "$$(find "$$llama" -name 'libggml-cpu-*.so' | head -n 1)")" $(BENCH)

# How long the tokenizer takes to learn from 100 MB of text, beside Hugging Face's tokenizers: see docs/benchmarks.md. A few
# minutes on two cores without other work.
bench-tokenizer:
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(GO) build -trimpath -o "$$dir/bench-tokenizer" ./bench/tokenizer && \
	"$$dir/bench-tokenizer" -environment bench/environment.py $(BENCH)

# Hugging Face's tokenizers still gives what the tests have stored of it, and gives files of ours the ids that they have here.
check-tokenizer:
	@python=$$($(PYTHON) bench/environment.py bench-tokenizer tokenizers)/bin/python && \
	"$$python" plugins/builtin/llama/bpe/testdata/reference.py --check && \
	TRANSFORMERS_PYTHON="$$python" $(GO) test -count=1 -v -run TestTokenizersReadsOurs ./plugins/builtin/llama/bpe
