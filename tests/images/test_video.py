import contextlib
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_video

from mdeas.errors import InputError, StorageError
from mdeas.images import video


@contextlib.contextmanager
def reading(path):
    with contextlib.closing(video.VideoReader(os.fspath(path))) as reader:
        yield reader


def read(path):
    with reading(path) as reader:
        return list(reader)


def refused(path):
    with pytest.raises(InputError) as found:
        read(path)
    return found.value


def test_what_is_written_is_read(tmp_path):
    pictures = tiny_video.frames(7)
    with reading(tiny_video.mp4(tmp_path / "a.mp4", pictures)) as reader:
        assert (reader.rate, reader.num_frames, reader.missing_bytes) == (10, 7, 0)
        found = list(reader)
    assert [round(seconds, 3) for seconds, _ in found] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    for (_, frame), picture in zip(found, pictures, strict=True):
        assert frame.dtype == np.uint8 and frame.shape == picture.shape
        assert np.abs(frame.astype(int) - picture).mean() < 3
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_odd_sizes_and_channels(tmp_path):
    picture = np.zeros((37, 51, 3), np.uint8)
    picture[..., 0], picture[:10, :, 2] = 200, 100
    ((_, frame),) = read(tiny_video.avi(tmp_path / "odd.avi", [picture]))
    assert frame.shape == (37, 51, 3) and np.abs(frame.astype(int) - picture).mean() < 4


def test_frames_of_another_size_are_stretched_to_that_of_the_first(tmp_path):
    pictures = [tiny_video.scene(48, 64, 10), tiny_video.scene(24, 32, 5)]
    (_, first), (_, second) = read(tiny_video.avi(tmp_path / "a.avi", pictures))
    assert first.shape == second.shape and np.abs(first.astype(int) - second).mean() < 5


def test_the_rotation_flag_is_applied(tmp_path):
    picture = tiny_video.scene(48, 64)
    picture[:10, :10] = 255
    path = tiny_video.turned(tiny_video.mp4(tmp_path / "a.mp4", [picture] * 3), 48)
    _, frame = read(path)[0]
    assert frame.shape == (64, 48, 3)
    assert frame[:8, -8:].mean() > 240 and frame[:8, :8].mean() < 150


def test_a_variable_rate_keeps_times_and_fast_frames(tmp_path):
    path = tiny_video.mp4(tmp_path / "a.mp4", tiny_video.frames(12))
    tiny_video.with_variable_rate(path, [(5, 0.5), (2, 10), (5, 0.5)])
    with reading(path) as reader:
        timed = list(reader)
        shown = list(video.evenly(timed, reader.rate))
        assert reader.rate == pytest.approx(20, rel=0.01)
    assert timed[5][0] == pytest.approx(0.25) and timed[7][0] == pytest.approx(2.25)
    assert len(shown) == 12
    assert [times for _, times in shown] == [1, 1, 1, 1, 1, 20, 20, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("times", "nominal", "rate"),
    [
        ([], 25, 25),
        ([0], 25, 25),
        ([0, 0.04, 0.08], 25, 25),
        ([0, 0.033, 0.067, 0.1], 30, 30),  # milliseconds, as WebM keeps them
        ([0, 0.05, 0.1, 1.1, 2.1], 2.5, 20),
        ([0, 0.001, 0.002, 1], 3, 60),
    ],
)
def test_even_rate(times, nominal, rate):
    assert video.even_rate(np.array(times, float), nominal) == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("rate", [0.5, 23.976, 30000 / 1001, 60, 59.94, 119.88, 240, 333.3])
def test_every_rate_can_be_written(tmp_path, rate):
    rate = video.writable_rate(rate)
    with reading(tiny_video.mp4(tmp_path / "a.mp4", tiny_video.frames(2), rate)) as reader:
        assert reader.rate == pytest.approx(rate, abs=1e-3) and reader.num_frames == 2


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ([], []),
        ([0], [(0, 1)]),
        ([0, 0.1, 0.2], [(0, 1), (1, 1), (2, 1)]),
        ([0, 0.3, 0.4], [(0, 3), (1, 1), (2, 1)]),
        ([0, 0.02, 0.04, 0.1], [(2, 1), (3, 1)]),
        ([0, 0.14, 0.26], [(0, 1), (1, 2), (2, 1)]),
        ([0, 0.1, 0.05, 0.2], [(0, 1), (2, 1), (3, 1)]),  # a time that goes back
    ],
)
def test_evenly_at_ten_a_second(times, shown):
    assert list(video.evenly(zip(times, range(99), strict=False), 10)) == shown


