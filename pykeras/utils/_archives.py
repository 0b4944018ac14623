"""Unpacking tar and zip files: into their folder and nowhere else, wholly or not at all.

Source: the public behaviour of keras/utils/data_utils.py `_extract_archive` (2.1.6), which trusts the
archive; here one with a member that would leave the folder, a link or a device is refused before anything is
written.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tarfile
    import zipfile

# tarfile and zipfile are imported inside the functions: 10 ms that only an archive is worth.

# A member: its name in the archive, whether it is a folder, and how to open it.
_Member = tuple[str, bool, Callable[[], "IO[bytes] | None"]]


def _extract_archive(file_path: str, path: str = ".", archive_format: Any = "auto") -> bool:
    """Unpacks a tar (also compressed) or zip file.

    Everything is unpacked beside its destination first and moved there at the end, so that an interruption
    leaves no half-filled folder.

    Args:
        file_path: the archive.
        path: existing folder to unpack into.
        archive_format: 'tar', 'zip', a list of these, 'auto' for both, None for none.

    Returns:
        whether the file was an archive of such a format.

    Raises:
        ValueError: the archive is broken, or has a member that leaves the folder, a link or a device; or the
            format is unknown. Nothing is unpacked then.
        OSError: it cannot be read, or the folder cannot be written.
    """
    if archive_format is None:
        return False
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format
    for name in [formats] if isinstance(formats, str) else formats:
        if name not in _OPENERS:
            raise ValueError(f"Unknown archive format: {name!r}. Expected 'tar', 'zip', 'auto' or None.")
        if _is_archive(file_path, name):
            _unpack(file_path, path, _OPENERS[name])
            return True
    return False


def _is_archive(file_path: str, name: str) -> bool:
    import tarfile
    import zipfile

    return tarfile.is_tarfile(file_path) if name == "tar" else zipfile.is_zipfile(file_path)


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for member in archive.getmembers():
        if not (member.isfile() or member.isdir()):
            kind = "a link" if member.issym() or member.islnk() else "a device"
            raise ValueError(f"{member.name!r} is {kind}")
        yield member.name, member.isdir(), lambda member=member: archive.extractfile(member)  # type: ignore


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ValueError(f"{info.filename!r} is {'a link' if kind == stat.S_IFLNK else 'a device'}")
        yield info.filename, info.is_dir(), lambda info=info: archive.open(info)  # type: ignore[misc]


@contextlib.contextmanager
def _open_tar(file_path: str) -> Iterator[Iterator[_Member]]:
    import tarfile

    with tarfile.open(file_path) as archive:
        yield _tar_members(archive)


@contextlib.contextmanager
def _open_zip(file_path: str) -> Iterator[Iterator[_Member]]:
    import zipfile

    with zipfile.ZipFile(file_path) as archive:
        yield _zip_members(archive)


_OPENERS: dict[str, Any] = {"tar": _open_tar, "zip": _open_zip}


def _broken() -> tuple[type[Exception], ...]:
    """What the standard library raises on bytes that are no archive, or only the beginning of one."""
    import tarfile
    import zipfile
    import zlib

    return (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


def _parts(name: str) -> list[str]:
    """Splits a member's name into folders and file. Raises ValueError if it leads out of the folder."""
    pieces = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in pieces or pieces[0][1:2] == ":" or "\0" in name:
        raise ValueError(f"{name!r} lies outside of the archive's folder")
    return [piece for piece in pieces if piece not in ("", ".")]


def _unpack(file_path: str, path: str, open_members: Any) -> None:
    temporary = os.path.join(path, f".{os.path.basename(file_path)[:40]}.{secrets.token_hex(6)}.tmp")
    try:
        with open_members(file_path) as members:
            # all of them are looked at before the first one is written
            checked = [(_parts(name), is_folder, opener) for name, is_folder, opener in members]
            os.mkdir(temporary)
            for parts, is_folder, opener in checked:
                target = os.path.join(temporary, *parts)
                os.makedirs(target if is_folder else os.path.dirname(target), exist_ok=True)
                if not is_folder:
                    # written as a new file: owner, permissions and times of the archive are not taken over
                    with opener() as source, open(target, "wb") as copy:
                        shutil.copyfileobj(source, copy, 1 << 18)
        _move(temporary, path)
    except ValueError as error:
        raise ValueError(
            f"{file_path!r} is not unpacked: its member {error}. Do not use this archive."
        ) from error
    except _broken() as error:
        raise ValueError(
            f"{file_path!r} is a broken archive ({error}). Remove it, so that it is fetched again."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move(source: str, destination: str) -> None:
    """Moves what lies in one folder into another one, replacing files of the same names."""
    for entry in sorted(os.listdir(source)):
        old, new = os.path.join(source, entry), os.path.join(destination, entry)
        try:
            os.replace(old, new)
        except OSError:  # a folder of that name has files: from before, or another process was faster
            if not (os.path.isdir(old) and os.path.isdir(new)):
                raise
            _move(old, new)
