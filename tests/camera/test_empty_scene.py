"""`mdeas background`: the empty scene behind what moves."""

from pathlib import Path

import numpy as np
import pytest
import tiny_video
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mdeas.camera import empty_scene
from mdeas.camera.empty_scene import densest
from mdeas.cli import main
from mdeas.images import frames
from mdeas.images.codec import read_gray, read_rgb, write_png

HEIGHT, WIDTH = 48, 64


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("frames").mkdir()
    return tmp_path


def scene() -> np.ndarray:
    """Colours that differ from place to place, between 60 and 200."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    photo = np.stack([60 + 2 * y, 80 + x, 200 - y - x // 2], axis=-1)
    return photo.astype(np.uint8)


def write_frames(count=9, *, thing=None, gains=None, noise=0, seed=0) -> None:
    """Frames in which a box of 12 pixels passes from the left to the right."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        photo = scene().astype(float)
        left = number * (WIDTH - 12) // max(count - 1, 1)
        photo[16:32, left : left + 12] = 250 if thing is None else thing(rng)
        photo = photo * (1 if gains is None else gains[number]) + rng.normal(0, noise, photo.shape)
        write_png(f"frames/{number:02}.png", np.rint(photo).clip(0, 255).astype(np.uint8))


def make(*sources, out="bg.png") -> int:
    return main(["background", *(sources or ["frames"]), "-o", out])


def largest_error() -> int:
    return int(np.abs(read_rgb("bg.png").astype(int) - scene()).max())


