"""Files appear whole or not at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pykeras.saving import atomic
from pykeras.saving.atomic import atomic_write


def write(path, data):
    with atomic_write(path) as file:
        file.write(data)


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_new_file_and_replaced_file(tmp_path):
    path = tmp_path / "a.bin"
    write(path, b"one")
    assert path.read_bytes() == b"one"
    write(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["a.bin"]


def test_relative_and_bytes_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.bin", b"1")
    write(b"b.bin", b"2")
    assert names(tmp_path) == ["a.bin", "b.bin"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError("mine")])
def test_any_error_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), atomic_write(path) as file:
        file.write(b"half of the new")
        raise error
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_error_on_reaching_the_disk(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "full")

    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match=r"Cannot save to .*a\.bin.*No space left.*unchanged"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_permissions_of_new_and_old_files(tmp_path):
    path = tmp_path / "a.bin"
    old = os.umask(0o027)
    try:
        write(path, b"1")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write(path, b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_symbolic_link_stays(tmp_path):
    (tmp_path / "data").mkdir()
    target = tmp_path / "data" / "real.bin"
    target.write_bytes(b"old")
    link = tmp_path / "link.bin"
    link.symlink_to(target)
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(tmp_path / "data") == ["real.bin"]


def test_folder_and_device_are_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        write(tmp_path, b"")
    with pytest.raises(OSError, match="not a regular file"):
        write("/dev/null", b"")
    with pytest.raises(FileNotFoundError, match="Cannot save to"):
        write(tmp_path / "none" / "a.bin", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is write-protected for the administrator")
def test_read_only_folder_and_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="write-protected"):
        write(path, b"new")
    path.chmod(0o644)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="Cannot save to"):
            write(path, b"new")
    finally:
        tmp_path.chmod(0o755)
    assert path.read_bytes() == b"old"


def test_read_only_disk(tmp_path, monkeypatch):
    """What os.open says on a disk that is mounted read-only."""

    def refuse(path, flags, mode=0o777):
        raise OSError(errno.EROFS, "read-only")

    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(atomic.os, "open", refuse)
    with pytest.raises(OSError, match=r"Cannot save to .*Read-only file system"):
        write(path, b"new")
    assert path.read_bytes() == b"old"


# The child may write files of a few bytes only: what a full disk looks like, at every stage of writing.
FULL_DISK = """
import resource, sys
import numpy as np
from pykeras.saving import h5file

def save(size):
    with h5file.writing("m.h5", "test") as f:
        f.attrs["model_config"] = b"x" * 70000
        for i in range(4):
            f.create_dataset(f"layer_{i}/w", data=np.full(size, i, "float32"))

save(20000)
before = open("m.h5", "rb").read()
messages = []
for limit in (0, 50, 5000, 100000, 300000, len(before) - 1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        save(20000)
        messages.append("saved")
    except OSError as error:
        messages.append(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert open("m.h5", "rb").read() == before, limit
save(10)
print("\\n".join(messages))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_full_disk_at_every_stage(tmp_path):
    root = Path(atomic.__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) == 6
    assert all("Cannot save to 'm.h5'" in line for line in lines)
    assert names(tmp_path) == ["m.h5"]
