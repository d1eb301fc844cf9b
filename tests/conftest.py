"""Fixtures that several test files share."""

import pytest


@pytest.fixture(scope="module")
def one_thread():
    """Torch on one thread while a test file runs: its bits do not depend on the machine's cores."""
    import torch  # here, because most test files do without it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
