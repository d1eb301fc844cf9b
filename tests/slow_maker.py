"""A maker for tests; as a program it builds, impatiently after SIGUSR1: slow_maker.py OUT WORKERS DELAY_S."""

import signal
import sys
import time
from dataclasses import dataclass

import numpy as np

from mdeas.create.factory import pool
from mdeas.create.factory.build import build
from mdeas.create.factory.options import BuildOptions
from mdeas.errors import InputError, MdeasError
from mdeas.sample import Sample


@dataclass(frozen=True)
class SlowMaker:
    """Noise pictures of size × size that take delay_s each; those in `bad` raise, `hang` never returns."""

    count: int = 40
    seed: int = 1
    size: int = 16
    delay_s: float = 0.0
    bad: tuple = ()
    hang: int = -1
    left_out: tuple = ()

    def split_of(self, index):
        return "test" if index % 10 == 9 else "train"

    def describe(self):
        return {"maker": "slow", "size": self.size}

    def provenance(self):
        return [{"name": "none", "sha256": "0" * 64}]

    def make(self, index):
        time.sleep(1000 if index == self.hang else self.delay_s)
        if index in self.bad:
            raise InputError("E-TEST", f"sample {index} cannot be made.")
        rng = np.random.default_rng([self.seed, index])
        background = rng.integers(0, 256, (self.size, self.size, 3), dtype=np.uint8)
        return Sample(
            background=background,
            image=255 - background,
            mask=rng.random((self.size, self.size), dtype=np.float32),
            depth=rng.random((self.size, self.size), dtype=np.float32) * 5,
            depth_kind="metric",
            meta=self._meta(index),
        )

    def _meta(self, index):
        names = {"id": f"slow-{index}", "source": "slow", "background_id": "b", "foreground_ids": ["f", "g"]}
        return {**names, "seed": self.seed, "index": index, "split": self.split_of(index), "extra": [index]}


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: setattr(pool, "PATIENCE_S", 2.0))
    try:
        build(
            SlowMaker(delay_s=float(sys.argv[3])),
            BuildOptions(out=sys.argv[1], workers=int(sys.argv[2]), shard_rows=6),
        )
    except MdeasError as error:
        print(error.code, error, file=sys.stderr)
        sys.exit(error.exit_code)
