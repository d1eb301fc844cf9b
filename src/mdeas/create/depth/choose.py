"""Open the source of depth that a recipe's `teacher` names."""

from __future__ import annotations

from mdeas.create.assets import Pool
from mdeas.create.depth.layer_depths import LayerDepths
from mdeas.create.depth.sensor_depths import SensorDepths


def open_depths(teacher: str, depth_model: str | None, pools: tuple[Pool, Pool]) -> LayerDepths | None:
    """Open the depths of the pools (backgrounds, foregrounds); None for a teacher without depth per layer.

    rgbd reads a sensor's files. layered runs the network now, on every picture that is not in its cache.
    Errors: those of `SensorDepths`, `model.find_model` and `TeacherDepths`.
    """
    if teacher == "rgbd":
        return SensorDepths(pools[0])
    if teacher != "layered":
        return None
    from mdeas.create.depth.model import find_model
    from mdeas.create.depth.teacher_depths import TeacherDepths

    return TeacherDepths(find_model(depth_model), pools)
