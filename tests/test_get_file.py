"""get_file (15.2): a local server and file:// stand for the network; archives that must not be unpacked."""

import hashlib
import io
import os
import stat
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pykeras.utils import _download, data_utils, get_file
from pykeras.utils.data_utils import _extract_archive, _hash_file, validate_file

TEXT = b"forty-two bytes of text, more or less, hm\n" * 5000
MD5 = hashlib.md5(TEXT).hexdigest()
SHA256 = hashlib.sha256(TEXT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/text gives TEXT, /short breaks off half-way, /chunked tells no length, anything else is not found."""

    requests: list[str] = []

    def do_GET(self):
        self.requests.append(self.path)
        if self.path == "/missing":
            self.send_error(404, "Not here")
            return
        self.send_response(200)
        if self.path != "/chunked":
            self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT[: len(TEXT) // 2] if self.path == "/short" else TEXT)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """Base URL of a server on this machine."""
    Handler.requests.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keras's folder for these tests; nothing may go to /tmp/.keras."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(_download, "_FALLBACK", str(tmp_path / "fallback"))
    return tmp_path / "home"


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("page", ["text", "chunked"])
def test_fetched_once(server, home, capsys, page):  # 15.2
    path = get_file("a.txt", f"{server}/{page}", file_hash=SHA256)
    assert path == str(home / "datasets" / "a.txt")
    assert open(path, "rb").read() == TEXT
    printed = capsys.readouterr().out
    assert f"Downloading data from {server}/{page}" in printed
    assert str(len(TEXT)) in printed  # the progress bar
    assert get_file("a.txt", f"{server}/{page}", file_hash=SHA256) == path
    assert Handler.requests == [f"/{page}"]
    assert capsys.readouterr().out == ""
    assert files_below(home) == ["datasets/a.txt"]


def test_places(server, home, tmp_path):  # 15.2: cache_subdir, cache_dir, an absolute name
    assert get_file("a", f"{server}/text", cache_subdir="models") == str(home / "models" / "a")
    other = tmp_path / "other"
    assert get_file("a", f"{server}/text", cache_dir=str(other)) == str(other / "datasets" / "a")
    path = str(tmp_path / "new" / "b")
    assert get_file(tmp_path / "new" / "b", f"{server}/text") == path
    assert open(path, "rb").read() == TEXT
    assert len(Handler.requests) == 3


def test_keras_home_else_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    source = tmp_path / "source"
    source.write_bytes(TEXT)
    assert get_file("a", source.as_uri()) == str(tmp_path / ".keras" / "datasets" / "a")


def test_folder_that_cannot_be_written(tmp_path, monkeypatch):  # 15.2: /tmp/.keras
    base = tmp_path / "home"
    (base / "datasets").mkdir(parents=True)
    (base / "datasets" / "old").write_bytes(TEXT)
    (base / "datasets" / "bad").write_bytes(b"other")
    access = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda p, mode: not (str(p).startswith(str(base)) and mode & os.W_OK) and access(p, mode),
    )
    source = (base / "datasets" / "old").as_uri()
    assert get_file("old", source, file_hash=MD5) == str(base / "datasets" / "old")  # reading is enough
    new = str(tmp_path / "fallback" / "datasets" / "new")
    assert get_file("new", source) == new
    assert get_file("new", "file:///no/such/file") == new
    bad = get_file("bad", source, file_hash=MD5)
    assert bad == str(tmp_path / "fallback" / "datasets" / "bad")
    assert get_file("bad", "file:///no/such/file", file_hash=MD5) == bad


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(TEXT)
    path = get_file("a", (tmp_path / "file").as_uri(), cache_dir=str(tmp_path / "file" / "below"))
    assert path == str(tmp_path / "fallback" / "datasets" / "a")


def test_no_hash_trusts_any_file(home):  # 15.2
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "a").write_bytes(b"anything")
    assert get_file("a", "file:///no/such/file") == str(home / "datasets" / "a")


@pytest.mark.parametrize("hashes", [{"file_hash": SHA256}, {"file_hash": MD5.upper()}, {"md5_hash": MD5}])
def test_wrong_hash_is_fetched_again(server, home, capsys, hashes):  # 15.2
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "a").write_bytes(TEXT[:-1])
    path = get_file("a", f"{server}/text", **hashes)
    assert open(path, "rb").read() == TEXT
    assert "A local file was found, but it seems to be incomplete or outdated" in capsys.readouterr().out


def test_wrong_hash_and_no_network(home):
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "a").write_bytes(b"old")
    with pytest.raises(OSError, match=r"URL fetch failure on .*is there, but its hash is not") as caught:
        get_file("a", "file:///no/such/file", file_hash=MD5)
    assert str(home / "datasets" / "a") in str(caught.value)
    assert (home / "datasets" / "a").read_bytes() == b"old"


def test_fetched_file_with_another_hash_is_not_kept(server, home):
    with pytest.raises(ValueError, match=f"Incomplete or corrupted file detected.*md5 hash {MD5}, expected"):
        get_file("a", f"{server}/text", file_hash="0" * 32)
    assert files_below(home) == []


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("missing", "URL fetch failure on .*/missing: 404 -- Not here"),
        ("short", "URL fetch failure on .*/short: None -- .* after 105000 of 210000 bytes"),
    ],
)
def test_failed_downloads_leave_nothing(server, home, page, message):  # 15.2
    with pytest.raises(OSError, match=message) as caught:
        get_file("a", f"{server}/{page}")
    assert f"put the file there yourself: {str(home / 'datasets' / 'a')!r}" in str(caught.value)
    assert files_below(home) == []


def test_nobody_answers(server, home):
    with pytest.raises(OSError, match=r"URL fetch failure on http://127\.0\.0\.1:1/a: "):
        get_file("a", "http://127.0.0.1:1/a")
    with pytest.raises(OSError, match="URL fetch failure on nonsense"):
        get_file("a", "nonsense")


def test_interruption_leaves_nothing(server, home, monkeypatch):  # 15.2: Ctrl-C in the middle
    def press(self, current, values=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(_download.Progbar, "update", press)
    with pytest.raises(KeyboardInterrupt):
        get_file("a", f"{server}/text")
    assert files_below(home) == []


def test_what_killed_processes_left(server, home):
    """Partial files and folders go when they are a day old; those of processes at work stay."""
    folder = home / "datasets"
    folder.mkdir(parents=True)
    for name in (".a.0123456789ab.tmp", ".a.00000000000f.tmp", ".b.0123456789ab.tmp", ".a.tmp"):
        (folder / name).write_bytes(b"part")
    (folder / ".a.fedcba987654.tmp" / "in").mkdir(parents=True)
    for name in (".a.0123456789ab.tmp", ".a.fedcba987654.tmp", ".b.0123456789ab.tmp", ".a.tmp"):
        os.utime(folder / name, (1e9, 1e9))
    get_file("a", f"{server}/text")
    left = [".a.00000000000f.tmp", ".a.tmp", ".b.0123456789ab.tmp", "a"]
    assert sorted(path.name for path in folder.iterdir()) == left


def test_hash_helpers(tmp_path):  # 15.2: 64 hexadecimal digits are SHA-256, else MD5
    path = str(tmp_path / "a")
    open(path, "wb").write(TEXT)
    assert (_hash_file(path), _hash_file(path, "md5", 7)) == (SHA256, MD5)
    assert validate_file(path, SHA256) and validate_file(path, MD5)
    assert validate_file(path, SHA256, "sha256") and validate_file(path, MD5, "md5", chunk_size=1000)
    assert not validate_file(path, MD5[::-1]) and not validate_file(path, MD5, "sha256")
    with pytest.raises(ValueError, match="Unknown hash algorithm: 'sha1'"):
        validate_file(path, MD5, "sha1")
    assert data_utils.get_file is get_file


# ---- archives


def make_tar(path, entries, mode="w:gz"):
    """Writes a tar file of `(name, content or the type as text)` pairs."""
    with tarfile.open(path, mode) as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content.encode(), "/etc/passwd"
                archive.addfile(info)
    return path


def make_zip(path, entries):
    """Writes a zip file of `(name, content or file type)` pairs."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            if not isinstance(content, bytes):
                info.external_attr, content = content << 16, b"/etc/passwd"
            archive.writestr(info, content)
    return path


GOOD = [("top/a.txt", b"a"), ("top/deep/b.txt", b"b"), ("./top/c.txt", b"c")]


def test_untar(tmp_path, home, capsys):  # 15.2: kept as fname.tar.gz, the path without the suffix is returned
    source = make_tar(tmp_path / "x.tgz", GOOD)
    path = get_file("top", source.as_uri(), untar=True)
    assert path == str(home / "datasets" / "top")
    wanted = ["datasets/top.tar.gz", "datasets/top/a.txt", "datasets/top/c.txt", "datasets/top/deep/b.txt"]
    assert files_below(home) == wanted
    source.unlink()
    assert get_file("top", source.as_uri(), untar=True) == path
    # the folder alone will do
    (home / "datasets" / "top.tar.gz").unlink()
    assert get_file("top", source.as_uri(), untar=True) == path
    assert capsys.readouterr().out.count("Downloading") == 1


def test_untar_of_what_is_no_tar_file(tmp_path, home):
    source = make_zip(tmp_path / "x.zip", GOOD)
    with pytest.raises(
        ValueError, match=r"top.tar.gz', which came from file:.*, is no tar archive. Remove it"
    ):
        get_file("top", source.as_uri(), untar=True)
    assert files_below(home) == ["datasets/top.tar.gz"]


def test_untar_is_not_content_with_a_file_of_that_name(tmp_path, home):
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "top").write_bytes(b"something else")
    source = make_tar(tmp_path / "x.tgz", [("top", b"the right one")])
    assert open(get_file("top", source.as_uri(), untar=True), "rb").read() == b"the right one"


