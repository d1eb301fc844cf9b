"""Pairs that fit, that are made to fit, and that are refused; all photos are made here."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_pair import HEIGHT, WIDTH, scene, taken, with_thing

import mdeas
from mdeas.cli import main
from mdeas.errors import InputError
from mdeas.images.codec import write_png
from mdeas.pairing.match import match


def matched(background, image, mode="auto"):
    return match(background, image, background.shape[:2], image.shape[:2], mode)


class TestCheck:
    def test_a_clean_pair_is_good(self):
        found = mdeas.check(scene(), with_thing(scene()))
        assert (found.verdict, found.reason, found.code) == ("good", "", "")
        assert np.hypot(*found.shift_px) < 0.3 and abs(found.rotation_deg) < 0.1
        np.testing.assert_allclose(found.gain, 1, atol=0.02)
        assert 0.03 < found.changed < 0.1  # the disc covers .065

    @pytest.mark.parametrize(
        "done",
        [
            {"shift": (7.5, -4.0)},
            {"rotation_deg": 2.0},
            {"shift": (-12.0, 9.0), "rotation_deg": -1.5, "gain": (0.6, 0.7, 0.9)},
            {"gain": (1.4, 1.2, 1.1)},
        ],
    )
    def test_what_was_done_is_found(self, done):
        found = mdeas.check(*taken(**done))
        assert found.verdict == "fixed" and found.reason
        np.testing.assert_allclose(found.shift_px, done.get("shift", (0, 0)), atol=0.5)
        assert found.rotation_deg == pytest.approx(done.get("rotation_deg", 0), abs=0.15)
        np.testing.assert_allclose(found.gain, done.get("gain", (1, 1, 1)), rtol=0.05)

    def test_lengths_are_pixels_of_the_image_at_any_size(self):
        background, image = (
            cv2.resize(photo, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
            for photo in taken(shift=(8.0, 5.0))
        )
        np.testing.assert_allclose(mdeas.check(background, image).shift_px, (40, 25), atol=1.5)

    def test_another_scene_is_refused(self):
        found = mdeas.check(scene(0), with_thing(scene(1)))
        assert (found.verdict, found.code) == ("refused", "E-PAIR-SCENE")

    def test_swapped_photos_are_refused(self):
        found = mdeas.check(with_thing(scene()), scene())
        assert (found.verdict, found.code) == ("refused", "E-PAIR-SWAPPED")

    def test_a_foreground_over_most_of_the_view_is_no_other_scene(self):
        image = scene(0)
        image[:, 112:] = scene(1)[:, 112:]  # 65 %
        assert mdeas.check(scene(0), image).verdict == "good"

    def test_blur_is_measured_with_its_side(self):
        soft = cv2.GaussianBlur(scene(), (0, 0), 2.0)
        assert mdeas.check(scene(), with_thing(soft)).blur_px == pytest.approx(2.0, abs=0.6)
        assert mdeas.check(soft, with_thing(scene())).blur_px == pytest.approx(-2.0, abs=0.6)

    def test_equal_photos_are_good_and_say_so(self):
        found = mdeas.check(scene(), scene())
        assert found.verdict == "good" and found.changed == 0 and "empty" in found.reason

    @pytest.mark.parametrize(("level", "code"), [(0, "E-PAIR-BLACK"), (255, "E-PAIR-WHITE")])
    def test_a_photo_that_shows_nothing_is_refused(self, level, code):
        nothing = np.full_like(scene(), level)
        assert mdeas.check(nothing, scene()).code == mdeas.check(scene(), nothing).code == code

    def test_the_same_input_gives_the_same_result(self):
        pair = taken(shift=(6.0, 3.0), rotation_deg=1.0, gain=(0.7, 0.8, 0.9))
        assert mdeas.check(*pair) == mdeas.check(*pair)

    @settings(max_examples=25, deadline=None)
    @given(st.tuples(*[st.integers(1, 90)] * 4), st.integers(0, 9))
    def test_any_sizes_give_a_verdict(self, sizes, seed):
        first, second = scene(seed, *sizes[:2]), scene(seed + 1, *sizes[2:])
        found = mdeas.check(first, second)
        assert found.verdict in ("good", "fixed", "refused") and bool(found.code) == (
            found.verdict == "refused"
        )
        json.dumps(found.to_json(), allow_nan=False)


class TestMatch:
    def test_the_background_is_brought_into_the_frame_and_light_of_the_image(self):
        background, image = taken(shift=(9.0, -6.0), rotation_deg=1.5, gain=(0.6, 0.7, 0.8))
        fixed = matched(background, image)
        off = np.abs(fixed.background.astype(int) - image).max(2)
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        outside = np.hypot(y - HEIGHT / 2 + 6, x - WIDTH / 2 - 9) > 45
        assert np.quantile(off[outside], 0.98) <= 6  # before: 40 and more
        assert (off[~outside] > 20).mean() > 0.4  # the thing is not copied into it
        assert not off[-2:, :5].any()  # what the background does not show is the image's
        assert [warning.code for warning in fixed.warnings] == ["W-PAIR-FIXED"]
        assert fixed.facts["verdict"] == "fixed"

    def test_a_good_pair_is_left_alone(self):
        background, image = taken(shift=(0.6, 0.3), gain=(1.04, 1.03, 1.02))
        assert matched(background, image).background is background

    def test_a_white_wall_is_never_moved(self):
        wall = np.full((HEIGHT, WIDTH, 3), 228, np.uint8)
        wall += np.linspace(0, 12, WIDTH).astype(np.uint8)[None, :, None]
        image = wall.copy()
        image[60:200, 100:220] = scene(3)[60:200, 100:220]
        assert matched(wall, image).background is wall

    def test_an_edge_is_followed_across_and_not_along(self):
        table = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
        table[150:] = 60
        image = with_thing(np.roll(table, 7, 0), 25)
        found = mdeas.check(cv2.GaussianBlur(table, (0, 0), 1), cv2.GaussianBlur(image, (0, 0), 1))
        np.testing.assert_allclose(found.shift_px, (0, 7), atol=0.7)

    def test_a_pattern_that_repeats_is_not_moved_by_its_period(self):
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        board = np.where((x // 16 + y // 16) % 2, 170, 80).astype(np.uint8)[..., None].repeat(3, 2)
        assert matched(board, with_thing(board)).background is board

    @pytest.mark.parametrize(
        ("pair", "code"),
        [
            (taken(shift=(10.0, 0.0)), "E-PAIR-UNFIT"),
            ((with_thing(scene()), scene()), "E-PAIR-SWAPPED"),
            ((scene(), np.zeros_like(scene())), "E-PAIR-BLACK"),
            ((scene(), scene(1)), "E-PAIR-SCENE"),
        ],
    )
    def test_strict_refuses_what_is_not_good_and_off_takes_it(self, pair, code):
        with pytest.raises(InputError) as caught:
            matched(*pair, "strict")
        assert caught.value.code == code
        off = matched(*pair, "off")
        assert off.background is pair[0] and off.facts is None

    def test_auto_tells_of_swapped_and_black_photos_and_goes_on(self):
        swapped = matched(with_thing(scene()), scene())
        assert [warning.code for warning in swapped.warnings] == ["W-PAIR-SWAPPED"]
        black = matched(scene(), np.zeros_like(scene()))
        assert [warning.code for warning in black.warnings] == ["W-PAIR-BLACK"]


class TestCommands:
    @pytest.fixture
    def here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("model.onnx").write_bytes(tiny_model.model_bytes())
        background, image = taken(shift=(9.0, 4.0), gain=(0.6, 0.6, 0.6))
        Path("photos").mkdir()
        write_png("background.png", background)
        write_png("photos/moved.png", image)
        return tmp_path

    def test_json_of_a_pair_that_can_be_mended(self, here, capsys):
        assert main(["check", "background.png", "photos/moved.png", "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["verdict"] == "fixed" and facts["shift_px"] == pytest.approx([9, 4], abs=0.5)

    def test_a_refused_pair_prints_its_facts_and_exits_3(self, here, capsys):
        write_png("photos/other.png", scene(7))
        assert main(["check", "background.png", "photos/other.png", "--json"]) == 3
        captured = capsys.readouterr()
        assert json.loads(captured.out)["code"] == "E-PAIR-SCENE"
        assert captured.err.startswith("mdeas: error[E-PAIR-SCENE]")
        assert main(["check", "background.png", "photos/other.png"]) == 3
        assert "verdict          refused" in capsys.readouterr().out

    def test_another_aspect_is_refused_with_facts(self, here, capsys):
        write_png("photos/wide.png", scene(0, 100, 300))
        assert main(["check", "background.png", "photos/wide.png", "--json"]) == 3
        assert json.loads(capsys.readouterr().out)["code"] == "E-PAIR-SIZE"

    def predicted(self, *words):
        return main(["predict", "--background", "background.png", "--model", "model.onnx", *words])

    def test_predict_mends_tells_and_finishes_the_rest(self, here, capsys):
        write_png("photos/other.png", scene(7))
        assert self.predicted("photos", "-o", "out") == 3
        assert "warning[W-PAIR-FIXED] 'photos/moved.png'" in capsys.readouterr().err
        facts = json.loads(Path("out/moved-depth.json").read_text())
        assert facts["pair"]["verdict"] == "fixed"
        (line,) = Path("out/errors.jsonl").read_text().splitlines()
        assert json.loads(line)["code"] == "E-PAIR-SCENE"

    def test_predict_takes_pairs_as_they_are_or_not_at_all(self, here):
        assert self.predicted("photos/moved.png", "-o", "out", "--pair", "strict") == 3
        assert self.predicted("photos/moved.png", "-o", "out", "--pair", "off", "--force") == 0
        assert json.loads(Path("out/moved-depth.json").read_text())["pair"] is None
        shutil.rmtree("out")
        assert self.predicted("photos/moved.png", "-o", "out", "--pair", "perhaps") == 2
