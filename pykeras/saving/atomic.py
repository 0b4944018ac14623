"""Files appear whole or not at all.

A file is written under a temporary name in the folder of its destination, forced to the disk and then
renamed. If anything goes wrong before the rename (disk full, no permission, Ctrl-C), the temporary file is
removed and what was there before is untouched.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO


@contextlib.contextmanager
def atomic_write(filepath: Any) -> Iterator[BinaryIO]:
    """Opens a binary file (readable and writable) that replaces `filepath` when the block ends without error.

    A symbolic link is followed: its target is replaced and the link stays. An existing file's permissions are
    kept, a new file gets the usual ones.

    Args:
        filepath: destination; its folder must exist and be writable.

    Yields:
        a binary file object at position 0.

    Raises:
        OSError: naming the destination; it is as it was before.

    Example:
        >>> with atomic_write('notes.bin') as f:
        ...     n = f.write(b'all or nothing')
    """
    path = os.fspath(filepath)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    target = os.path.realpath(path)
    mode = _existing_mode(path, target)
    folder = os.path.dirname(target)
    # 0o666 lets the process's umask decide, as for any file that a program creates
    temporary = os.path.join(folder, f".{os.path.basename(target)[:40]}.{secrets.token_hex(6)}.tmp")
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(temporary, flags, 0o666)
    except OSError as error:
        raise _explain(error, path) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            if mode is not None:
                os.chmod(temporary, mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise _explain(error, path) from error
        raise
    _sync_folder(folder)


def _existing_mode(path: str, target: str) -> int | None:
    """Permissions of the file to replace, None for a new one; refuses what must not be replaced."""
    try:
        status = os.stat(target)
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(f"Cannot save to {path!r}: it is a folder. Give a file's name, as 'model.h5'")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"Cannot save to {path!r}: it is not a regular file")
    if not os.access(target, os.W_OK):
        raise PermissionError(f"Cannot save to {path!r}: the file is write-protected")
    return stat.S_IMODE(status.st_mode)


def _explain(error: OSError, path: str) -> OSError:
    """The same kind of error, saying what was to be saved and what became of it."""
    if error.errno is None:
        return error
    explained = type(error)(
        error.errno,
        f"Cannot save to {path!r}: {os.strerror(error.errno)}. An older file of that name is unchanged",
    )
    return explained


def _sync_folder(folder: str) -> None:
    """Makes the rename itself durable where the system can; without it only the file's content is."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
