"""A Ray cluster that is there, or one for this run. A cluster that anyone can use is not used.

Who reaches an open cluster runs programs on it. Since 2.52 Ray can ask for a token; whether a cluster does,
only the cluster knows, so it is asked for its status without one.
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

_MODE, _TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"


@contextlib.contextmanager
def joined(address: str | None, workers: int) -> Iterator[None]:
    """Inside, `ray` is connected to the cluster at `address`: HOST:PORT, or "auto" for one on this machine.

    None starts Ray here with `workers` CPUs, without a dashboard, on 127.0.0.1 alone, with a token that is
    nowhere else, and removes all of it at the end.
    Errors: UsageError E-EXTRA without ray, E-RAY-OPEN; WorkerError E-RAY.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError("E-EXTRA", "--engine ray needs ray. Run: pip install 'mdeas[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # this and the token are read when ray is imported
    with contextlib.ExitStack() as at_the_end:
        options = _existing(address) if address else at_the_end.enter_context(_started(workers))
        at_the_end.callback(_connect(options).shutdown)
        yield


def _connect(options: dict[str, Any]) -> Any:
    """The module `ray`, connected. Its handler of SIGTERM is taken away again."""
    import ray

    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises what it likes, Exception too
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        advice = "Try again (Ray gives up after 30 s on a busy machine), or use --engine local."
        raise WorkerError("E-RAY", f"Ray at {options['address']}: {reason}. {advice}") from error
    finally:
        with contextlib.suppress(ValueError):  # not the main thread; then Ray has left it alone
            signal.signal(signal.SIGTERM, before)
    return ray


@contextlib.contextmanager
def _started(workers: int) -> Iterator[dict[str, Any]]:
    os.environ.setdefault(_MODE, "token")
    os.environ.setdefault(_TOKEN, secrets.token_hex(32))
    # As on Windows, 127.0.0.1 alone is listened at; given as an address Ray would replace it.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    # Ray leaves its logs behind; its sockets are in this folder, and their names must stay short.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        yield {"address": "local", "num_cpus": workers, "include_dashboard": False, "_temp_dir": folder}


def _existing(address: str) -> dict[str, Any]:
    """Refuse an open cluster, unless RAY_AUTH_MODE=disabled says that it is meant."""
    if os.environ.get(_MODE) != "disabled":
        if _answers_anyone(address):
            advice = f"Start it with {_MODE}=token, or set {_MODE}=disabled here to use it as it is."
            raise UsageError(
                "E-RAY-OPEN", f"the Ray cluster at {address} lets anyone run programs on it. {advice}"
            )
        os.environ[_MODE] = "token"
    return {"address": address}


def _answers_anyone(address: str) -> bool:
    """Whether the cluster tells its status without a token. WorkerError E-RAY when it tells nothing."""
    without = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    status = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    options: dict[str, Any] = {"capture_output": True, "text": True, "env": {**without, _MODE: "disabled"}}
    told = subprocess.run(status, **options)
    if told.returncode and "AuthenticationError" not in told.stderr:
        advice = "Give HOST:PORT of `ray start --head`, or auto."
        raise WorkerError("E-RAY", f"no Ray cluster answers at {address}. {advice}")
    return told.returncode == 0