class TestResult:
    def test_what_passes_is_gone(self, here, capsys):
        write_frames()
        assert make() == 0
        assert largest_error() == 0
        agreement = read_gray("bg-agreement.png")
        assert agreement.shape == (HEIGHT, WIDTH) and agreement[0].min() == 255
        assert 0.7 * 255 < agreement[20].min() < 255
        told = capsys.readouterr()
        assert "9 of 9" in told.out and not told.err

    def test_exposure_is_made_one_and_its_drift_is_told(self, here, capsys):
        write_frames(9, gains=np.linspace(0.8, 1.2, 9), noise=1)
        assert make() == 0
        assert largest_error() <= 4
        assert "0.80 to 1.20" in capsys.readouterr().out

    def test_white_balance_is_made_one(self, here):
        warm = [np.array([1 + step, 1, 1 - step]) for step in (0, 0.05, -0.05, 0.08, -0.08, 0.02, -0.02)]
        write_frames(7, gains=warm)
        make()
        assert largest_error() <= 3

    def test_what_is_seen_in_less_than_half_of_the_frames_is_found(self, here):
        """Where a median fails: traffic covers a place in 12 of 20 frames, in many colours, brighter all."""
        rng = np.random.default_rng(0)
        photos = []
        for number in range(20):
            photo = scene()
            if number % 5 < 3:
                photo[10:30, 10:30] = rng.integers(120, 256, 3)
            photos.append(photo)
            write_png(f"frames/{number:02}.png", photo)
        make()
        wrong = np.abs(read_rgb("bg.png").astype(int) - scene()).max(axis=-1) > 10
        of_median = np.abs(np.median(photos, axis=0) - scene()).max(axis=-1) > 10
        assert wrong.mean() < 0.01 < 0.1 < of_median.mean()

    def test_noise_is_averaged(self, here):
        write_frames(30, noise=4)
        make()
        outside = np.r_[:16, 32:HEIGHT]
        error = read_rgb("bg.png").astype(float)[outside] - scene()[outside]
        assert error.std() < 4 / 3

    def test_what_is_not_known_is_told(self, here, capsys):
        for number, colour in enumerate((255, 0, 128)):
            photo = scene()
            photo[10:30, 10:40] = colour
            write_png(f"frames/{number}.png", photo)
        assert make() == 0
        told = capsys.readouterr()
        assert "warning[W-BACKGROUND-UNSURE]" in told.err
        share = float(told.out.split("unsure")[1].split("%")[0])
        assert share == pytest.approx(100 * 20 * 30 / (HEIGHT * WIDTH), abs=0.1)
        assert read_gray("bg-agreement.png")[15, 20] == round(255 / 3)

    def test_what_is_not_known_is_taken_from_the_frame_that_fits(self, here):
        grey = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
        for number, colour in enumerate((255, 10, 104)):
            photo = grey.copy()
            photo[20:28, 20:28] = colour
            write_png(f"frames/{number}.png", photo)
        make()
        assert (np.abs(read_rgb("bg.png").astype(int) - 100) <= 4).all()

    def test_frames_without_light_are_no_trouble(self, here):
        for number in range(3):
            write_png(f"frames/{number}.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        assert make() == 0
        assert not read_rgb("bg.png").any()

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
    def test_odd_sizes(self, here, size):
        for number in range(4):
            write_png(f"frames/{number}.png", np.full((*size, 3), 100 + number, np.uint8))
        assert make() == 0
        assert read_rgb("bg.png").shape == (*size, 3)

    def test_strips_make_no_difference(self, here, monkeypatch):
        write_frames(8, noise=3)
        make(out="whole.png")
        monkeypatch.setattr(empty_scene, "_STRIP_BYTES", 8 * WIDTH * 3 * 5)
        make(out="strips.png")
        np.testing.assert_array_equal(read_rgb("whole.png"), read_rgb("strips.png"))


class TestSources:
    def test_photos_may_be_named_one_by_one(self, here):
        write_frames(5)
        assert make(*sorted(map(str, Path("frames").iterdir()))) == 0
        assert largest_error() <= 1

    def test_a_video(self, here, capsys):
        tiny_video.mp4(Path("walk.mp4"), [tiny_video.scene(48, 64, 3 * number) for number in range(20)])
        assert make("walk.mp4") == 0
        assert "20 of 20" in capsys.readouterr().out
        error = np.abs(read_rgb("bg.png").astype(int) - tiny_video.scene(48, 64))
        assert np.quantile(error, 0.99) <= 6  # what the codec leaves

    def test_of_many_frames_some_are_taken_from_all_over(self, here, monkeypatch, capsys):
        monkeypatch.setattr(frames, "MAX_FRAMES", 5)
        write_frames(20)
        chosen = frames.Frames(["frames"])
        assert len(chosen) == len(list(chosen)) == 5
        lefts = [int(np.flatnonzero(frame[20, :, 0] == 250)[0]) for frame in chosen]
        assert lefts[0] == 0 and lefts[-1] == WIDTH - 12 and np.diff(lefts).min() >= 10
        make()
        assert "5 of 20" in capsys.readouterr().out

    @pytest.mark.parametrize("count", [1, 2])
    def test_too_few_frames_are_refused(self, here, capsys, count):
        write_frames(count)
        assert make() == 3
        assert "error[E-FRAMES]" in capsys.readouterr().err

    def test_a_missing_photo_is_named(self, here, capsys):
        write_frames(3)
        assert make("frames", "missing.png") == 3
        assert "error[E-IMG-MISSING] 'missing.png': No such file" in capsys.readouterr().err

    def test_a_photo_that_cannot_be_opened_is_named(self, here, capsys):
        assert make("x" * 300) == 3
        assert "error[E-IMG-UNREADABLE]" in capsys.readouterr().err

    def test_another_size_is_refused(self, here, capsys):
        write_frames(4)
        write_png("frames/03.png", scene()[:, ::2], force=True)
        assert make() == 3
        error = capsys.readouterr().err
        assert "error[E-FRAMES-SIZE] 'frames/03.png' is 32×48" in error and not Path("bg.png").exists()

    def test_what_cannot_be_read_is_refused(self, here, capsys):
        write_frames(4)
        Path("frames/02.png").write_bytes(b"no picture")
        assert make() == 3
        assert "error[E-IMG-FORMAT]" in capsys.readouterr().err
        assert make("missing.png", "frames") == 3
        assert make("missing.mp4") == 3
        assert make("0") == 2

    def test_nothing_is_overwritten(self, here):
        write_frames(4)
        assert make() == 0
        assert make() == 4
        assert main(["background", "frames", "-o", "frames/01.png", "--force"]) == 2
        assert main(["background", "frames", "-o", "bg.png", "--force"]) == 0


class TestMode:
    @given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 25), st.integers(1, 4), st.integers(1, 4))))
    def test_it_is_near_one_of_the_values(self, values):
        mode = densest(values, 8).astype(int)
        assert (np.abs(values - mode).min(axis=0) <= 8 + 2).all()

    @given(st.integers(0, 255), st.integers(1, 30), st.integers(0, 2**32 - 1))
    def test_more_than_half_of_one_value_win(self, value, count, seed):
        rng = np.random.default_rng(seed)
        others = rng.integers(0, 256, count)
        values = np.r_[np.full(3 * count, value), others].astype(np.uint8)
        assert abs(int(densest(rng.permutation(values)[:, None, None], 6)[0, 0]) - value) <= 6

    def test_pieces_make_no_difference(self, monkeypatch):
        values = np.random.default_rng(0).integers(0, 256, (9, 20, 30), np.uint8)
        whole = densest(values, 10)
        monkeypatch.setattr(empty_scene, "_PIECE", 7)
        np.testing.assert_array_equal(densest(values, 10), whole)
