"""The commit protocol and the lock."""

import errno
import os
import signal
import subprocess
import sys

import kill_at
import pytest

from mdeas.errors import InputError, StorageError
from mdeas.system import files
from mdeas.system.files import (
    read_json,
    remove_temporaries,
    sha256_bytes,
    sha256_file,
    write_bytes,
    write_json,
)

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example of "abc"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_sha256_of_a_published_vector(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_bytes(b"abc") == ABC == sha256_file(tmp_path / "a")
    with pytest.raises(InputError, match="No such file"):
        sha256_file(tmp_path / "b")


def test_write_makes_the_folder_and_returns_the_record(tmp_path):
    record = write_bytes(tmp_path / "new" / "a", b"abc")
    assert record == {"name": "a", "bytes": 3, "sha256": ABC}
    assert (tmp_path / "new" / "a").read_bytes() == b"abc"
    assert names(tmp_path / "new") == ["a"]


def test_nothing_is_overwritten_without_force(tmp_path):
    write_bytes(tmp_path / "a", b"1")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("a", "link"):
        with pytest.raises(StorageError) as caught:
            write_bytes(tmp_path / name, b"2")
        assert (caught.value.code, caught.value.exit_code) == ("E-EXISTS", 4)
    write_bytes(tmp_path / "a", b"2", force=True)
    assert (tmp_path / "a").read_bytes() == b"2"


def test_a_file_and_a_folder_do_not_replace_each_other(tmp_path):
    write_bytes(tmp_path / "file", b"1")
    (tmp_path / "folder").mkdir()
    for path, message in (("file/a", "a file is where a folder"), ("folder", "a folder is where a file")):
        with pytest.raises(StorageError, match=message) as caught:
            write_bytes(tmp_path / path, b"2", force=True)
        assert caught.value.code == "E-IO"
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "-dash",
        "naïve",
        "na\u0131\u0308ve",
        "📷",
        "مرحبا",
        'it\'s "q"',
        "two\nlines",
        "x" * 255,
        b"\xff.png",
    ],
)
def test_odd_names(tmp_path, name):
    path = tmp_path / (os.fsdecode(name) if isinstance(name, bytes) else name)
    write_bytes(path, b"1")
    assert path.read_bytes() == b"1"
    with pytest.raises(StorageError) as caught:
        write_bytes(path, b"2")
    assert "\n" not in str(caught.value)
    assert str(caught.value).encode()  # printable: no lone surrogates


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "E-FULL"), (errno.EFBIG, "E-FULL"), (errno.EROFS, "E-READ-ONLY"), (errno.EIO, "E-IO")],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch, number, code, step):
    write_bytes(tmp_path / "a", b"old")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(StorageError) as caught:
        write_bytes(tmp_path / "a", b"new!", force=True)
    assert caught.value.code == code
    assert (code != "E-FULL") or "needed 4 bytes" in str(caught.value)
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"old"


def test_a_real_file_size_limit_is_a_full_disk(tmp_path):
    program = (
        "import resource, sys; from mdeas.system.files import write_bytes\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); write_bytes(sys.argv[1], bytes(5000))"
    )
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "a"], capture_output=True, text=True)
    assert "needed 5,000 bytes" in run.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize(("point", "content"), [("temporary", b"old"), ("renamed", b"new")])
def test_sigkill_leaves_the_whole_old_or_the_whole_new_file(tmp_path, point, content):
    write_bytes(tmp_path / "a", b"old")
    program = tmp_path / "program.py"
    program.write_text(
        "import sys; from mdeas.system.files import write_bytes; write_bytes(sys.argv[1], b'new', force=True)"
    )
    run = subprocess.run(kill_at.command(point, program, tmp_path / "a"))
    program.unlink()
    assert run.returncode == -signal.SIGKILL
    assert (tmp_path / "a").read_bytes() == content
    (tmp_path / ".notes.tmp").write_bytes(b"the user's own")
    remove_temporaries(tmp_path)
    assert names(tmp_path) == [".notes.tmp", "a"]


def test_json_is_the_same_bytes_for_the_same_value(tmp_path):
    write_json(tmp_path / "a", {"b": [1], "a": "é\udcff"})
    assert (tmp_path / "a").read_bytes() == b'{\n "a": "\\u00e9\\udcff",\n "b": [\n  1\n ]\n}\n'
    assert read_json(tmp_path / "a") == {"a": "é\udcff", "b": [1]}
    with pytest.raises(ValueError):
        write_json(tmp_path / "b", float("nan"))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_is_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_json(tmp_path / "a")
    assert caught.value.code == "E-JSON"


def test_a_read_only_folder(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError) as caught:
        write_bytes(tmp_path / "a", b"1")
    assert caught.value.code == "E-READ-ONLY"