@pytest.mark.parametrize("kind", ["index first", "index last", "avi"])
def test_a_cut_file_is_told_and_its_frames_are_kept(tmp_path, kind, capfd):
    path = (tiny_video.avi if kind == "avi" else tiny_video.mp4)(tmp_path / "a.mp4", tiny_video.frames(6))
    data = (tiny_video.with_index_first(path) if kind == "index first" else path).read_bytes()
    counts = []
    for size in np.linspace(20, len(data) - 1, 20).astype(int):
        path.write_bytes(data[:size])
        try:
            with reading(path) as reader:
                assert 0 < reader.missing_bytes <= len(data) - size
                counts.append(len(list(reader)))
        except InputError as error:
            assert error.code in ("E-VIDEO-TRUNCATED", "E-VIDEO-FORMAT")
    assert counts == sorted(counts)
    assert not counts or counts[-1] in (5, 6)
    assert capfd.readouterr().err == ""


def test_a_cut_webm(tmp_path):
    path = tmp_path / "a.webm"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), 10.0, (64, 48))
    for frame in tiny_video.frames(10):
        writer.write(frame)
    writer.release()
    with reading(path) as reader:
        assert reader.missing_bytes == 0 and reader.rate == 10 and len(list(reader)) == 10
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    with reading(path) as reader:
        assert reader.missing_bytes == 100


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no video",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b"v=0\nc=IN IP4 127.0.0.1\n",
        b"\x89PNG\r\n\x1a\n" + b"0" * 400,
        b"\0\0\0\x14ftypisom" + b"\0" * 400,
        b"\x1a\x45\xdf\xa3" + b"\0" * 400,
        b"\x1a\x45\xdf\xa3",
        b"RIFF\x10\0\0\0AVI ",
    ],
)
def test_what_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    assert refused(path).code in ("E-VIDEO-FORMAT", "E-VIDEO-TRUNCATED")


def test_what_cannot_be_opened_is_refused(tmp_path):
    assert refused(tmp_path / "missing.mp4").code == "E-VIDEO-MISSING"
    assert refused(tmp_path).code == "E-VIDEO-FORMAT"
    os.mkfifo(tmp_path / "fifo")
    assert refused(tmp_path / "fifo").code == "E-VIDEO-FORMAT"
    assert refused("/dev/video99").code == "E-VIDEO-CAMERA"
    assert refused("99").code == "E-VIDEO-CAMERA"


def test_huge_frames_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "_MAX_PIXELS", 3000)
    assert refused(tiny_video.mp4(tmp_path / "a.mp4", tiny_video.frames(2))).code == "E-VIDEO-SIZE"


@pytest.mark.parametrize("name", ["two\nlines", "-o", "🦊 'q'", "\udcff", "x%03d", "http:a"])
def test_odd_names(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny_video.avi(Path(f"{name}.avi"), tiny_video.frames(2))
    assert len(read(f"{name}.avi")) == 2


def test_nothing_is_left_of_what_failed(tmp_path):
    def pictures():
        yield tiny_video.scene(48, 64)
        raise InputError("E-A", "m")

    with pytest.raises(InputError):
        video.write_video(tmp_path / "a.mp4", pictures(), 10)
    assert video.write_video(tmp_path / "a.mp4", [], 10) == 0
    assert os.listdir(tmp_path) == []
    tiny_video.mp4(tmp_path / "a.mp4", tiny_video.frames(1))
    with pytest.raises(StorageError):
        video.write_video(tmp_path / "a.mp4", tiny_video.frames(1), 10)


def test_a_full_disk_is_told(tmp_path):
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import tiny_video
from mdeas.images.video import write_video
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_video({str(tmp_path / "a.mp4")!r}, tiny_video.frames(30), 10)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "StorageError" in done.stderr and "a.mp4" in done.stderr
    assert os.listdir(tmp_path) == []


def test_camera_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert video.is_camera("0") and video.is_camera("/dev/video1")
    assert not video.is_camera("a.mp4")
    Path("0").touch()
    assert not video.is_camera("0")
