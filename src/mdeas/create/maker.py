"""The contract of a maker: a source of samples."""

from collections.abc import Sequence
from typing import Any, Protocol

from mdeas.sample import Sample


class Maker(Protocol):
    """A source of samples. It can be pickled; sample i depends on the recipe, the seed and i alone."""

    count: int
    seed: int

    def make(self, index: int) -> Sample:
        """Make sample `index`; its meta has all of `dataset.rows.META_COLUMNS`.

        Errors: InputError when a file that it needs cannot be used; `build` can leave such samples out.
        """

    def split_of(self, index: int) -> str:
        """Return the split of sample `index`, one of sample.SPLITS, without making the sample."""

    def describe(self) -> dict[str, Any]:
        """Return the recipe as JSON: everything that decides the samples except seed and count."""

    def provenance(self) -> list[dict[str, Any]]:
        """Return one JSON object per picture or model that is used: kind, name, sha256, licence, ..."""

    @property
    def left_out(self) -> Sequence[dict[str, Any]]:
        """Return one JSON object per file that the maker cannot use; errors.jsonl lists them."""
