"""Pictures and videos in and out, resizing, and the faults of cameras."""

from mdeas.images.codec import read_depth16, read_gray, read_rgb, read_rgba, write_jpeg, write_png

__all__ = ["read_depth16", "read_gray", "read_rgb", "read_rgba", "write_jpeg", "write_png"]
