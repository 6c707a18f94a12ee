PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIXTURN := $(BIN)/pixturn
comma := ,
# Extras to install; macOS has no onnxruntime-gpu.
EXTRAS := $(if $(filter Darwin,$(shell uname -s)),train$(comma)cpu$(comma)app$(comma)examples,all)

# What the demo is: 64 px for minutes on a CPU, 128 px for longer on a GPU.
GPU := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU && echo yes)
ifeq ($(GPU),yes)
SIZE_PX := 128
LOAD_PX := 144
MINUTES := 20
else
SIZE_PX := 64
LOAD_PX := 72
MINUTES := 4.5
endif
DATA := data/openmoji-$(LOAD_PX)
NAME := demo-$(SIZE_PX)

.PHONY: help demo test test-all test-release lint format install clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      train line art -> colour on real drawings, and translate one (5 minutes on 2 CPU cores)"
	@echo "make test      the quick tests"
	@echo "make test-all  all tests, as CI runs them"
	@echo "make test-release  the rest of them, for minutes more"
	@echo "make lint      format, style, types, direction of imports"

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@free=$$(df -Pk . | awk 'NR == 2 { print int($$4 / 1048576) }'); [ "$$free" -ge 12 ] || \
		echo "Only $$free GB are free here. PyTorch and its CUDA libraries take 8, and 12 while they are installed." >&2
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS),dev]'
	touch $@

demo: install
	$(PIXTURN) example openmoji $(DATA) --size-px $(LOAD_PX)
	if [ -d checkpoints/$(NAME)/snapshots ]; then \
		$(PIXTURN) train --resume $(NAME); \
	else \
		$(PIXTURN) train pix2pix-small --data $(DATA) --name $(NAME) --augmentation.load-px $(LOAD_PX) \
			--augmentation.crop-px $(SIZE_PX) --minutes $(MINUTES); \
	fi
	$(PIXTURN) run $(NAME) $$(ls $(DATA)/testA/*.png | head -n 1) -o outputs/demo.png
	@echo; echo "outputs/demo.png is a drawing that the model never saw. Open checkpoints/$(NAME)/report.html for all of them."

test: install
	$(BIN)/python -m pytest

test-all: install
	$(BIN)/python -m pytest -m "not release"

test-release: install
	$(BIN)/python -m pytest -m release

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache
