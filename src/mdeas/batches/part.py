"""A part of a data set: a range of its rows, in their order."""

from mdeas.batches.loader import SampleSource, bare
from mdeas.sample import Sample


class Part:
    """The rows of `source` between two fractions of its length, as a source of their own.

    Input: share: (start, stop) in 0..1; both are rounded to a row, so that [0, .2] and [.2, .4] neither
        overlap nor leave a gap.
    """

    def __init__(self, source: SampleSource, share: tuple[float, float]):
        start, stop = (round(bound * len(source)) for bound in share)
        self.source, self.rows = source, range(start, stop)

    @property
    def fingerprint(self) -> str:
        """The source's fingerprint; the recipe records which part is used."""
        return self.source.fingerprint

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Sample:
        return self.source[self.rows[index]]

    def bare(self, index: int) -> Sample:
        """The sample with no meta but its id; see loader.bare."""
        return bare(self.source, self.rows[index])
