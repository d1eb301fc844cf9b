# make demo   mask, depth, cut-out and panel of the sample pair, with the base install (no PyTorch)
# make test   what CI runs: lint, format, types, tests, docs
# make docs   the documentation site in build/site, offline, from docs/ and the source
# make campaign  kill, fill up and damage the data factory at every step: minutes, ends with a table
# make lower-bounds  the base commands with the oldest versions that pyproject.toml allows
# make bench  speed against the obvious alternatives; nothing fails, it prints ratios
# make default-model PHOTOS=FOLDER ASSETS=FOLDER RGBD=FOLDER  the packaged model from nothing; 2 to 3.5 hours
# make default-figures PHOTOS=FOLDER  most figures of its card
# make clean  remove the environments and the results of the demo

PYTHON ?= python3
PIP = -m pip install -qq --disable-pip-version-check --constraint constraints.txt
SAMPLE = src/mdeas/weights/sample

.PHONY: demo test docs campaign lower-bounds bench default-model default-figures clean

demo: .venv/base.stamp
	@.venv/bin/mdeas predict $(SAMPLE)/image.png --background $(SAMPLE)/background.png --out demo --force

test: .venv-test/test.stamp
	@.venv-test/bin/ruff check .
	@.venv-test/bin/ruff format --check --quiet .
	@.venv-test/bin/mypy
	@OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest --numprocesses 2 --dist loadfile
	@$(MAKE) --no-print-directory docs

docs: .venv-test/test.stamp
	@OMP_NUM_THREADS=1 .venv-test/bin/python docs/tools/build.py

campaign: .venv-test/test.stamp
	@MDEAS_CAMPAIGN=full OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest --numprocesses 2 --dist worksteal tests/campaign

lower-bounds:
	@$(call environment,.venv-low)
	@.venv-low/bin/python -m pip install -qq --disable-pip-version-check -r tests/packaging/lower_bounds.txt .
	@.venv-low/bin/python tests/packaging/smoke.py