def test_untar_again_after_a_new_download(tmp_path, home):
    first = make_tar(tmp_path / "1.tgz", GOOD)
    get_file("top", first.as_uri(), untar=True)
    second = make_tar(tmp_path / "2.tgz", [("top/a.txt", b"newer")])
    get_file("top", second.as_uri(), untar=True, file_hash=_hash_file(str(second)))
    assert (home / "datasets" / "top" / "a.txt").read_bytes() == b"newer"
    assert (home / "datasets" / "top" / "c.txt").read_bytes() == b"c"


def test_another_process_unpacks_the_same_archive(tmp_path, home, monkeypatch):
    """It is done just before our own folder is moved to its place: the two are joined."""
    source = make_tar(tmp_path / "x.tgz", GOOD)
    replace = os.replace

    def late(old, new):
        if os.path.basename(new) == "top" and not os.path.exists(new):
            os.makedirs(os.path.join(new, "deep"))
            with open(os.path.join(new, "a.txt"), "wb") as file:
                file.write(b"theirs")
        replace(old, new)

    monkeypatch.setattr(os, "replace", late)
    get_file("top", source.as_uri(), untar=True)
    wanted = ["datasets/top.tar.gz", "datasets/top/a.txt", "datasets/top/c.txt", "datasets/top/deep/b.txt"]
    assert files_below(home) == wanted
    assert (home / "datasets" / "top" / "a.txt").read_bytes() == b"a"
    assert sorted(path.name for path in (home / "datasets").iterdir()) == ["top", "top.tar.gz"]


