"""A cache of decoded pictures with a limit in bytes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mdeas.system.files import sha256_bytes

_MAX_BYTES = 2**27  # 890 backgrounds at 224²
_MAX_SEEN = 10_000


class PictureCache:
    """Decode pictures of which many have the same bytes; each is decoded once while it is in the cache.

    A picture enters the cache on its second request; eviction is least recently used. Pickling empties it.
    Input: decode: (bytes, name for messages) -> array; max_bytes: of all arrays in the cache.
    """

    def __init__(self, decode: Callable[[bytes, str], np.ndarray], max_bytes: int = _MAX_BYTES):
        self.decode, self.max_bytes = decode, max_bytes
        self._pictures: dict[str, np.ndarray] = {}  # by sha256, the least recently used first
        self._seen: dict[str, None] = {}  # sha256 of pictures that were requested once
        self._num_bytes = 0

    def __call__(self, data: bytes, name: str) -> np.ndarray:
        """The decoded picture, read-only because callers share it."""
        key = sha256_bytes(data)
        picture = self._pictures.pop(key, None)
        if picture is None:
            picture = self.decode(data, name)
            picture.flags.writeable = False
            if self._is_first_request(key):
                return picture
            self._num_bytes += picture.nbytes
        self._pictures[key] = picture
        while self._num_bytes > self.max_bytes:
            self._num_bytes -= self._pictures.pop(next(iter(self._pictures))).nbytes
        return picture

    def _is_first_request(self, key: str) -> bool:
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _MAX_SEEN:
            del self._seen[next(iter(self._seen))]
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.decode, self.max_bytes)
