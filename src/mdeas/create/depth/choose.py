"""Open the depths that a recipe's teacher gives."""

from __future__ import annotations

from mdeas.create.assets import Pool
from mdeas.create.depth.layer_depths import LayerDepths
from mdeas.create.depth.sensor_depths import SensorDepths


def open_depths(teacher: str, depth_model: str | None, pools: tuple[Pool, Pool]) -> LayerDepths | None:
    """Open the depths of the pools (backgrounds, foregrounds) for a recipe's `teacher`.

    rgbd reads a sensor's files; layered runs the network now on every picture that it has not seen yet; the
    other teachers know nothing about layers: None.
    Errors: those of `SensorDepths`, `model.find_model` and `TeacherDepths`.
    """
    if teacher == "rgbd":
        return SensorDepths(pools[0])
    if teacher != "layered":
        return None
    from mdeas.create.depth.model import find_model
    from mdeas.create.depth.teacher_depths import TeacherDepths

    return TeacherDepths(find_model(depth_model), pools)
