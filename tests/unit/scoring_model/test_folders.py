"""Model folders and the archives that they come in."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from pilothouse.scoring.archives import unpack
from pilothouse.scoring.folder_errors import ArchiveRefusedError, FolderRefusedError
from pilothouse.scoring.folders import FolderLimits, gather
from pilothouse.scoring.manifests import read_manifest
from tests.models.build import base_manifest, write_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = FolderLimits(files=5, total_bytes=100_000)


def declared(folder: Path) -> Path:
    """Write a folder that declares ``model.bin`` and everything under ``src``."""
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "src" / "deep" / "a.py").write_text("a = 1\n")
    (folder / "model.bin").write_bytes(b"model")
    (folder / "secret.txt").write_text("not declared")
    return write_folder(
        folder, base_manifest("tiny", "onnx", files={"model": "model.bin", "code": "src"}), [{}]
    )


def test_only_declared_files_are_gathered_with_their_digests(tmp_path: Path) -> None:
    folder = declared(tmp_path / "model")
    (folder / "src" / "__pycache__").mkdir()
    (folder / "src" / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"x")

    gathered = gather(folder, read_manifest(folder), target=tmp_path / "copy")

    assert [(f.path, f.size) for f in gathered.files] == [("model.bin", 5), ("src/deep/a.py", 6)]
    assert gathered.files[0].sha256 == hashlib.sha256(b"model").hexdigest()
    assert gathered.bytecode == 1
    assert (tmp_path / "copy" / "src" / "deep" / "a.py").read_text() == "a = 1\n"


def _link(folder: Path) -> None:
    (folder / "src" / "link").symlink_to("/etc/passwd")


def _link_to_folder(folder: Path) -> None:
    (folder / "src" / "link").symlink_to("/etc")


def _link_on_the_way(folder: Path) -> None:
    (folder / "src").rename(folder / "elsewhere")
    (folder / "src").symlink_to(folder / "elsewhere")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "src" / "pipe")


def _case(folder: Path) -> None:
    (folder / "src" / "deep" / "A.py").write_text("")


def _backslash(folder: Path) -> None:
    (folder / "src" / "a\\b").write_text("")


def _missing(folder: Path) -> None:
    (folder / "model.bin").unlink()


def _many(folder: Path) -> None:
    for number in range(6):
        (folder / "src" / f"f{number}").write_text("")


def _large(folder: Path) -> None:
    (folder / "src" / "large").write_bytes(b"0" * 200_000)


@pytest.mark.parametrize(
    "spoil",
    [_link, _link_to_folder, _link_on_the_way, _pipe, _case, _backslash, _missing, _many, _large],
)
def test_a_folder_that_cannot_be_a_snapshot_is_refused(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = declared(tmp_path / "model")
    spoil(folder)

    with pytest.raises(FolderRefusedError) as caught:
        gather(folder, read_manifest(folder), target=tmp_path / "copy", limits=SMALL)

    assert caught.value.code == "folder-refused"


def tar_of(path: Path, *members: tuple[str, bytes | str, str]) -> Path:
    """Write a .tar.gz; a member is a name, its content (or a link's target) and a kind."""
    kinds = {
        "file": tarfile.REGTYPE,
        "link": tarfile.SYMTYPE,
        "hard": tarfile.LNKTYPE,
        "device": tarfile.CHRTYPE,
        "folder": tarfile.DIRTYPE,
    }
    with tarfile.open(path, "w:gz") as tar:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kinds[kind]
            data = content if isinstance(content, bytes) else b""
            info.linkname = content if isinstance(content, str) else ""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def zip_of(path: Path, *members: tuple[str, bytes, int]) -> Path:
    """Write a .zip; a member is a name, its content and a Unix mode."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return path


def test_a_tar_and_a_zip_unpack_to_the_folder_with_the_manifest(tmp_path: Path) -> None:
    tar = tar_of(
        tmp_path / "m.tar.gz",
        ("./top", b"", "folder"),
        ("./top/pilothouse.yaml", b"a: 1", "file"),
        ("./top/src/a.py", b"a", "file"),
    )
    zipped = zip_of(
        tmp_path / "m.zip", ("pilothouse.yaml", b"a: 1", 0o100644), ("src/a.py", b"a", 0o100644)
    )

    folders = [unpack(tar, tmp_path / "one"), unpack(zipped, tmp_path / "two")]

    assert folders == [tmp_path / "one" / "top", tmp_path / "two"]
    assert all((f / "src" / "a.py").read_bytes() == b"a" for f in folders)


def _bomb(path: Path) -> Path:
    return tar_of(path, ("bomb", b"0" * 10_000_000, "file"))


def _pax_bomb(path: Path) -> Path:
    """Write a tar whose extended header claims and holds 40 MB, which a reader would take into memory."""
    info = tarfile.TarInfo("pax")
    info.type = tarfile.XHDTYPE
    info.size = 40_000_000
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(info.tobuf())
        out.write(b"0" * info.size)
    return path


def _truncated(path: Path) -> Path:
    tar_of(path, ("a", os.urandom(5000), "file"))
    path.write_bytes(path.read_bytes()[:2000])
    return path


def _not_an_archive(path: Path) -> Path:
    path.write_bytes(b"hello")
    return path


def _broken_zip(path: Path) -> Path:
    path.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda p: tar_of(p, ("ok", b"1", "file"), ("../evil", b"1", "file")),
        lambda p: tar_of(p, ("/etc/evil", b"1", "file")),
        lambda p: tar_of(p, ("ok", b"1", "file"), ("link", "/etc/passwd", "link")),
        lambda p: tar_of(p, ("ok", b"1", "file"), ("hard", "ok", "hard")),
        lambda p: tar_of(p, ("device", b"", "device")),
        lambda p: tar_of(p, ("a", b"1", "file"), ("a", b"2", "file")),
        lambda p: tar_of(p, ("a", b"1", "file"), ("A", b"2", "file")),
        lambda p: tar_of(p, *((f"f{n}", b"", "file") for n in range(7))),
        lambda p: zip_of(p, ("../evil", b"1", 0o100644)),
        lambda p: zip_of(p, ("/evil", b"1", 0o100644)),
        lambda p: zip_of(p, ("link", b"/etc/passwd", 0o120777)),
        lambda p: zip_of(p, ("bomb", b"0" * 10_000_000, 0o100644)),
        _bomb,
        _pax_bomb,
        _truncated,
        _not_an_archive,
        _broken_zip,
    ],
)
def test_a_hostile_or_broken_archive_is_refused_and_leaves_nothing(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    archive = make(tmp_path / "archive")

    with pytest.raises(ArchiveRefusedError) as caught:
        unpack(archive, tmp_path / "out", limits=SMALL)

    assert caught.value.code == "archive-refused"
    assert [p.name for p in tmp_path.iterdir()] == ["archive"]
