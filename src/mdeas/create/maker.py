"""The contract of a maker: a source of samples."""

from typing import Any, Protocol

from mdeas.sample import Sample


class Maker(Protocol):
    """A source of samples: picklable, and sample i depends on nothing but the recipe, the seed and i."""

    count: int
    seed: int

    def make(self, index: int) -> Sample:
        """Sample `index`, with all of `rows.META_COLUMNS` in its meta."""

    def split_of(self, index: int) -> str:
        """The split of sample `index`, one of SPLITS, without making it."""

    def describe(self) -> dict[str, Any]:
        """The recipe as JSON: all that decides the samples except seed and count."""

    def provenance(self) -> list[dict[str, Any]]:
        """One JSON object per picture or model that went in: name, sha256, licence."""
