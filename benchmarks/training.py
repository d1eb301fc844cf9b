"""Training step of every system: milliseconds per picture and peak memory, each in a process of its own.

Recipes of the comparison, 96x96, batch 16. The processes take turns, a step at a time, so that a busy machine
slows all alike. There is no goal: the table is the result.
"""

import statistics
import subprocess
import sys

RECIPES = ("wnet", "resunet", "hu-drn", "twin-unet", "mdeas", "twin")
ROUNDS = 5


class Worker:
    """A process that holds one network and makes a step on request."""

    def __init__(self, recipe: str):
        self.recipe = recipe
        command = [sys.executable, __file__, recipe]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def step(self) -> tuple[float, float]:
        """Milliseconds a picture of one step, and peak MiB so far."""
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        milliseconds, peak = self.process.stdout.readline().split()
        return float(milliseconds), float(peak)

    def end(self) -> None:
        """Close its stdin, which ends it, and wait."""
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    workers = [Worker(f"{name}-small") for name in RECIPES]
    for worker in workers:
        worker.step()  # warms up
    rounds = [[worker.step() for worker in workers] for _ in range(ROUNDS)]
    for number, worker in enumerate(workers):
        milliseconds = statistics.median(row[number][0] for row in rounds)
        peak = rounds[-1][number][1]
        pace = 1000 / milliseconds
        print(f"training {worker.recipe}: {milliseconds:.1f} ms a picture, {pace:.0f}/s, peak {peak:.0f} MiB")
        worker.end()


def serve(recipe_name: str) -> None:
    """Run in a worker: one step of the recipe for every line of stdin."""
    import torch
    from _timing import seconds

    from mdeas.batches.batch import Batch
    from mdeas.system.machine import peak_memory_mib
    from mdeas.train.guards import make_fabric
    from mdeas.train.learner import Learner
    from mdeas.train.recipe.load import load_recipe

    recipe = load_recipe(recipe_name)
    count, size = recipe.data.batch_size, recipe.data.size
    learner = Learner(recipe, make_fabric(recipe, "cpu"))
    photos = torch.rand(2, count, 3, size, size).to(torch.float32)
    mask, depth = torch.rand(2, count, 1, size, size)
    batch = Batch(
        background=photos[0].contiguous(memory_format=torch.channels_last),
        image=photos[1].contiguous(memory_format=torch.channels_last),
        mask=mask.round(),
        inverse_depth=depth,
        depth_known=torch.ones_like(depth, dtype=torch.bool),
        ids=tuple(map(str, range(count))),
    )
    for _ in sys.stdin:
        elapsed = seconds(lambda: learner.step(batch, recipe.optimizer.lr, 1))
        print(1000 * elapsed / count, peak_memory_mib(), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
