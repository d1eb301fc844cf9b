import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_model
import tiny_video

from mdeas import cli
from mdeas.errors import InputError, Stopped, StorageError, UsageError
from mdeas.images import video
from mdeas.images.codec import write_png
from mdeas.images.photo import Photo
from mdeas.predict import video_tiles
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.predictor import Prediction

MODEL = ModelChoice(model="model.onnx", threads=1)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with model.onnx, background.png and walk.mp4 of 8 frames, as the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    write_png("background.png", tiny_video.scene(48, 64))
    return tiny_video.mp4(Path("walk.mp4"), tiny_video.frames(8))


def run(source="walk.mp4", background="background.png", out="tiles.mp4", **options):
    return video_tiles.tile_video(source, background, out, model=MODEL, **options)


def caught(error, *arguments, **options):
    with pytest.raises(error) as found:
        run(*arguments, **options)
    return found.value


def frames_of(path):
    reader = video.VideoReader(str(path))
    found = [frame for _, frame in reader]
    reader.close()
    return found


def test_four_tiles_of_every_frame(here):
    assert run() == {"video": "tiles.mp4", "frames": 8, "seconds": 0.8}
    found = frames_of("tiles.mp4")
    assert len(found) == 8 and found[0].shape == (2 * (48 + 20), 2 * 64, 3)
    for number, tiles in enumerate(found):
        frame, mask = tiles[20:68, :64], tiles[20:68, 64:]
        depth, cutout = tiles[88:, :64], tiles[88:, 64:]
        box = np.s_[14:22, 8 + number : 20 + number]
        assert np.abs(frame[box].astype(int) - 250).mean() < 12 and frame[40:, :].max() < 150
        assert mask[box].min() > 200 and mask[30:].max() < 60
        assert cutout[30:].min() > 200
        assert np.ptp(depth, axis=2).max() > 50, "depth is in colours"
    assert os.listdir() and not [name for name in os.listdir() if name.endswith(".tmp.mp4")]


def test_a_few_frames(here):
    assert run(frames=3)["frames"] == 3
    assert len(frames_of("tiles.mp4")) == 3


@pytest.mark.parametrize("size", [(37, 51), (1, 1), (3, 90), (200, 7)])
def test_odd_sizes(here, size):
    write_png("background.png", np.zeros((*size, 3), np.uint8), force=True)
    tiny_video.avi(Path("odd.avi"), [np.full((*size, 3), 100, np.uint8)] * 2)
    assert run("odd.avi")["frames"] == 2
    height, width = frames_of("tiles.mp4")[0].shape[:2]
    assert (height, width) == tuple(
        2 * (max(2, round(side / 2) * 2) + extra) for side, extra in zip(size, (20, 0), strict=True)
    )


def test_large_frames_are_shown_smaller(here, monkeypatch):
    monkeypatch.setattr(video_tiles, "_MAX_TILE", 32)
    run()
    assert frames_of("tiles.mp4")[0].shape == (2 * (24 + 20), 64, 3)


def test_a_background_of_another_size_and_of_another_aspect(here, capsys):
    write_png("background.png", tiny_video.scene(96, 128), force=True)
    run()
    assert "warning[W-PAIR-RESIZED] 'walk.mp4': the background is 128×96" in capsys.readouterr().err
    write_png("background.png", tiny_video.scene(64, 64), force=True)
    assert caught(InputError, force=True).code == "E-PAIR-SIZE"
    assert len(frames_of("tiles.mp4")) == 8


def test_the_rotation_flag_and_a_variable_rate(here):
    tiny_video.turned(here, 48)
    write_png("background.png", tiny_video.scene(64, 48), force=True)
    tiny_video.with_variable_rate(here, [(4, 1), (1, 5), (3, 1)])
    assert run() == {"video": "tiles.mp4", "frames": 12, "seconds": 1.2}
    assert frames_of("tiles.mp4")[0].shape == (2 * (64 + 20), 2 * 48, 3)


def test_the_finished_frames_of_a_cut_video_are_kept(here):
    data = tiny_video.with_index_first(here).read_bytes()
    here.write_bytes(data[:-60])
    error = caught(InputError)
    kept = len(frames_of("tiles.mp4"))
    assert error.code == "E-VIDEO-SHORT" and 0 < kept < 8
    assert f"{kept} frames are in 'tiles.mp4'" in str(error) and "60 bytes early" in str(error)


