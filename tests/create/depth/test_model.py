"""Depth networks by name or folder: their kind, licence and hash; errors."""

import shutil

import pytest

from mdeas.cli import main
from mdeas.create.depth.model import DEFAULT, find_model
from mdeas.errors import InputError, ModelError
from mdeas.system.files import write_json

pytestmark = pytest.mark.usefixtures("cache")


def config(tmp_path, **fields):
    """A folder that looks like a network but for its weights."""
    write_json(tmp_path / "net" / "config.json", fields)
    write_json(tmp_path / "net" / "preprocessor_config.json", {})
    (tmp_path / "net" / "model.safetensors").write_bytes(b"")
    return tmp_path / "net"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"model_type": "depth_anything"}, "relative"),
        ({"model_type": "depth_anything", "depth_estimation_type": "metric"}, "metric"),
        ({"model_type": "dpt"}, "relative"),
        ({"model_type": "zoedepth"}, "metric"),
    ],
)
def test_what_a_network_predicts_follows_from_its_configuration(tmp_path, capsys, fields, kind):
    assert find_model(str(config(tmp_path, **fields))).kind == kind
    assert "no licence in its README.md" in capsys.readouterr().err


@pytest.mark.parametrize(
    "fields", [{"model_type": "x"}, {"model_type": "dpt", "backbone_config": {"model_type": "dinov2"}}]
)
def test_a_network_whose_numbers_mean_who_knows_what_is_refused(tmp_path, fields):
    with pytest.raises(ModelError, match=r"it is not known whether a .* network predicts metres"):
        find_model(str(config(tmp_path, **fields)))


def test_a_network_is_named_by_its_files(network_folder, tmp_path, capsys):
    model = find_model(str(network_folder))
    assert (model.name, model.revision, model.licence) == ("tiny-relative", "local", "apache-2.0")
    assert capsys.readouterr().err == ""
    other = shutil.copytree(network_folder, tmp_path / "tiny-relative")
    assert find_model(str(other)).describe() == model.describe()
    (other / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    assert find_model(str(other)).sha256 != model.sha256
    assert "licence 'cc-by-nc-4.0'" in capsys.readouterr().err


def test_offline_one_line_says_what_to_download_and_where_to_say_it(pictures, tmp_path, capsys):
    arguments = [f"--{name}={path}" for name, path in pictures.items()]
    assert main(["create", "photos", *arguments, f"--out={tmp_path / 'd'}", "--set", "teacher=layered"]) == 3
    told = capsys.readouterr().err
    assert f"hf download {DEFAULT} --local-dir DIR" in told and "depth_model=DIR" in told
    assert told.count("\n") == 1 and not (tmp_path / "d").exists()


def test_a_folder_with_half_a_network_is_told(network_folder, tmp_path):
    other = shutil.copytree(network_folder, tmp_path / "half")
    (other / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"a .safetensors file are needed"):
        find_model(str(other))
