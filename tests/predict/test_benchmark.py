import json
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_model
from tiny_data import sample

from mdeas.cli import main
from mdeas.images.codec import write_png
from mdeas.runtime.clock import STAGES, measured, stage
from mdeas.sample import Sample


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = replace(tiny_model.SPEC, looks=2)
    Path("model.onnx").write_bytes(tiny_model.model_bytes(spec=spec.to_json()))


def run(*words: str) -> int:
    return main(["benchmark", *words, "--model", "model.onnx", "--rounds", "3", "--threads", "1"])


def test_every_stage_of_the_sample_pair(capsys):
    assert run("--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["stages"]) == [*STAGES, "total"]
    medians = {name: row["median_ms"] for name, row in result["stages"].items()}
    assert all(value >= 0 for value in medians.values())
    assert medians["total"] >= max(medians[name] for name in STAGES)
    assert result["fps"] == pytest.approx(1000 / medians["total"], rel=0.01)
    assert (result["photo"], result["size"], result["threads"], result["device"]) == (
        "1280x720",
        64,
        1,
        "cpu",
    )


def test_a_pair_of_ones_own_at_another_size(capsys):
    pair: Sample = sample(0)
    write_png("b.png", pair.background)
    write_png("a.png", pair.image)
    assert run("a.png", "--background", "b.png") == 0
    assert "photo        48x40" in (text := capsys.readouterr().out) and "network" in text
    assert run("a.png", "--background", "b.png", "--resolution", "96x80", "--size", "32", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["photo"], result["size"]) == ("96x80", 32)
    assert sorted(Path().iterdir()) == [Path("a.png"), Path("b.png"), Path("model.onnx")]


@pytest.mark.parametrize(
    "words, code",
    [
        (["a.png"], "E-USAGE"),
        (["--background", "b.png"], "E-USAGE"),
        (["--resolution", "720p"], "E-RESOLUTION"),
        (["--resolution", "0x20"], "E-RESOLUTION"),
        (["--resolution", "20x00"], "E-RESOLUTION"),
        (["--device", "tensorrt"], "E-DEVICE"),
    ],
)
def test_mistakes(words, code, capsys):
    assert run(*words) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_stages_add_up():
    with measured() as seconds:
        for _ in range(2):
            with stage("decode"):
                sum(range(1000))
    with stage("encode"):
        pass
    assert list(seconds) == ["decode"] and seconds["decode"] > 0