def test_no_frame_at_all(here):
    tiny_video.avi(here, [tiny_video.scene(48, 64)])
    data = bytearray(here.read_bytes())
    at = data.index(b"00dc")
    data[at : at + 4] = b"JUNK"
    here.write_bytes(data)
    assert caught(InputError).code in ("E-VIDEO-EMPTY", "E-VIDEO-FORMAT")
    assert not Path("tiles.mp4").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_frames_that_are_done(here, number, monkeypatch):
    made = video_tiles.TileMaker.of

    def of(self, frame):
        self.count = getattr(self, "count", 0) + 1
        if self.count == 4:
            os.kill(os.getpid(), number)
        return made(self, frame)

    monkeypatch.setattr(video_tiles.TileMaker, "of", of)
    error = caught(Stopped)
    assert error.exit_code == 128 + number and "3 frames are in 'tiles.mp4'" in str(error)
    assert len(frames_of("tiles.mp4")) == 3


def test_outputs_are_refused_before_any_work(here):
    assert caught(UsageError, out="tiles.avi").code == "E-VIDEO-OUT"
    assert caught(UsageError, out="walk.mp4", force=True).code == "E-OUT-IS-INPUT"
    os.symlink("walk.mp4", "link.mp4")
    assert caught(UsageError, out="link.mp4", force=True).code == "E-OUT-IS-INPUT"
    run()
    assert caught(StorageError).code == "E-EXISTS"
    run(force=True)


def test_unusable_inputs(here):
    assert caught(InputError, "missing.mp4").code == "E-VIDEO-MISSING"
    assert caught(InputError, background="missing.png").code == "E-IMG-MISSING"
    assert caught(InputError, "background.png").code == "E-VIDEO-FORMAT"
    assert not Path("tiles.mp4").exists()


def test_a_camera_ends_after_the_frames_that_were_asked_for(here, monkeypatch):
    class Camera:
        """Frames without end, and no camera."""

        def __init__(self, source, backend):
            assert (source, backend) == (7, cv2.CAP_ANY)

        def isOpened(self):
            return True

        def get(self, name):
            return {cv2.CAP_PROP_FPS: 1000 / 3, cv2.CAP_PROP_FRAME_COUNT: -1}.get(name, 16)

        def read(self):
            return True, tiny_video.scene(48, 64, 10)

        def release(self):
            pass

    opened = video._capture
    monkeypatch.setattr(video, "_capture", lambda s, b: Camera(s, b) if isinstance(s, int) else opened(s, b))
    assert run("7", frames=5)["frames"] == 5


class Drifting:
    """Depth whose scale and shift are other ones at every call, as relative depth's may be."""

    name, tasks = "drifting", ("mask", "depth")

    def __init__(self):
        self.calls = 0

    def predict(self, background, image):
        self.calls += 1
        depth = np.repeat(np.linspace(0, 1, len(image), dtype=np.float32)[:, None], image.shape[1], axis=1)
        mask = np.zeros_like(depth)
        mask[:5] = 1
        depth[:5] = 3
        return Prediction(mask, depth * self.calls + 10 * self.calls)


def tiles_of(predictor):
    empty = Photo(Path("b.png"), 48, 64, tiny_video.scene(48, 64))
    return video_tiles.TileMaker(predictor, empty, "walk.mp4", empty.view, "off")


def test_colours_do_not_flicker():
    tiles = tiles_of(Drifting())
    first, second = (tiles.of(tiny_video.scene(48, 64)) for _ in range(2))
    np.testing.assert_allclose(first.astype(int), second, atol=8)  # a step of the colours


def test_depth_of_a_frame_that_is_all_covered_keeps_the_line_before():
    tiles = tiles_of(Drifting())
    tiles.of(tiny_video.scene(48, 64))
    line = tiles.line
    tiles._steady(np.ones((48, 64), np.float32), np.ones((48, 64), np.float32))
    assert tiles.line == line != (1.0, 0.0)


def test_command(here, capsys):
    words = [
        "video",
        "walk.mp4",
        "--background",
        "background.png",
        "-o",
        "tiles.mp4",
        "--model",
        "model.onnx",
    ]
    assert cli.main([*words, "--frames", "2"]) == 0
    assert "tiles.mp4" in capsys.readouterr().out
    assert cli.main(words) == 4
    here.write_bytes(b"#EXTM3U\n")
    assert cli.main([*words, "--force"]) == 3
    assert capsys.readouterr().err.splitlines()[-1].startswith("mdeas: error[E-VIDEO-FORMAT] 'walk.mp4'")
