"""Files from the network, kept in Keras's folder, and their hashes.

Source: the public behaviour of keras/utils/data_utils.py (2.1.6), `KERAS_HOME` as in 2.3. A file appears
under its name only when it is complete and, where a hash is given, has that hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

from ._archives import _extract_archive
from .progbar import Progbar

# Used where Keras's folder cannot be written.
_FALLBACK = os.path.join("/tmp", ".keras")
_CHUNK = 1 << 16
# A server that is silent for so long (seconds) is given up.
_TIMEOUT = 60
# A partial file that old (seconds) belongs to no process that is still at work.
_LEFTOVER = 24 * 3600


def get_file(
    fname: str,
    origin: str,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | None = None,
) -> str:
    """Fetches a file once and returns its path.

    A file that is there already is used as it is; one whose hash is not the given one is fetched again. Where
    there is no network, put the file into the folder yourself.

    Args:
        fname: name of the file in the folder; may be an absolute path, which is then used as it is.
        origin: URL of the file; `file://` works too.
        untar: the file is a tar archive: it is kept as `<fname>.tar.gz` and unpacked beside it.
        md5_hash: older name of `file_hash`, for MD5.
        file_hash: hash in hexadecimal digits that the file must have; None trusts any file.
        cache_subdir: folder below `cache_dir`.
        hash_algorithm: 'md5', 'sha256', or 'auto' (64 digits are SHA-256).
        extract: unpack the file if it is a tar or zip archive.
        archive_format: 'auto', 'tar', 'zip', a list of these, or None for no archive.
        cache_dir: folder of the cache; None means the folder in `KERAS_HOME`, else `~/.keras`. Where it
            cannot be written, a file that lies there is used, and a new one goes to `/tmp/.keras`.

    Returns:
        path of the file, with `untar` that of the unpacked folder (the archive's path without `.tar.gz`).

    Raises:
        OSError: "URL fetch failure on …", or the file cannot be written.
        ValueError: the fetched file has another hash, or the archive is broken, reaches out of its folder or
            (with `untar`) is none. What was there before is unchanged.

    Example:
        >>> path = get_file('text.txt', 'https://example.org/text.txt')  # doctest: +SKIP
    """
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    fname = os.fspath(fname)
    stored = fname + ".tar.gz" if untar else fname
    path, found = _usable(stored, cache_subdir, cache_dir, file_hash, hash_algorithm)
    if untar and path is None and not found:
        folder = cached_path(fname, cache_subdir, cache_dir)
        if folder is not None and os.path.isdir(folder):  # unpacked by hand, or the archive was thrown away
            return folder
    fetched = path is None
    if path is None:
        path = os.path.join(_writable_folder(cache_subdir, cache_dir, stored), os.path.expanduser(stored))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _fetch(origin, path, file_hash, hash_algorithm, found)
    if untar:
        folder = path.removesuffix(".tar.gz")
        if fetched or not os.path.exists(folder):
            unpacked = _extract_archive(path, os.path.dirname(path), "tar")
            if not unpacked and not os.path.exists(folder):
                raise ValueError(
                    f"{path!r}, which came from {origin}, is no tar archive. Remove it; for a zip file take "
                    "`extract=True` rather than `untar=True`"
                )
        return folder
    if extract:
        _extract_archive(path, os.path.dirname(path), archive_format)
    return path


def cached_path(fname: str, cache_subdir: str = "datasets", cache_dir: str | None = None) -> str | None:
    """Returns where a file of the cache lies, None if it is not there. Arguments as for `get_file`."""
    return next(_candidates(fname, cache_subdir, cache_dir), None)


def _candidates(fname: str, cache_subdir: str, cache_dir: str | None) -> Iterator[str]:
    for base in dict.fromkeys((_base(cache_dir), _FALLBACK)):
        path = os.path.join(base, cache_subdir, os.path.expanduser(fname))
        if os.path.exists(path):
            yield path


def _usable(
    fname: str, cache_subdir: str, cache_dir: str | None, file_hash: str | None, algorithm: str
) -> tuple[str | None, str]:
    """Returns the path of a file with the right hash, or None and what is to say about one without."""
    found = ""
    for path in _candidates(fname, cache_subdir, cache_dir):
        if file_hash is None or validate_file(path, file_hash, algorithm):
            return path, ""
        found = f". The file {path!r} is there, but its hash is not {file_hash}"
    if found:
        print(
            f"A local file was found, but it seems to be incomplete or outdated because the {algorithm} "
            f"file hash does not match the original value of {file_hash} so we will re-download the data."
        )
    return None, found


def _base(cache_dir: str | None) -> str:
    from ..backend.common import keras_dir  # the backend's settings are read only when a file is wanted

    return os.path.expanduser(cache_dir or keras_dir())


def _writable_folder(cache_subdir: str, cache_dir: str | None, fname: str) -> str:
    """Makes and returns the folder for a new file."""
    if os.path.isabs(fname):
        return os.path.dirname(fname)
    folder = os.path.join(_base(cache_dir), cache_subdir)
    try:
        os.makedirs(folder, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return os.path.join(_FALLBACK, cache_subdir)


def _fetch(origin: str, path: str, file_hash: str | None, algorithm: str, found: str) -> None:
    """Downloads to `path`, which changes only when the whole file has come and its hash is right."""
    from ..saving.atomic import atomic_write

    _remove_leftovers(path)
    print("Downloading data from", origin)
    hasher = _hasher(algorithm, file_hash or "")
    with atomic_write(path) as file:
        try:
            for chunk in _chunks(origin):
                file.write(chunk)
                hasher.update(chunk)
        except _FetchError as error:
            advice = f". Without a network, put the file there yourself: {path!r}"
            raise OSError(f"{error}{found}{advice}") from error.__cause__
        digest = hasher.hexdigest()
        if file_hash is not None and digest != file_hash.lower():
            raise ValueError(
                f"Incomplete or corrupted file detected: what came from {origin} has the {hasher.name} hash "
                f"{digest}, expected was {file_hash}. It is not kept{found}"
            )


def _remove_leftovers(path: str) -> None:
    """Removes what a killed process left of this file, or of what it unpacked, a day ago or longer."""
    folder, name = os.path.split(path)
    leftover = re.compile(rf"\.{re.escape(name[:40])}\.[0-9a-f]{{12}}\.tmp")
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if leftover.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > _LEFTOVER:
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)


class _FetchError(Exception):
    """The network's part of a download failed."""


def _chunks(origin: str) -> Iterator[bytes]:
    """Yields the bytes of a URL, drawing a progress bar. Raises _FetchError, also if it ends early."""
    import http.client  # with urllib 40 ms that only a download is worth
    from urllib.request import urlopen

    try:
        with urlopen(origin, timeout=_TIMEOUT) as source:
            length = source.headers.get("Content-Length")
            expected = int(length) if length and length.isdigit() else None
            received = 0
            bar = Progbar(expected)
            while chunk := source.read(_CHUNK):
                received += len(chunk)
                yield chunk
                bar.update(received)
            if expected is not None and received != expected:
                raise OSError(f"the connection ended after {received} of {expected} bytes")
    except (OSError, http.client.HTTPException, ValueError) as error:
        number = getattr(error, "code", None) or getattr(error, "errno", None)
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise _FetchError(f"URL fetch failure on {origin}: {number} -- {reason}") from error


def _hasher(algorithm: str, file_hash: str) -> Any:
    """An empty hash object. Raises ValueError for an unknown algorithm."""
    if algorithm == "auto":
        algorithm = "sha256" if len(file_hash) == 64 else "md5"
    if algorithm not in ("md5", "sha256"):
        raise ValueError(f"Unknown hash algorithm: {algorithm!r}. Expected 'md5', 'sha256' or 'auto'.")
    return hashlib.new(algorithm, usedforsecurity=False)


def _hash_file(fpath: str, algorithm: str = "sha256", chunk_size: int = 65535) -> str:
    """Returns the hash of a file in hexadecimal digits.

    Args:
        fpath: the file.
        algorithm: 'sha256', or 'md5' ('auto' too).
        chunk_size: bytes to read at a time.
    """
    hasher = _hasher(algorithm, "")
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            hasher.update(chunk)
    return hasher.hexdigest()


def validate_file(fpath: str, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Tells whether a file has a given hash.

    Args:
        fpath: the file.
        file_hash: hexadecimal digits, in either case.
        algorithm: 'md5', 'sha256', or 'auto' (64 digits are SHA-256, others MD5).
        chunk_size: bytes to read at a time.

    Returns:
        True if the file's hash is this one.
    """
    name = _hasher(algorithm, file_hash).name
    return _hash_file(fpath, name, chunk_size) == str(file_hash).lower()
