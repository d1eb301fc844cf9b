"""What happens to a training run at a sample of choice, and a process that may die of it."""

import gc
import os


class At:
    """Calls `function` when the n-th sample is read (counted over a process)."""

    def __init__(self, count, function):
        self.left, self.function = count, function

    def __call__(self, index, sample):
        self.left -= 1
        return self.function(sample) if self.left == 0 else sample


def signal_at(count, signum):
    """Sends this process a signal when the n-th sample is read."""
    return At(count, lambda sample: os.kill(os.getpid(), signum) or sample)


def in_child(function):
    """Exit status of `function` in a forked process."""
    pid = os.fork()
    if pid == 0:
        gc.freeze()  # an ONNX Runtime session collected here would wait for threads that the parent kept
        try:
            function()
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]