bench: .venv-test/test.stamp
	@for benchmark in benchmarks/*.py; do .venv-test/bin/python $$benchmark || exit 1; done

# What weights/CARD.md describes. PHOTOS holds bg/ and fg/, ASSETS textures/ and meshes/, RGBD a folder a picture:
# image.* and depth.png. Interrupted, every step goes on where it stopped.
MDEAS = .venv-test/bin/mdeas
BG_FG = --backgrounds $(PHOTOS)/bg --foregrounds $(PHOTOS)/fg
NO_TEST = --set test_count=0 --set validation_count
SCENES = --assets $(ASSETS) --cutouts $(PHOTOS)/fg --textures $(ASSETS)/textures --size 160 --workers 2 \
  --set split=identity --set billboard_share=0.4
PLACES = --set 'places=[room,table_top,open_bin,shelf_bay,open_ground]'
TWIN_DATA = --data datasets/scenes datasets/scenes-2 datasets/photos datasets/mild datasets/rgbd \
  --set 'data.repeats=[2,2,1,1,3]' --set threads=2
AGAIN = --set optimizer.lr=0.0008 --set steps=1600 --set validate_every=800

default-model: .venv-test/test.stamp
	@test -d "$(PHOTOS)/bg" -a -d "$(ASSETS)/textures" || { echo "set PHOTOS=, ASSETS= and RGBD=, see the Makefile" >&2; exit 2; }
	$(MDEAS) create scenes -o datasets/scenes $(SCENES) --count 20800 --seed 61 $(PLACES) \
	  --set validation_count=300 --set test_count=500
	$(MDEAS) create scenes -o datasets/scenes-2 $(SCENES) --count 12000 --seed 62 $(PLACES) $(NO_TEST)=0
	$(MDEAS) create photos -o datasets/rgbd --backgrounds $(RGBD) --foregrounds $(PHOTOS)/fg --count 4000 \
	  --size 160 --seed 53 --workers 2 $(NO_TEST)=0 --set teacher=rgbd --set split=foregrounds
	$(MDEAS) create photos -o datasets/photos $(BG_FG) --count 30400 --size 160 --seed 51 --workers 2 $(NO_TEST)=400
	$(MDEAS) create photos -o datasets/mild $(BG_FG) --count 10000 --size 160 --seed 52 --workers 2 $(NO_TEST)=0 \
	  --set nuisances=false --set camera_share=0.3
	$(MDEAS) create photos -o datasets/photos-224 $(BG_FG) --count 6000 --size 224 --seed 54 --workers 2 $(NO_TEST)=0
	$(MDEAS) create photos -o datasets/mild-224 $(BG_FG) --count 4000 --size 224 --seed 55 --workers 2 $(NO_TEST)=0 \
	  --set nuisances=false --set camera_share=0.3
	$(MDEAS) train twin $(TWIN_DATA) -o runs/twin
	$(MDEAS) train twin-2 $(TWIN_DATA) -o runs/twin-2 --set model.weights=runs/twin
	$(MDEAS) train twin-2 $(TWIN_DATA) $(AGAIN) -o runs/twin-2b --set model.weights=runs/twin-2 --set seed=1
	$(MDEAS) train twin-2 $(TWIN_DATA) $(AGAIN) -o runs/twin-2c --set model.weights=runs/twin-2b --set seed=2
	$(MDEAS) train twin-2 $(TWIN_DATA) $(AGAIN) -o runs/twin-2d --set model.weights=runs/twin-2c --set seed=3
	$(MDEAS) train twin-3 --data datasets/scenes datasets/photos-224 datasets/mild-224 -o runs/twin-3 \
	  --set 'data.repeats=[1,2,2]' --set threads=2 --set model.weights=runs/twin-2b \
	  --set 'model.mean_with=[runs/twin-2c/last.safetensors,runs/twin-2d/last.safetensors]'
	$(MDEAS) export runs/twin-3 -o runs/default.onnx --size 224 --looks 2
	$(MDEAS) quantize runs/default.onnx --data datasets/scenes -o runs/default-int8.onnx --limit 60

# Of every set of photographs in weights/CARD.md a table with the baselines, in datasets/figures. PHOTOS holds pairs/,
# rgbd/ and rgbd_more/research/ as well: a folder a picture, see `mdeas create pairs --help`.
MODELS ?= src/mdeas/weights/default.onnx src/mdeas/weights/default-int8.onnx
SEEN = --set validation_count=0 --set test_count
CALM = --set nuisances=false --set camera_share=0 --set light_share=0 --set shadow_share=0 --set blend_share=0

default-figures: .venv-test/test.stamp
	@test -d "$(PHOTOS)/pairs" -a -d "$(PHOTOS)/rgbd_more" || { echo "set PHOTOS=, see the Makefile" >&2; exit 2; }
	$(MDEAS) create pairs -o datasets/figures/pairs --folder $(PHOTOS)/pairs
	$(MDEAS) create pairs -o datasets/figures/rgbd --folder $(PHOTOS)/rgbd
	$(MDEAS) create pairs -o datasets/figures/research --folder $(PHOTOS)/rgbd_more/research
	$(MDEAS) create photos -o datasets/figures/clean $(BG_FG) --count 60 --size 224 --seed 5 $(CALM) --set empty_share=0.1 $(SEEN)=60
	$(MDEAS) create photos -o datasets/figures/disturbed $(BG_FG) --count 300 --size 224 --seed 2001 $(SEEN)=300
	$(MDEAS) create photos -o datasets/figures/empty $(BG_FG) --count 200 --size 224 --seed 3001 --set empty_share=1 $(SEEN)=200
	@for set in pairs clean disturbed empty rgbd research; do \
	  $(MDEAS) compare $(MODELS) --data datasets/figures/$$set -o datasets/figures/$$set-compared || exit 1; done

clean:
	rm -rf .venv .venv-test .venv-low build demo

.venv/base.stamp: pyproject.toml constraints.txt
	@$(call environment,.venv)
	@echo "installing mdeas (without PyTorch) into .venv"
	@.venv/bin/python $(PIP) --editable .
	@touch $@

.venv-test/test.stamp: pyproject.toml constraints.txt
	@$(call environment,.venv-test)
	@echo "installing mdeas with PyTorch and the test tools into .venv-test (once, a few minutes)"
	@.venv-test/bin/python $(PIP) --editable '.[train,timm,teacher,3d,ray,docs,dev]'
	@touch $@

# Debian ships Python without ensurepip; its own message is a page long.
define environment
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "mdeas needs Python 3.11 or newer, got `$(PYTHON) --version`; set PYTHON=" >&2; exit 1; }; \
$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
  || { echo "Python's venv is missing: run 'apt install python3-venv', then make again" >&2; exit 1; }; \
test -x $(1)/bin/pip || $(PYTHON) -m venv $(1)
endef
