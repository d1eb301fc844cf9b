"""Pictures that were decoded lately, kept within a number of bytes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mdeas.system.files import sha256_bytes

_MAX_BYTES = 2**27  # 890 backgrounds at 224²
_MAX_SEEN = 10_000


class KeptPictures:
    """`decode` for pictures of which many are equal: the same bytes are decoded once while they are kept.

    A picture is kept from the second time on, so that those which never come again cost no memory. What was
    not asked for longest goes first. Pickled, it is empty.
    Input: decode: (bytes, name for messages) -> array; max_bytes: of the arrays that are kept.
    """

    def __init__(self, decode: Callable[[bytes, str], np.ndarray], max_bytes: int = _MAX_BYTES):
        self.decode, self.max_bytes = decode, max_bytes
        self._pictures: dict[str, np.ndarray] = {}
        self._seen: dict[str, None] = {}
        self._num_bytes = 0

    def __call__(self, data: bytes, name: str) -> np.ndarray:
        """What `decode` gives, read-only, for it may be shared."""
        key = sha256_bytes(data)
        picture = self._pictures.pop(key, None)
        if picture is None:
            picture = self.decode(data, name)
            picture.flags.writeable = False
            if self._is_new(key):
                return picture
            self._num_bytes += picture.nbytes
        self._pictures[key] = picture  # now the last in line
        self._make_room()
        return picture

    def _is_new(self, key: str) -> bool:
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _MAX_SEEN:
            del self._seen[next(iter(self._seen))]
        return True

    def _make_room(self) -> None:
        while self._num_bytes > self.max_bytes:
            self._num_bytes -= self._pictures.pop(next(iter(self._pictures))).nbytes

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.decode, self.max_bytes)
