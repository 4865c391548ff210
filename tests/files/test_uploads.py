"""Uploads: written as they come, taken by one run, and gone an hour after their last byte."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbfunc.errors import ChecksumMismatch, Conflict, DiskFull, Expired, NotFound, StorageError, TooLarge
from nbfunc.files.checksums import Checksum
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import Uploads
from tests.files.conftest import ROOT, Clock

HOUR = 3600.0
MIB = 1 << 20


@pytest.fixture
def uploads(tmp_path: Path, clock: Clock) -> UploadsDir:
    return UploadsDir(tmp_path / "uploads", clock=clock)


def send(uploads: UploadsDir, data: bytes = b"content", name: str = "a.txt") -> str:
    """Upload a whole file, and return its token."""
    token = uploads.create(name, len(data))
    with uploads.writer(token, 0) as writer:
        writer.write(data)
    return token


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


def is_gone(uploads: UploadsDir, token: str) -> bool:
    return not [name for name in names(uploads.path) if name.startswith(token)]


# Bytes come in


def test_a_run_gets_a_file_with_the_clients_name(uploads: UploadsDir) -> None:
    source: Uploads = uploads
    path = source.find(send(uploads, b"a,b\n", "my data.csv"))
    assert path.name == "my data.csv"
    assert path.read_bytes() == b"a,b\n"
    assert path.is_absolute()


def test_a_file_comes_in_pieces_over_several_requests(uploads: UploadsDir) -> None:
    token = uploads.create("a.bin", 10)
    for offset, piece in ((0, b"0123"), (4, b""), (4, b"4567"), (8, b"89")):
        with uploads.writer(token, offset) as writer:
            writer.write(piece)
            assert writer.offset == offset + len(piece)
        assert uploads.status(token)[:2] == (offset + len(piece), 10)
    assert uploads.find(token).read_bytes() == b"0123456789"


def test_a_connection_that_dropped_goes_on_from_where_it_was(uploads: UploadsDir) -> None:
    token = uploads.create("a.bin", 6)
    with suppress(ConnectionError), uploads.writer(token, 0) as writer:
        writer.write(b"abc")
        raise ConnectionError
    assert uploads.status(token)[:2] == (3, 6)
    with pytest.raises(NotFound, match="3 of 6 bytes came"):
        uploads.find(token)
    with uploads.writer(token, 3) as writer:
        writer.write(b"def")
    assert uploads.find(token).read_bytes() == b"abcdef"


def test_an_upload_goes_on_under_another_server(uploads: UploadsDir, clock: Clock) -> None:
    token = uploads.create("a.bin", 2)
    with uploads.writer(token, 0) as writer:
        writer.write(b"a")
    restarted = UploadsDir(uploads.path, clock=clock)
    with restarted.writer(token, 1) as writer:
        writer.write(b"b")
    assert restarted.find(token).read_bytes() == b"ab"


def test_an_empty_file_is_whole_at_once(uploads: UploadsDir) -> None:
    token = uploads.create("empty.txt", 0)
    assert uploads.status(token)[:2] == (0, 0)
    assert uploads.find(token).read_bytes() == b""
    with uploads.writer(token, 0) as writer:
        writer.write(b"")
    assert uploads.find(token).read_bytes() == b""


def test_one_of_unknown_length_is_whole_when_it_is_said_to_be(uploads: UploadsDir) -> None:
    token = uploads.create("form.txt", None)
    with uploads.writer(token, 0) as writer:
        writer.write(b"abc")
    assert uploads.status(token)[:2] == (3, None)
    with pytest.raises(NotFound, match="not whole"):
        uploads.find(token)
    uploads.finish(token)
    uploads.finish(token)
    assert uploads.status(token)[:2] == (3, 3)
    assert uploads.find(token).read_bytes() == b"abc"


def test_one_that_lacks_bytes_cannot_be_said_to_be_whole(uploads: UploadsDir) -> None:
    token = uploads.create("a.bin", 5)
    with pytest.raises(Conflict, match="0 of 5 bytes"):
        uploads.finish(token)
    open_ended = uploads.create("b.bin", None)
    with uploads.writer(open_ended, 0), pytest.raises(Conflict, match="being written"):
        uploads.finish(open_ended)


@pytest.mark.parametrize("offset", [0, 2, 4, 100])
def test_a_wrong_offset_is_refused_with_the_right_one(uploads: UploadsDir, offset: int) -> None:
    token = uploads.create("a.bin", 10)
    with uploads.writer(token, 0) as writer:
        writer.write(b"abc")
    with pytest.raises(Conflict, match=f"has 3 bytes: go on from there, not from {offset}"):
        uploads.writer(token, offset)


def test_the_newest_request_goes_on_with_an_upload(uploads: UploadsDir) -> None:
    token = uploads.create("a.bin", 4)
    with uploads.writer(token, 0) as stuck:
        stuck.write(b"ab")
        with uploads.writer(token, 2) as newest:
            with pytest.raises(Conflict, match="Another request"):
                stuck.write(b"XX")
            newest.write(b"cd")
    assert uploads.find(token).read_bytes() == b"abcd"


def test_requests_at_once_never_mix_their_bytes(uploads: UploadsDir) -> None:
    begin = threading.Barrier(8)

    def upload(token: str, letter: int) -> None:
        begin.wait()
        with suppress(Conflict), uploads.writer(token, 0) as writer:
            for _ in range(4):
                writer.write(bytes([letter]) * 1000)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(300):  # three that meet at one moment are needed for harm
            token = uploads.create("a.bin", 4000)
            list(pool.map(upload, [token] * 8, b"abcdefgh"))
            size, _, _ = uploads.status(token)
            (path,) = uploads.path.glob(f"{token}*/a.bin")
            content = path.read_bytes()
            assert len(content) == size <= 4000
            pieces = [content[n : n + 1000] for n in range(0, size, 1000)]
            assert all(len(piece) == 1000 and len(set(piece)) == 1 for piece in pieces)
            uploads.remove(token)


def test_closing_twice_is_closing_once(uploads: UploadsDir, no_leak: None) -> None:
    token = uploads.create("a", 1)
    writer = uploads.writer(token, 0)
    writer.write(b"a")
    writer.close()
    writer.close()
    assert uploads.find(token).read_bytes() == b"a"


# Limits


def test_more_than_was_announced_is_refused_whole(uploads: UploadsDir) -> None:
    token = uploads.create("a.bin", 4)
    with uploads.writer(token, 0) as writer:
        writer.write(b"abc")
        with pytest.raises(TooLarge, match="4 bytes that were announced"):
            writer.write(b"de")
    assert uploads.status(token)[:2] == (3, 4)


def test_one_over_the_limit_is_refused_when_announced_or_when_it_comes(tmp_path: Path) -> None:
    uploads = UploadsDir(tmp_path / "uploads", max_size=10)
    with pytest.raises(TooLarge, match="larger than 10 bytes"):
        uploads.create("a.bin", 11)
    assert names(uploads.path) == []
    token = uploads.create("a.bin", None)
    with uploads.writer(token, 0) as writer:
        writer.write(b"x" * 10)
        with pytest.raises(TooLarge, match="larger than 10 bytes"):
            writer.write(b"x")
    uploads.finish(token)
    assert uploads.find(token).read_bytes() == b"x" * 10


# Names and tokens


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../x", ".._.._x"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\fakepath\\a.txt", "C:_fakepath_a.txt"),
        ("", "upload"),
        ("..", "upload"),
        ("\0", "upload"),
        (" photo.PNG ", "photo.PNG"),
        ("日本 🎉.txt", "日本 🎉.txt"),
        ("two\nlines.txt", "two_lines.txt"),
        ("a____b.txt", "a____b.txt"),
    ],
)
def test_a_name_is_one_path_part(uploads: UploadsDir, sent: str, kept: str) -> None:
    path = uploads.find(send(uploads, name=sent))
    assert path.name == kept
    assert path.parent.parent == uploads.path


@example("é" * 300 + ".xlsx")
@example("x" * 1000 + ".tar.gz")
@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=400))
def test_no_name_leaves_the_directory(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    uploads = UploadsDir(tmp_path_factory.getbasetemp() / "any-upload")
    path = uploads.find(send(uploads, b"x", name))
    assert path.parent.parent == uploads.path
    assert len(os.fsencode(path.name)) <= 255
    assert path.read_bytes() == b"x"
    if name.endswith((".xlsx", ".tar.gz")):
        assert path.name.endswith((".xlsx", ".tar.gz"))


UNKNOWN = "0" * 11 + "-" + "0" * 32


@pytest.mark.parametrize(
    "token",
    ["", "..", "../uploads", "/etc/passwd", UNKNOWN, UNKNOWN + "-g", UNKNOWN + "-1\n", UNKNOWN + "-1.part"],
)
def test_a_token_that_is_none_of_ours_is_not_found(uploads: UploadsDir, token: str) -> None:
    asks: tuple[Callable[[], object], ...] = (
        lambda: uploads.status(token),
        lambda: uploads.writer(token, 0),
        lambda: uploads.finish(token),
        lambda: uploads.remove(token),
        lambda: uploads.find(token),
        lambda: uploads.take([token], "run"),
    )
    for ask in asks:
        with pytest.raises(NotFound):
            ask()


def test_a_token_of_an_upload_that_is_gone_says_so(uploads: UploadsDir) -> None:
    token = UNKNOWN + "-1"
    for ask in (uploads.status, uploads.finish, uploads.remove, lambda t: uploads.writer(t, 0)):
        with pytest.raises(Expired, match="Send it again"):
            ask(token)
    with pytest.raises(NotFound, match="Send it again"):
        uploads.find(token)


def test_tokens_cannot_be_guessed(uploads: UploadsDir) -> None:
    tokens = [uploads.create("a", 1) for _ in range(100)]
    assert len({token.split("-")[1] for token in tokens}) == 100
    assert all(re.fullmatch(r"[0-9a-f]{11}-[0-9a-f]{32}-1", token) for token in tokens)


# Runs take them


def test_an_upload_goes_when_its_run_ends(uploads: UploadsDir) -> None:
    token, other = send(uploads), send(uploads)
    path = uploads.find(token)
    uploads.take([token], "run")
    assert path.read_bytes() == b"content"
    uploads.release("another run")
    assert path.exists()
    uploads.release("run")
    assert is_gone(uploads, token)
    assert uploads.find(other).exists()
    with pytest.raises(NotFound, match="Send it again"):
        uploads.find(token)


def test_a_run_that_ends_on_an_event_loop_does_not_hold_it(uploads: UploadsDir) -> None:
    token = send(uploads)
    uploads.take([token], "run")

    async def end() -> None:
        uploads.release("run")

    asyncio.run(end())
    for thread in threading.enumerate():
        if thread.name == "nbfunc-delete":
            thread.join()
    assert names(uploads.path) == []


def test_a_run_ends_though_its_upload_cannot_be_deleted(
    locked_disk: Callable[[], Path], tmp_path: Path
) -> None:
    uploads = UploadsDir(tmp_path / "locked" / "uploads")
    uploads.take([send(uploads)], "run")
    locked_disk()
    uploads.release("run")
    assert len(names(uploads.path)) == 2


def test_what_a_function_put_beside_its_upload_goes_with_it(uploads: UploadsDir) -> None:
    token = send(uploads)
    path = uploads.find(token)
    uploads.take([token], "run")
    (path.parent / "unpacked").mkdir()
    (path.parent / "unpacked" / "a.txt").touch()
    uploads.release("run")
    assert names(uploads.path) == []


def test_a_function_may_move_its_upload_away(uploads: UploadsDir, tmp_path: Path) -> None:
    token = send(uploads)
    path = uploads.find(token)
    uploads.take([token], "run")
    path.rename(tmp_path / "mine.txt")
    uploads.release("run")
    assert (tmp_path / "mine.txt").read_bytes() == b"content"
    assert is_gone(uploads, token)


def test_a_taken_upload_is_not_taken_again(uploads: UploadsDir, clock: Clock) -> None:
    token = send(uploads)
    uploads.take([token, token], "run")
    for server in (uploads, UploadsDir(uploads.path, clock=clock)):
        with pytest.raises(NotFound, match="used by another run"):
            server.find(token)
        with pytest.raises(NotFound, match="used by another run"):
            server.take([token], "second")


def test_all_are_taken_or_none(uploads: UploadsDir) -> None:
    first, taken, last = send(uploads), send(uploads), send(uploads)
    uploads.take([taken], "earlier")
    half = uploads.create("half", 5)
    for missing in (taken, half, UNKNOWN + "-1", "nonsense"):
        with pytest.raises(NotFound):
            uploads.take([first, missing, last], "run")
        uploads.release("run")
        assert uploads.find(first).exists()
        assert uploads.find(last).exists()
    uploads.take([first, last], "run")


def test_of_runs_at_once_one_takes_it(uploads: UploadsDir, clock: Clock) -> None:
    tokens = [send(uploads) for _ in range(5)]
    begin = threading.Barrier(4)

    def take(run: int) -> bool:
        server = UploadsDir(uploads.path, clock=clock) if run % 2 else uploads
        begin.wait()
        try:
            server.take(tokens, str(run))
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(4))) == 1


def test_kept_uploads_stay_for_good_once_a_run_took_them(tmp_path: Path, clock: Clock) -> None:
    uploads = UploadsDir(tmp_path / "uploads", auto_delete=False, clock=clock)
    used, unused = send(uploads), send(uploads)
    path = uploads.find(used)
    uploads.take([used], "run")
    uploads.release("run")
    with pytest.raises(NotFound, match="used by another run"):
        uploads.find(used)
    clock.now += 1000 * 24 * HOUR
    for auto_delete in (False, True):
        UploadsDir(uploads.path, auto_delete=auto_delete, clock=clock).sweep()
        assert path.read_bytes() == b"content"
    assert is_gone(uploads, unused)


# Their hour


def test_one_that_no_run_took_expires_an_hour_after_its_last_byte(uploads: UploadsDir, clock: Clock) -> None:
    whole, half = send(uploads), uploads.create("half.bin", 10)
    with uploads.writer(half, 0) as writer:
        writer.write(b"abc")
    for token in (whole, half):
        assert uploads.status(token)[2] == pytest.approx(clock.now + HOUR, abs=10)
    clock.now += HOUR - 20
    assert uploads.sweep() == 0
    with uploads.writer(half, 3):
        pass
    clock.now += 40
    for token in (whole, half):
        with pytest.raises(Expired, match="more than an hour ago"):
            uploads.status(token)
        with pytest.raises(Expired):
            uploads.writer(token, 3)
        with pytest.raises(NotFound, match="Send it again"):
            uploads.find(token)
        with pytest.raises(NotFound):
            uploads.take([token], "run")
    assert uploads.sweep() == 2
    assert names(uploads.path) == []


def test_each_byte_prolongs_it(uploads: UploadsDir, clock: Clock) -> None:
    token = uploads.create("a.bin", 10)
    (path,) = (uploads.path / f"{token}.part").iterdir()
    clock.now += 2 * HOUR
    os.utime(path, (clock.now - 10, clock.now - 10))  # as if a byte had come then
    assert uploads.status(token)[2] == pytest.approx(clock.now - 10 + HOUR)
    assert uploads.sweep() == 0


def test_one_that_is_being_written_is_not_swept(uploads: UploadsDir, clock: Clock) -> None:
    token = uploads.create("slow.bin", 2)
    with uploads.writer(token, 0) as writer:
        clock.now += 2 * HOUR
        assert uploads.sweep() == 0
        writer.write(b"ab")
    assert names(uploads.path) == [token]


def test_one_that_a_run_holds_is_never_swept(uploads: UploadsDir, clock: Clock) -> None:
    token = send(uploads)
    path = uploads.find(token)
    uploads.take([token], "queued for long")
    other = UploadsDir(uploads.path, clock=clock)
    for _ in range(30):
        clock.now += HOUR
        assert uploads.sweep() == 0
        assert other.sweep() == 0
    assert path.read_bytes() == b"content"
    assert uploads.status(token)[:2] == (7, 7)
    uploads.release("queued for long")
    assert is_gone(uploads, token)


def test_what_a_crashed_server_held_goes_in_the_end(uploads: UploadsDir, clock: Clock) -> None:
    uploads.take([send(uploads)], "never released")
    restarted = UploadsDir(uploads.path, clock=clock)
    clock.now += 2 * HOUR
    assert restarted.sweep() == 0
    clock.now += 2 * HOUR
    assert restarted.sweep() == 1
    assert names(uploads.path) == []


def test_only_what_is_ours_is_swept(uploads: UploadsDir, clock: Clock) -> None:
    others = ["notes.txt", ".nfs0001", UNKNOWN, f"{UNKNOWN}-g", f"old {UNKNOWN}-1", f"{UNKNOWN}-1.txt"]
    for name in others:
        (uploads.path / name).mkdir()
        (uploads.path / name / "file").touch()
    (uploads.path / f"{UNKNOWN}-2").touch()
    for name in (f"{UNKNOWN}-1", f"{UNKNOWN}-x.part", f"{UNKNOWN}-3.gone"):
        (uploads.path / name).mkdir()
    for name in (f"{UNKNOWN}-5.held", f"{UNKNOWN}-5.kept"):
        (uploads.path / name).touch()
    clock.now += 2 * HOUR
    assert uploads.sweep() == 2
    assert names(uploads.path) == sorted([*others, f"{UNKNOWN}-2"])


def test_what_is_not_a_directory_is_never_followed(uploads: UploadsDir, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (uploads.path / f"{UNKNOWN}-1").symlink_to(tmp_path / "elsewhere")
    clock.now += 2 * HOUR
    uploads.sweep()
    assert (tmp_path / "elsewhere" / "file").exists()


def test_many_are_swept_by_several_at_once(uploads: UploadsDir, clock: Clock) -> None:
    for n in range(500):
        (uploads.path / f"{n:011x}-{n:032x}-1").mkdir()
        (uploads.path / f"{n:011x}-{n:032x}-1" / "a").touch()
    clock.now += 2 * HOUR
    begin = threading.Barrier(3)

    def sweep(n: int) -> int:
        server = UploadsDir(uploads.path, clock=clock) if n else uploads
        begin.wait()
        return server.sweep()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(sweep, range(3))) == 500
    assert names(uploads.path) == []


def test_a_missing_directory_has_nothing_to_sweep_and_is_made_again(uploads: UploadsDir) -> None:
    uploads.path.rmdir()
    assert uploads.sweep() == 0
    assert uploads.find(send(uploads)).read_bytes() == b"content"


# Given up


def test_one_that_the_client_gave_up_is_deleted(uploads: UploadsDir) -> None:
    whole, half = send(uploads), uploads.create("half", 5)
    for token in (whole, half):
        uploads.remove(token)
        with pytest.raises(Expired):
            uploads.remove(token)
    assert names(uploads.path) == []


def test_one_that_a_run_holds_is_not_given_up(uploads: UploadsDir) -> None:
    token = send(uploads)
    path = uploads.find(token)
    uploads.take([token], "run")
    with pytest.raises(Conflict, match="A run uses this"):
        uploads.remove(token)
    assert path.exists()


def test_one_given_up_while_it_is_written_says_so_at_its_end(uploads: UploadsDir, no_leak: None) -> None:
    token = uploads.create("a", 2)
    writer = uploads.writer(token, 0)
    writer.write(b"a")
    uploads.remove(token)
    writer.write(b"b")
    with pytest.raises(Expired, match="deleted while it was written"):
        writer.close()
    assert names(uploads.path) == []


# Disks


def test_directories_and_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        uploads = UploadsDir(tmp_path / "deep" / "uploads")
        path = uploads.find(send(uploads))
    finally:
        os.umask(before)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (uploads.path, path.parent, path)] == [
        0o700,
        0o700,
        0o600,
    ]


def test_a_full_disk_is_told_and_the_upload_goes_on_when_there_is_room(small_disk: Path) -> None:
    uploads = UploadsDir(small_disk / "uploads")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (MIB // 2))
    token = uploads.create("a.bin", 900_000)
    full = pytest.raises(DiskFull, match=rf"{uploads.path} has no room.*uploads_dir=")
    with uploads.writer(token, 0) as writer, full:
        writer.write(b"x" * 900_000)
    came = uploads.status(token)[0]
    assert 0 < came < 900_000
    filler.unlink()
    with uploads.writer(token, came) as writer:
        writer.write(b"x" * (900_000 - came))
    assert uploads.find(token).stat().st_size == 900_000


def test_a_disk_without_room_for_a_name_leaves_nothing(small_disk: Path) -> None:
    uploads = UploadsDir(small_disk / "uploads")
    # Room for a directory, and none for the file in it.
    subprocess.run(["mount", "-o", "remount,nr_inodes=4", small_disk], check=True)
    (small_disk / "filler").touch()
    with pytest.raises(DiskFull, match="uploads_dir="):
        uploads.create("a.bin", 1)
    assert names(uploads.path) == []


def test_a_read_only_disk_is_told(locked_disk: Callable[[], Path], tmp_path: Path) -> None:
    uploads = UploadsDir(tmp_path / "locked" / "uploads")
    token, half = send(uploads), uploads.create("half", 5)
    locked_disk()
    asks: tuple[Callable[[], object], ...] = (
        lambda: uploads.create("a", 1),
        lambda: uploads.writer(half, 0),
        lambda: uploads.take([token], "run"),
        lambda: UploadsDir(uploads.path),
    )
    for ask in asks:
        with pytest.raises(StorageError, match=r"Read-only.*uploads_dir="):
            ask()


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=rf"{tmp_path / 'file'}.*It is a file.*uploads_dir="):
        UploadsDir(tmp_path / "file")


def test_a_process_killed_while_it_writes_leaves_an_upload_to_go_on_with(uploads: UploadsDir) -> None:
    token = uploads.create("a.bin", 2 * MIB)
    code = """
        import sys
        from nbfunc.files.uploads import UploadsDir
        with UploadsDir(sys.argv[1]).writer(sys.argv[2], 0) as writer:
            writer.write(b"x" * (1 << 20))
            print("written", flush=True)
            sys.stdin.read()
        """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), uploads.path, token],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert uploads.status(token)[:2] == (MIB, 2 * MIB)
    with pytest.raises(NotFound, match="not whole"):
        uploads.find(token)
    with uploads.writer(token, MIB) as writer:
        writer.write(b"y" * MIB)
    assert uploads.find(token).stat().st_size == 2 * MIB


def test_what_a_run_gives_back_another_can_take(uploads: UploadsDir) -> None:
    token = send(uploads)
    uploads.take([token], "one")
    with pytest.raises(NotFound):
        uploads.take([token], "two")
    uploads.give_back("one")
    uploads.take([token], "two")
    assert uploads.path.joinpath(token, "a.txt").read_bytes() == b"content"


def test_a_directory_that_can_never_be_made_is_an_error_that_names_it() -> None:
    with pytest.raises(StorageError, match=r"/proc/nowhere/uploads"):
        UploadsDir("/proc/nowhere/uploads")


# Checksums


def summed(content: bytes) -> Checksum:
    return Checksum("sha256", hashlib.sha256(content).digest())


def test_what_does_not_add_up_is_taken_back(uploads: UploadsDir, no_leak: None) -> None:
    token = uploads.create("data.bin", 6)
    with uploads.writer(token, 0) as writer:
        writer.write(b"abc")
    with pytest.raises(ChecksumMismatch), uploads.writer(token, 3, summed(b"def")) as writer:
        writer.write(b"dxf")
    assert uploads.status(token)[0] == 3
    with uploads.writer(token, 3, summed(b"def")) as writer:
        writer.write(b"de")
        assert uploads.status(token)[0] == 3
        writer.write(b"f")
    assert uploads.find(token).read_bytes() == b"abcdef"


def test_who_goes_on_meets_nothing_that_was_not_judged(uploads: UploadsDir, no_leak: None) -> None:
    token = uploads.create("data.bin", 6)
    dropped = uploads.writer(token, 0, summed(b"abcdef"))
    dropped.write(b"xyz")
    with uploads.writer(token, 0) as writer:
        writer.write(b"abcdef")
        dropped.close()
    assert uploads.find(token).read_bytes() == b"abcdef"


def test_an_error_on_the_way_is_told_rather_than_the_checksum(uploads: UploadsDir) -> None:
    token = uploads.create("data.bin", 3)
    with pytest.raises(TooLarge), uploads.writer(token, 0, summed(b"abc")) as writer:
        writer.write(b"abcd")
    assert uploads.status(token)[0] == 0
