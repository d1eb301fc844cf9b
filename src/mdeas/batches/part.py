"""A part of a data set: some of its rows, in their order."""

from mdeas.batches.loader import SampleSource, bare
from mdeas.sample import Sample


class Part:
    """The rows of `source` between two shares of its length, as a source of its own.

    Input: share: (start, stop) in 0..1; each is rounded to a row, so that [0, .2] and [.2, .4] share none and
        leave none out.
    """

    def __init__(self, source: SampleSource, share: tuple[float, float]):
        start, stop = (round(bound * len(source)) for bound in share)
        self.source, self.rows = source, range(start, stop)

    @property
    def fingerprint(self) -> str:
        """That of the source; which part it is, the recipe says."""
        return self.source.fingerprint

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Sample:
        return self.source[self.rows[index]]

    def bare(self, index: int) -> Sample:
        """As that of the source."""
        return bare(self.source, self.rows[index])
