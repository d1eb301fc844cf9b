"""Samples per second of the scene renderer, without encoding. Goals on two cores: 25 at 128, 10 at 224."""

from _timing import seconds

from mdeas.create.scenes import ScenesMaker, ScenesRecipe

GOALS = {128: 25, 224: 10}
COUNT = 24


def samples_per_second(size: int) -> float:
    maker = ScenesMaker(ScenesRecipe(count=COUNT + 1, size=size), seed=0)
    maker.make(COUNT)
    return COUNT / seconds(lambda: [maker.make(index) for index in range(COUNT)])


if __name__ == "__main__":
    for size, goal in GOALS.items():
        rate = samples_per_second(size)
        verdict = "reached" if rate >= goal else "MISSED"
        print(f"scenes at {size}x{size}: {rate:.1f} samples/s (goal {goal}: {verdict})")
