"""Which depths a recipe's teacher gives."""

from __future__ import annotations

from mdeas.create.assets import Pool
from mdeas.create.depth.layer_depths import LayerDepths
from mdeas.create.depth.sensor_depths import RgbdDepths


def open_depths(teacher: str, depth_model: str | None, pools: tuple[Pool, Pool]) -> LayerDepths | None:
    """The depths of the (backgrounds, foregrounds) that a recipe's `teacher` gives.

    layered: whatever the network has not seen is shown to it now. None for the teachers that know no layers.
    Errors: as of `RgbdDepths`, `model.find_model` and `TeacherDepths`.
    """
    if teacher == "rgbd":
        return RgbdDepths(pools[0])
    if teacher != "layered":
        return None
    from mdeas.create.depth.model import find_model
    from mdeas.create.depth.teacher_depths import TeacherDepths

    return TeacherDepths(find_model(depth_model), pools)
