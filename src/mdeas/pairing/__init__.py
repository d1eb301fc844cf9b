"""Do two photos fit, and can they be made to: check a pair, fix the background, or refuse the pair."""

from mdeas.pairing.check import Check
from mdeas.pairing.match import Matched, Mode, match_photos
from mdeas.pairing.sanity import PairWarning

__all__ = ["Check", "Matched", "Mode", "PairWarning", "match_photos"]
