import csv

import numpy as np
import pytest

from mdeas.images.codec import read_rgb
from mdeas.train.reports import curve


def row(kind, step, **values):
    return {"kind": kind, "step": str(step), **{name: str(value) for name, value in values.items()}}


def write(folder, rows):
    columns = list(dict.fromkeys(name for one in rows for name in one)) or ["kind", "step"]
    with open(folder / "log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


ROWS = [
    *(row("train", step, total=10 / step, lr=0.1, mask_accuracy=50 + step) for step in range(1, 6)),
    row("validation", 5, total=3, mask_iou=0.5, depth_delta1="nan"),
]


def test_points_are_those_of_one_kind_that_have_a_finite_value():
    log = curve.counted(ROWS)
    train = log.points("train", "total")
    assert train.steps.tolist() == [1, 2, 3, 4, 5] and train.values.tolist() == [10 / s for s in range(1, 6)]
    assert log.points("validation", "mask_iou").values.tolist() == [0.5]
    for kind, name in (("validation", "depth_delta1"), ("train", "mask_iou"), ("train", "nothing")):
        assert len(log.points(kind, name).steps) == 0


def test_stages_are_counted_on():
    rows = [{"stage": name, **one} for name in ("01-small", "02-large", "03-end") for one in ROWS]
    log = curve.counted(rows)
    assert log.stages == {"01-small": 0, "02-large": 5, "03-end": 10}
    assert log.points("train", "total").steps.tolist() == list(range(1, 16))
    assert log.points("validation", "total").steps.tolist() == [5, 10, 15]


def test_means_of_an_epoch():
    found = curve.epoch_means(ROWS, 2, 4, ["total", "mask_accuracy", "mask_iou"])
    assert found == pytest.approx({"total": (5 + 10 / 3 + 2.5) / 3, "mask_accuracy": 53})


def test_many_points_become_means_of_neighbours():
    many = curve.Points(np.arange(1, 1001.0), np.arange(1000.0))
    thin = curve.thinned(many)
    assert len(thin.steps) == 400 and thin.steps[-1] == 999.5
    assert thin.steps[0] == 2 and thin.values[0] == 1
    few = curve.Points(np.array([1.0]), np.array([2.0]))
    assert curve.thinned(few).values.tolist() == [2]


@pytest.mark.parametrize("stages", [(), ("01-a", "02-b")])
def test_the_picture(tmp_path, stages):
    rows = [{"stage": stage, **one} for stage in stages for one in ROWS] or ROWS
    write(tmp_path, rows)
    curve.write_curve(tmp_path)
    picture = read_rgb(tmp_path / "curve.png")
    assert picture.shape == (900, 900, 3)
    for colour in ((31, 119, 180), (255, 127, 14), (44, 160, 44)):  # training, validation, learning rate
        assert (picture == colour).all(-1).sum() > 50, colour


@pytest.mark.parametrize("stages", [(), ("01-a", "02-b")])
def test_what_is_drawn(stages):
    rows = [{"stage": stage, **one} for stage in stages for one in ROWS] or ROWS
    loss, figures, lr = curve.figure(curve.counted(rows)).axes
    runs = max(1, len(stages))
    steps = np.arange(1, 5 * runs + 1)
    assert drawn_lines(loss) == {
        "training": [(step, 10 / ((step - 1) % 5 + 1)) for step in steps],
        "validation": [(5 * run, 3) for run in range(1, runs + 1)],
    }
    assert drawn_lines(figures) == {
        "mask IoU": [(5 * run, 0.5) for run in range(1, runs + 1)],
        "mask accuracy / 100, training": [(step, (50 + (step - 1) % 5 + 1) / 100) for step in steps],
    }
    assert drawn_lines(lr) == {"learning rate": [(step, 0.1) for step in steps]}
    assert [text.get_text() for text in loss.texts] == list(stages)
    assert [text.xy[0] for text in loss.texts] == [5 * number for number in range(len(stages))]


def drawn_lines(axes):
    """Label -> points of every line but the marks of stages."""
    lines = [line for line in axes.lines if not line.get_label().startswith("_")]
    return {line.get_label(): [tuple(point) for point in line.get_xydata()] for line in lines}


def test_nothing_is_drawn_of_nothing(tmp_path):
    write(tmp_path, [])
    curve.write_curve(tmp_path)
    assert not (tmp_path / "curve.png").exists()


def test_a_run_without_validation_has_a_curve(tmp_path):
    write(tmp_path, ROWS[:1])
    curve.write_curve(tmp_path)
    assert (tmp_path / "curve.png").exists()
