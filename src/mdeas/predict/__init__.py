"""From photos and videos on disk to results on disk."""
