"""Connect to an existing Ray cluster, or start one for this run. A cluster that is open to anyone is refused.

Anyone who reaches an open cluster can run programs on it. Since 2.52 Ray can require a token. To test
whether a cluster requires one, we ask for its status without a token.
https://docs.ray.io/en/latest/ray-security/token-auth.html
"""

import contextlib
import importlib.util
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from mdeas.errors import UsageError, WorkerError
from mdeas.system.optional import extra_error

_MODE, _TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"


@contextlib.contextmanager
def joined(address: str | None, workers: int) -> Iterator[None]:
    """Connect `ray` to a cluster for the `with` block.

    Input: address: HOST:PORT, or "auto" for a cluster on this machine; None = start Ray on this machine with
        `workers` CPUs, without a dashboard, on 127.0.0.1 only, with a new token, and stop it at the end.
    Errors: UsageError E-EXTRA without ray, E-RAY-OPEN; WorkerError E-RAY.
    """
    if importlib.util.find_spec("ray") is None:
        raise extra_error("ray", "--engine ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # this and the token are read when ray is imported
    with contextlib.ExitStack() as at_the_end:
        options = _existing(address) if address else at_the_end.enter_context(_started(workers))
        at_the_end.callback(_connect(options).shutdown)
        yield


def _connect(options: dict[str, Any]) -> Any:
    """Return the module `ray`, connected; restore our handler of SIGTERM, which `ray.init` replaces."""
    import ray

    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises errors of many classes, even Exception
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        advice = "Try again (Ray gives up after 30 s on a busy machine), or use --engine local."
        raise WorkerError("E-RAY", f"Ray at {options['address']}: {reason}. {advice}") from error
    finally:
        with contextlib.suppress(ValueError):  # outside the main thread Ray sets no handler
            signal.signal(signal.SIGTERM, before)
    return ray


@contextlib.contextmanager
def _started(workers: int) -> Iterator[dict[str, Any]]:
    """Prepare to start Ray on this machine: yield the options for ray.init; remove its files at the end."""
    os.environ.setdefault(_MODE, "token")
    os.environ.setdefault(_TOKEN, secrets.token_hex(32))
    # Then Ray listens on 127.0.0.1 only. Ray replaces this address when it is passed as an option.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    # Ray leaves its logs in this folder. Its sockets are here too; their paths must be short.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        yield {"address": "local", "num_cpus": workers, "include_dashboard": False, "_temp_dir": folder}


def _existing(address: str) -> dict[str, Any]:
    """Return the options of ray.init; refuse an open cluster unless RAY_AUTH_MODE=disabled allows it."""
    if os.environ.get(_MODE) != "disabled":
        if _answers_anyone(address):
            advice = f"Start it with {_MODE}=token, or set {_MODE}=disabled here to use it as it is."
            raise UsageError(
                "E-RAY-OPEN", f"the Ray cluster at {address} lets anyone run programs on it. {advice}"
            )
        os.environ[_MODE] = "token"
    return {"address": address}


def _answers_anyone(address: str) -> bool:
    """Tell whether the cluster gives its status without a token. WorkerError E-RAY if it does not answer."""
    without = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    status = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    options: dict[str, Any] = {"capture_output": True, "text": True, "env": {**without, _MODE: "disabled"}}
    answer = subprocess.run(status, **options)
    if answer.returncode and "AuthenticationError" not in answer.stderr:
        advice = "Give HOST:PORT of `ray start --head`, or auto."
        raise WorkerError("E-RAY", f"no Ray cluster answers at {address}. {advice}")
    return answer.returncode == 0