def test_a_folder_where_a_file_is(tmp_path, home):
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "top").write_bytes(b"a file of the user's")
    with pytest.raises(OSError):
        get_file("x.tgz", make_tar(tmp_path / "x.tgz", GOOD).as_uri(), extract=True)
    assert files_below(home) == ["datasets/top", "datasets/x.tgz"]


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_extract(tmp_path, home, kind):  # 15.2: tar or zip
    source = tmp_path / f"x.{kind}"
    if kind == "zip":
        make_zip(source, GOOD)
    else:
        make_tar(source, GOOD, "w" if kind == "tar" else "w:gz")
    path = get_file(f"x.{kind}", source.as_uri(), extract=True)
    assert path == str(home / "datasets" / f"x.{kind}")
    assert (home / "datasets" / "top" / "deep" / "b.txt").read_bytes() == b"b"


def test_archive_formats(tmp_path):
    archive, plain = make_zip(tmp_path / "x", GOOD), tmp_path / "plain"
    plain.write_bytes(TEXT)
    assert not _extract_archive(str(archive), str(tmp_path), None)
    assert not _extract_archive(str(archive), str(tmp_path), "tar")
    assert not _extract_archive(str(plain), str(tmp_path))
    assert not (tmp_path / "top").exists()
    assert _extract_archive(str(archive), str(tmp_path), ["tar", "zip"])
    assert (tmp_path / "top" / "a.txt").exists()
    with pytest.raises(ValueError, match="Unknown archive format: 'rar'"):
        _extract_archive(str(archive), str(tmp_path), "rar")


OUTSIDE = ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "C:\\evil", "\\evil"]
BAD_TARS = [(name, b"x") for name in OUTSIDE]
BAD_TARS += [("symbolic", "2"), ("hard", "1"), ("device", "3"), ("fifo", "6")]
BAD_ZIPS = [(name, b"x") for name in OUTSIDE if name != "/tmp/evil"]
BAD_ZIPS += [("/evil", b"x"), ("l", stat.S_IFLNK | 0o777), ("d", stat.S_IFCHR | 0o666)]


@pytest.mark.parametrize(
    ("make", "entry"), [(make_tar, e) for e in BAD_TARS] + [(make_zip, e) for e in BAD_ZIPS], ids=str
)
def test_members_that_leave_the_folder(tmp_path, make, entry):
    """Refused as a whole, before the harmless members are written."""
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    archive = make(tmp_path / "bad", [*GOOD, entry])
    with pytest.raises(
        ValueError, match=r"is not unpacked: its member .* (outside|a link|a device).*Do not use"
    ):
        _extract_archive(str(archive), str(folder))
    assert files_below(tmp_path) == ["bad"]


def test_broken_archives(tmp_path, home):
    whole = make_tar(tmp_path / "x.tgz", [("top/a", os.urandom(100000))]).read_bytes()
    (tmp_path / "x.tgz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"is a broken archive .*Remove it, so that it is fetched again"):
        get_file("top", (tmp_path / "x.tgz").as_uri(), untar=True)
    assert files_below(home) == ["datasets/top.tar.gz"]
    assert [p.name for p in (home / "datasets").iterdir()] == ["top.tar.gz"]


def test_permissions_of_an_archive_are_not_taken_over(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo("tool")
        info.mode, info.uid, info.size = 0o6777, 12345, 1
        archive.addfile(info, io.BytesIO(b"x"))
    assert _extract_archive(str(tmp_path / "x.tar"), str(tmp_path))
    status = os.stat(tmp_path / "tool")
    assert not status.st_mode & 0o6111 and status.st_uid == os.getuid()
