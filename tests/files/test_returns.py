"""Returned files: whole or not at all, found by name, kept for one hour."""

from __future__ import annotations

import array
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbfunc.core.stores import Store
from nbfunc.errors import Cancelled, DiskFull, Expired, NotFound, StorageError
from nbfunc.files.returns import ReturnsDir, Stored
from nbfunc.names import clean_filename
from tests.files.conftest import ROOT, Clock, child, mounted

HOUR = 3600.0
MIB = 1 << 20


def content(returns: ReturnsDir, stored: Stored) -> bytes:
    with returns.find(stored.id, stored.filename).open() as file:
        return file.readall()


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


@pytest.fixture
def returns(tmp_path: Path, clock: Clock, parts: str) -> ReturnsDir:
    return ReturnsDir(tmp_path / "returned", clock=clock)


# What is kept


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_come_back_as_they_were(returns: ReturnsDir, wrap: Callable[[bytes], Any]) -> None:
    data = os.urandom(20 * MIB)
    stored = returns.put(wrap(data), "noise.bin")
    assert (stored.filename, stored.size) == ("noise.bin", 20 * MIB)
    assert content(returns, stored) == data


def test_an_empty_file_is_a_file(returns: ReturnsDir, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for source in (b"", [], [b"", b""], tmp_path / "empty"):
        assert content(returns, returns.put(source, "empty")) == b""


def test_a_view_of_other_items_than_bytes_is_kept_as_its_bytes(returns: ReturnsDir) -> None:
    view = memoryview(bytes(range(16))).cast("I")
    assert content(returns, returns.put(view, "numbers")) == bytes(range(16))
    assert content(returns, returns.put(memoryview(b"abcdef")[::2], "strided")) == b"ace"


@pytest.mark.parametrize(
    "piece",
    [
        array.array("i", [1, 2, 3]),
        np.arange(6).reshape(2, 3),
        np.arange(6)[::2],
        np.arange(3).astype(">u2"),
        np.zeros((0, 3)),
    ],
)
def test_a_chunk_may_be_whatever_holds_bytes(returns: ReturnsDir, piece: Any) -> None:
    assert content(returns, returns.put([piece], "array")) == memoryview(piece).tobytes()


def test_chunks_are_written_in_order_whatever_their_size(returns: ReturnsDir) -> None:
    sizes = (1, 10, 0, 300_000, 5, 3 * MIB, 2)
    chunks = [bytes([n]) * size for n, size in enumerate(sizes)]
    stored = returns.put(iter(chunks), "chunks.bin")
    assert content(returns, stored) == b"".join(chunks)
    assert stored.size == sum(sizes)


def test_a_buffer_that_is_filled_again_for_each_chunk_gives_each_chunk(returns: ReturnsDir) -> None:
    def chunks(size: int) -> Iterator[Any]:
        buffer = bytearray(size)
        for letter in b"abc":
            buffer[:] = bytes([letter]) * size
            yield buffer

    for size in (4, MIB):
        stored = returns.put(chunks(size), "again")
        assert content(returns, stored) == b"a" * size + b"b" * size + b"c" * size


@pytest.mark.usefixtures("no_leak")
@pytest.mark.parametrize(
    ("piece", "said"),
    [("text", "gave str.*encode text first"), (7, "gave int"), (None, "gave NoneType")],
)
def test_a_chunk_that_is_not_bytes_is_named_and_nothing_stays(
    returns: ReturnsDir, piece: Any, said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        returns.put([b"good" * MIB, piece], "mixed.bin")
    assert names(returns.path) == []


def test_what_is_neither_bytes_nor_a_path_nor_chunks_is_refused(returns: ReturnsDir) -> None:
    for source in (7, "text", None):
        with pytest.raises(TypeError):
            returns.put(source, "never.bin")  # type: ignore[arg-type]  # on purpose
    assert names(returns.path) == []


@pytest.mark.usefixtures("no_leak")
@pytest.mark.parametrize(
    "error", [RuntimeError("half way"), OSError(28, "no room elsewhere"), KeyboardInterrupt(), Cancelled()]
)
def test_what_the_maker_of_chunks_raises_comes_through_and_nothing_stays(
    returns: ReturnsDir, error: BaseException
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * MIB
        raise error

    with pytest.raises(type(error)) as caught:
        returns.put(chunks(), "half.bin")
    assert caught.value is error
    assert names(returns.path) == []


def test_it_is_a_store_of_outputs_and_threads_share_it(returns: ReturnsDir) -> None:
    store: Store = returns

    def keep(n: int) -> bool:
        stored = store.put([b"%d" % n] * 100, "same name.txt")
        with returns.find(stored.id, stored.filename).open() as file:
            return file.readall() == b"%d" % n * 100

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(keep, range(200)))


def test_a_file_is_not_there_until_it_is_whole(returns: ReturnsDir) -> None:
    seen: list[list[str]] = []

    def chunks() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * MIB
            seen.append(names(returns.path))

    stored = returns.put(chunks(), "whole.bin")
    assert not any("whole.bin" in name for listed in seen for name in listed)
    assert content(returns, stored) == b"x" * 3 * MIB


# Files that exist


def test_a_path_is_copied_and_may_be_overwritten_between_two_returns(
    returns: ReturnsDir, tmp_path: Path
) -> None:
    original = tmp_path / "out.csv"
    original.write_text("first")
    first = returns.put(original, "out.csv")
    original.write_text("second, and longer")
    second = returns.put(original, "out.csv")
    original.write_text("third")
    assert content(returns, first) == b"first"
    assert content(returns, second) == b"second, and longer"


def test_a_large_path_is_copied_whole(returns: ReturnsDir, tmp_path: Path) -> None:
    original = tmp_path / "large.bin"
    data = os.urandom(MIB) * 70
    original.write_bytes(data)
    assert content(returns, returns.put(original, "large.bin")) == data


def test_a_link_is_followed(returns: ReturnsDir, tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("real")
    (tmp_path / "link.txt").symlink_to("real.txt")
    stored = returns.put(tmp_path / "link.txt", "link.txt", move=True)
    assert content(returns, stored) == b"real"
    assert not (tmp_path / "real.txt").exists()


def test_a_file_that_says_its_size_is_zero_is_read_to_its_end(returns: ReturnsDir) -> None:
    version = Path("/proc/version")
    if not version.exists():
        pytest.skip("needs /proc")
    assert content(returns, returns.put(version, "version")) == version.read_bytes()


def test_a_path_that_is_missing_is_the_authors_error_not_the_directorys(
    returns: ReturnsDir, tmp_path: Path
) -> None:
    for move in (False, True):
        with pytest.raises(FileNotFoundError, match=r"gone\.csv"):
            returns.put(tmp_path / "gone.csv", "gone.csv", move=move)
    assert names(returns.path) == []


@pytest.mark.usefixtures("no_leak")
@pytest.mark.timeout(20)
def test_a_path_that_is_no_regular_file_is_refused(returns: ReturnsDir, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        for move in (False, True):
            with pytest.raises(ValueError, match="not a regular file"):
                returns.put(path, "never", move=move)
    assert Path("/dev/null").exists()


def test_a_moved_file_is_the_same_file_and_gone_from_where_it_was(
    returns: ReturnsDir, tmp_path: Path
) -> None:
    original = tmp_path / "big.bin"
    original.write_bytes(b"x" * MIB)
    original.chmod(0o644)
    inode = original.stat().st_ino
    stored = returns.put(original, "big.bin", move=True)
    found = returns.find(stored.id, stored.filename)
    assert not original.exists()
    assert found.path.stat().st_ino == inode
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    assert content(returns, stored) == b"x" * MIB


def test_a_moved_file_from_another_disk_is_copied_and_deleted(returns: ReturnsDir, tmp_path: Path) -> None:
    with mounted(tmp_path / "other", "size=4m") as other:
        (other / "far.bin").write_bytes(b"far" * 1000)
        stored = returns.put(other / "far.bin", "far.bin", move=True)
        assert not (other / "far.bin").exists()
    assert content(returns, stored) == b"far" * 1000


def test_a_moved_file_with_a_second_name_is_not_changed_through_it(
    returns: ReturnsDir, tmp_path: Path
) -> None:
    original, second = tmp_path / "one", tmp_path / "two"
    original.write_text("as returned")
    os.link(original, second)
    stored = returns.put(original, "one", move=True)
    second.write_text("changed")
    assert content(returns, stored) == b"as returned"
    assert not original.exists()


def test_a_move_that_fails_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    returns = ReturnsDir(small_disk / "returned")
    original = tmp_path / "precious.bin"
    original.write_bytes(b"x" * 2 * MIB)
    original.chmod(0o640)
    with pytest.raises(DiskFull):
        returns.put(original, "precious.bin", move=True)
    assert original.read_bytes() == b"x" * 2 * MIB
    assert stat.S_IMODE(original.stat().st_mode) == 0o640
    assert names(returns.path) == []


def test_a_moved_file_that_cannot_be_deleted_is_not_returned(
    as_nobody: Callable[[str, Path], str], open_to_all: Path
) -> None:
    done = as_nobody(
        """
        import os, sys
        from pathlib import Path
        from nbfunc.files.returns import ReturnsDir
        here = Path(sys.argv[1])
        (here / "kept").mkdir()
        (here / "kept/file").write_text("kept")
        (here / "kept").chmod(0o500)
        returns = ReturnsDir(here / "returned")
        try:
            returns.put(here / "kept/file", "file", move=True)
        except PermissionError as error:
            print("kept/file" in str(error), (here / "kept/file").read_text(), os.listdir(returns.path))
        (here / "kept").chmod(0o700)
        """,
        open_to_all,
    )
    assert done == "True kept []\n"


# Names


NAMES = [
    "hello.txt",
    "a____b__c____.csv",
    "__init__.py",
    "é" * 150 + ".pdf",
    "日" * 300,
    "x" * 1000 + ".tar.gz",
    "x." + "y" * 1000,
    "😀👩‍👩‍👧.png",
    "trailing dots...",
    ".hidden",
    "percent%20and+plus&more=#?.txt",
    "quo\"te' and ; semicolon",
    "new\nline",
    "../../etc/passwd",
    "c:\\windows\\win.ini",
    "a" * 210,
    "a" * 211,
    "-rf",
    "~1.part",
    "cafe\u0301 and caf\u00e9",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_file_of_any_name_comes_back(returns: ReturnsDir, name: str) -> None:
    stored = returns.put(name.encode(), name)
    assert stored.filename == clean_filename(name)
    assert content(returns, stored) == name.encode()


@settings(deadline=None)
@given(name=st.text(st.characters(codec=None), max_size=400), data=st.binary())
def test_whatever_the_name_what_was_put_is_found(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes
) -> None:
    returns = ReturnsDir(tmp_path_factory.getbasetemp() / "any-name")
    try:
        stored = returns.put(data, name)
    except ValueError:
        return  # nothing is left of it: test_names
    assert content(returns, stored) == data


def test_names_survive_a_locale_that_knows_only_ascii(tmp_path: Path) -> None:
    code = """
        import sys
        from nbfunc.files.returns import ReturnsDir
        returns = ReturnsDir(sys.argv[1])
        stored = returns.put(b"data", "na\\u00efve \\U0001f600.txt")
        assert sys.getfilesystemencoding() == "ascii", sys.getfilesystemencoding()
        with returns.find(stored.id, stored.filename).open() as file:
            assert file.read() == b"data"
        """
    child(code, tmp_path, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    (name,) = os.listdir(os.fsencode(tmp_path))
    assert name.decode().endswith("naïve 😀.txt")


def test_an_extension_is_kept_on_disk(returns: ReturnsDir) -> None:
    stored = returns.put(b"", "é" * 300 + ".xlsx")
    (name,) = names(returns.path)
    assert name.startswith(stored.id)
    assert name.endswith(".xlsx")
    assert len(name.encode()) <= 255


def test_a_name_of_which_nothing_is_left_is_refused(returns: ReturnsDir) -> None:
    with pytest.raises(ValueError, match="letter or a digit"):
        returns.put(b"data", "..")


# Looking up


def test_another_name_than_its_own_does_not_find_a_file(returns: ReturnsDir) -> None:
    stored = returns.put(b"data", "a.txt")
    for name in ("b.txt", "a.txt ", "a", "", "a.txt/..", "../a.txt", "a\x00.txt", "\udcff", "x" * 5000):
        with pytest.raises(Expired, match="File expired"):
            returns.find(stored.id, name)


@pytest.mark.parametrize(
    "id", ["", "..", "1", "../../etc", "0" * 11 + "-" + "0" * 31, "0" * 11 + "-" + "G" * 32, "a" * 44 + "\n"]
)
def test_an_id_of_another_form_is_not_found(returns: ReturnsDir, id: str) -> None:  # noqa: A002 - as in find
    with pytest.raises(NotFound):
        returns.find(id, "passwd")


def test_a_file_deleted_by_hand_has_expired(returns: ReturnsDir) -> None:
    stored = returns.put(b"data", "a.txt")
    found = returns.find(stored.id, stored.filename)
    found.path.unlink()
    with pytest.raises(Expired):
        returns.find(stored.id, stored.filename)
    with pytest.raises(Expired):
        found.open()


def test_only_a_regular_file_is_found(returns: ReturnsDir, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    stored = returns.put(b"data", "a.txt")
    path = returns.find(stored.id, stored.filename).path
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(Expired):
        returns.find(stored.id, stored.filename)


def test_a_look_up_needs_no_listing(as_nobody: Callable[[str, Path], str], open_to_all: Path) -> None:
    done = as_nobody(
        """
        import os, sys
        from pathlib import Path
        from nbfunc.files.returns import ReturnsDir
        returns = ReturnsDir(Path(sys.argv[1]) / "returned")
        stored = returns.put(b"found", "a.txt")
        returns.path.chmod(0o300)
        try:
            os.listdir(returns.path)
        except PermissionError:
            with returns.find(stored.id, "a.txt").open() as file:
                print(file.read())
        returns.path.chmod(0o700)
        """,
        open_to_all,
    )
    assert done == "b'found'\n"


def test_another_server_on_the_directory_finds_the_file(returns: ReturnsDir, clock: Clock) -> None:
    stored = returns.put(b"data", "a.txt")
    assert content(ReturnsDir(returns.path, clock=clock), stored) == b"data"


# Its hour


def test_a_file_expires_after_one_hour_swept_or_not(returns: ReturnsDir, clock: Clock) -> None:
    stored = returns.put(b"data", "a.txt")
    assert stored.created == pytest.approx(clock.now, abs=0.001)
    clock.now = stored.created + HOUR - 0.01
    assert returns.find(stored.id, stored.filename).created == stored.created
    clock.now = stored.created + HOUR
    with pytest.raises(Expired, match="kept for one hour"):
        returns.find(stored.id, stored.filename)


def test_the_hour_begins_when_the_file_is_whole(returns: ReturnsDir, clock: Clock) -> None:
    begun = clock.now

    def chunks() -> Iterator[bytes]:
        yield b"slow"
        clock.now += 2 * HOUR

    stored = returns.put(chunks(), "slow.txt")
    assert stored.created == pytest.approx(begun + 2 * HOUR, abs=0.001)
    assert content(returns, stored) == b"slow"


def test_reading_does_not_prolong_it(returns: ReturnsDir, clock: Clock) -> None:
    stored = returns.put(b"data", "a.txt")
    clock.now += HOUR / 2
    content(returns, stored)
    clock.now += HOUR / 2 + 0.01
    with pytest.raises(Expired):
        returns.find(stored.id, stored.filename)


def test_a_download_that_began_in_time_ends_in_full(returns: ReturnsDir, clock: Clock) -> None:
    stored = returns.put(b"data" * 1000, "a.txt")
    with returns.find(stored.id, stored.filename).open() as file:
        clock.now += 2 * HOUR
        assert returns.sweep() == 1
        assert file.readall() == b"data" * 1000


# The sweep


def test_twenty_thousand_expired_files_are_swept_and_the_rest_stays(
    returns: ReturnsDir, clock: Clock
) -> None:
    milliseconds = int((clock.now - 2 * HOUR) * 1000)
    for n in range(20_000):
        (returns.path / f"{milliseconds:011x}-{n:032x}-old.txt").touch()
    fresh = returns.put(b"fresh", "fresh.txt")
    assert returns.sweep() == 20_000
    assert [name.endswith("fresh.txt") for name in names(returns.path)] == [True]
    assert content(returns, fresh) == b"fresh"


def test_only_files_of_ours_are_swept(returns: ReturnsDir, clock: Clock) -> None:
    clock.now += 10 * HOUR
    old = "00000000000-" + "0" * 32
    others = [
        "notes.txt",
        ".nfs000000000123",
        old,
        "0000000000-" + "0" * 32 + "-short.txt",
        "backup of " + old + "-file.txt",
        "zzzzzzzzzzz-" + "0" * 32 + "-file.txt",
        "my.part",
    ]
    for name in others:
        (returns.path / name).touch()
        os.utime(returns.path / name, (0, 0))
    (returns.path / f"{old}-directory").mkdir()
    (returns.path / "sub").mkdir()
    (returns.path / "sub" / f"{old}-file.txt").touch()
    (returns.path / f"{old}-ours.txt").touch()
    (returns.path / f"{old}-ours\nof two lines").touch()
    assert returns.sweep() == 2
    assert names(returns.path) == sorted([*others, f"{old}-directory", "sub"])
    assert names(returns.path / "sub") == [f"{old}-file.txt"]


def test_a_part_is_swept_when_nobody_has_written_it_for_an_hour(returns: ReturnsDir, clock: Clock) -> None:
    written, stale = (f"00000000000-{n:032x}.part" for n in (1, 2))
    (returns.path / written).touch()
    (returns.path / stale).touch()
    os.utime(returns.path / stale, (clock.now - HOUR, clock.now - HOUR))
    assert returns.sweep() == 1
    assert names(returns.path) == [written]


def test_a_sweep_of_a_missing_directory_finds_nothing(returns: ReturnsDir) -> None:
    returns.path.rmdir()
    assert returns.sweep() == 0


def test_sweeps_at_once_share_the_work(returns: ReturnsDir, clock: Clock) -> None:
    for n in range(3_000):
        (returns.path / f"00000000000-{n:032x}-old").touch()
    begin = threading.Barrier(4)

    def sweep(_: int) -> int:
        begin.wait()
        return ReturnsDir(returns.path, clock=clock).sweep()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(sweep, range(4))) == 3_000
    assert names(returns.path) == []


# Directories that are not as they should be


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    ReturnsDir(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_the_directory_and_its_files_are_for_their_owner_alone(returns: ReturnsDir, tmp_path: Path) -> None:
    returns.put(b"data", "data")
    returns.put(iter([b"data"]), "chunks")
    (tmp_path / "path").touch(0o666)
    returns.put(tmp_path / "path", "path")
    returns.put_table([("a", "number")], [[1]], "table")
    assert stat.S_IMODE(returns.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in returns.path.iterdir()} == {0o600}
    assert len(names(returns.path)) == 4


def test_a_directory_that_vanishes_is_made_again(returns: ReturnsDir, tmp_path: Path) -> None:
    (tmp_path / "path").write_bytes(b"path")
    for source, move in ((b"data", False), (tmp_path / "path", False), (tmp_path / "path", True)):
        for path in returns.path.iterdir():
            path.unlink()
        returns.path.rmdir()
        assert returns.find(returns.put(source, "a", move=move).id, "a").size == 4


@pytest.mark.usefixtures("no_leak")
def test_a_directory_that_vanishes_while_a_file_is_written_is_made_again(
    returns: ReturnsDir, parts: str
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a" * MIB
        for path in returns.path.iterdir():
            path.unlink()
        returns.path.rmdir()
        yield b"b" * MIB

    if parts == "nameless":
        assert content(returns, returns.put(chunks(), "a.bin")) == b"a" * MIB + b"b" * MIB
    else:  # the part went with the directory
        with pytest.raises(StorageError, match=f"{returns.path} did not take a file"):
            returns.put(chunks(), "a.bin")


def test_a_relative_directory_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    returns = ReturnsDir("returned")
    monkeypatch.chdir(tmp_path / "elsewhere")
    returns.put(b"data", "a.txt")
    assert len(names(tmp_path / "returned")) == 1


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match=rf"{path}.*It is a file.*returns_dir="):
            ReturnsDir(path)


def test_a_directory_that_became_a_file_is_told_and_nothing_breaks(returns: ReturnsDir) -> None:
    stored = returns.put(b"data", "a.txt")
    (returns.path / names(returns.path)[0]).unlink()
    returns.path.rmdir()
    returns.path.touch()
    with pytest.raises(StorageError, match="It is a file"):
        returns.put(b"data", "a.txt")
    with pytest.raises(Expired):
        returns.find(stored.id, "a.txt")
    with pytest.raises(StorageError):
        returns.sweep()


def test_a_directory_of_another_user_is_refused(
    as_nobody: Callable[[str, Path], str], open_to_all: Path
) -> None:
    done = as_nobody(
        """
        import sys
        from pathlib import Path
        from nbfunc.errors import StorageError
        from nbfunc.files.returns import ReturnsDir
        path = Path(sys.argv[1]) / "returned"
        path.mkdir(0o500)
        try:
            ReturnsDir(path)
        except StorageError as error:
            print(error)
        """,
        open_to_all,
    )
    assert f"{open_to_all / 'returned'} did not take a file" in done
    assert "may not write there" in done


def test_a_read_only_disk_is_told(locked_disk: Callable[[], Path], tmp_path: Path) -> None:
    returns = ReturnsDir(tmp_path / "locked" / "returned")
    stored = returns.put(b"data", "before.txt")
    disk = locked_disk()
    for source in (b"data", iter([b"data"])):
        with pytest.raises(StorageError, match=r"Read-only.*Make it writable.*returns_dir="):
            returns.put(source, "after.txt")
    with pytest.raises(StorageError, match="Read-only"):
        ReturnsDir(disk / "returned")
    assert content(returns, stored) == b"data"


@pytest.mark.usefixtures("no_leak", "parts")
@pytest.mark.parametrize("kind", ["data", "chunks", "path", "table"])
def test_a_full_disk_is_told_and_no_part_of_the_file_stays(
    small_disk: Path, tmp_path: Path, kind: str
) -> None:
    returns = ReturnsDir(small_disk / "returned")
    data = b"x" * 2 * MIB
    source = tmp_path / "source"
    source.write_bytes(data)
    puts: dict[str, Callable[[], Stored]] = {
        "data": lambda: returns.put(data, "data"),
        "chunks": lambda: returns.put(iter([data[:MIB], data[MIB:]]), "chunks"),
        "path": lambda: returns.put(source, "path"),
        "table": lambda: returns.put_table([("a", "text")], (["x" * 1000] for _ in range(3000)), "t.sqlite"),
    }
    with pytest.raises(DiskFull, match=rf"{returns.path} has no room.*Free some space.*returns_dir="):
        puts[kind]()
    assert names(returns.path) == []
    assert content(returns, returns.put(b"small", "small.txt")) == b"small"


@pytest.mark.usefixtures("parts")
def test_a_server_starts_on_a_full_disk(small_disk: Path) -> None:
    returns = ReturnsDir(small_disk / "returned")
    with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 65536)
    ReturnsDir(returns.path)
    with pytest.raises(DiskFull):
        returns.put(b"x" * 65536, "more")


# Processes that die, and what they take up


KILLED = {
    "nameless": "returns.put(chunks(), 'half.bin')",
    "table": "returns.put_table([('a', 'text')], ([c] for c in chunks(text=True)), 'half.sqlite')",
}


@pytest.mark.parametrize("kind", KILLED)
def test_a_process_killed_while_it_writes_leaves_no_file_to_offer(
    returns: ReturnsDir, clock: Clock, kind: str, parts: str
) -> None:
    code = f"""
        import sys
        from nbfunc.files import drafts
        from nbfunc.files.returns import ReturnsDir
        if {parts == "named"}:
            drafts._UNNAMED = 0
        returns = ReturnsDir(sys.argv[1])
        def chunks(text=False):
            for n in range(10**9):
                if n == 5000:
                    print("writing", flush=True)
                yield "x" * 1000 if text else b"x" * 1000
                if n > 5000:
                    sys.stdin.read()
        {KILLED[kind]}
        """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), returns.path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    left = names(returns.path)
    assert not any("half" in name for name in left)
    assert all(name.endswith(".part") for name in left)
    assert returns.sweep() == 0
    clock.now += 2 * HOUR
    assert returns.sweep() == len(left)
    assert names(returns.path) == []


@pytest.mark.parametrize("kind", ["chunks", "path", "move", "data"])
def test_memory_stays_the_same_however_large_the_file(tmp_path: Path, kind: str) -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs /proc, to measure the most memory of a while")
    code = """
        import sys
        from pathlib import Path
        from nbfunc.files.returns import ReturnsDir
        here, kind = Path(sys.argv[1]), sys.argv[2]
        returns = ReturnsDir(here / "returned")
        size = 256 << 20
        with open(here / "source", "wb") as source:
            source.truncate(size)
        data = bytes(size) if kind == "data" else b""
        sources = {
            "chunks": (b"x" * (1 << 20) for _ in range(256)),
            "path": here / "source",
            "move": here / "source",
            "data": data,
        }
        def most():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
        Path("/proc/self/clear_refs").write_text("5")
        before = most()
        stored = returns.put(sources[kind], "large.bin", move=kind == "move")
        assert stored.size == size
        print(most() - before)
        """
    assert int(child(code, tmp_path, kind)) < 16 * MIB


def test_without_proc_a_file_has_a_part_name_meanwhile(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to hide /proc")
    code = """
        import os, sys
        from nbfunc.files.returns import ReturnsDir
        returns = ReturnsDir(sys.argv[1])
        seen = []
        def chunks():
            yield b"x" * (1 << 20)
            seen.extend(os.listdir(returns.path))
            yield b"y"
        stored = returns.put(chunks(), "a.bin")
        assert len(seen) == 1 and seen[0].endswith(".part"), seen
        assert returns.find(stored.id, "a.bin").size == (1 << 20) + 1
        try:
            returns.put(iter([b"x", 1]), "b.bin")
        except TypeError:
            print(len(os.listdir(returns.path)))
        """
    hidden = 'mount -t tmpfs nbfunc-test /proc && exec "$@"'
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            hidden,
            "sh",
            sys.executable,
            "-c",
            textwrap.dedent(code),
            tmp_path,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"cannot hide /proc here: {done.stderr.strip()}")
    assert (done.stdout, done.stderr) == ("1\n", "")
