"""The files of a kernel's runs: uploads that it may open, and what it returned, as the server's own."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any

from nbfunc.core.events import Display, File, Image, Output, StoredFile, Table, Text
from nbfunc.errors import DiskFull, Expired, NotFound, Unfinished
from nbfunc.files.returns import KEPT_SECONDS, ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import RawArguments
from nbfunc.hosts.questions import Questions
from nbfunc.hosts.transfers import blocking, pulled, push

BLOCK_SECONDS = 60.0


class Claims:
    """Which run a returned file belongs to: no other can name it as its own."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._owners: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def claim(self, file: str, run: str) -> bool:
        """Say whether this file is the run's, which it is if it was nobody's."""
        now = self._clock()
        while self._owners and next(iter(self._owners.values()))[0] < now - 2 * KEPT_SECONDS:
            self._owners.popitem(last=False)
        return self._owners.setdefault(file, (now, run))[1] == run


class Belongings:
    """The files of one kernel's runs.

    Parameters
    ----------
    questions : Questions
        To the kernel.
    returns, uploads : ReturnsDir, UploadsDir
        The server's.
    claims : Claims
        Shared by all kernels.
    threads : Executor
        For what blocks, and for transfers.

    Attributes
    ----------
    shared : bool
        Whether the kernel has the server's disk, and writes into its directory itself.
    """

    def __init__(
        self,
        questions: Questions,
        *,
        returns: ReturnsDir,
        uploads: UploadsDir,
        claims: Claims,
        threads: Executor,
    ) -> None:
        self.shared = False
        self._questions = questions
        self._returns = returns
        self._uploads = uploads
        self._claims = claims
        self._threads = threads
        self._promised: defaultdict[str, list[StoredFile]] = defaultdict(list)

    @property
    def uploads_dir(self) -> Path:
        """Where uploads are: for an inline form's kernel on this disk, which takes those of its own."""
        return self._uploads.path

    async def lend(self, raw: RawArguments, run: str) -> dict[str, Any]:
        """Hold the uploads that a submit names, and return what the kernel must know to open them.

        Only the host knows where in the arguments a file may stand, so all that could be one are held; what
        a submit names in vain is told with the reason, for the field that it is in.
        """
        tokens = list(dict.fromkeys(named_uploads(raw)))
        if not tokens:
            return {"paths": {}, "filenames": {}, "problems": {}}
        held, problems = await self.in_thread(self._hold, tokens, run)
        if not self.shared:
            for token, path in held.items():
                await push(
                    path,
                    functools.partial(self._write, token, path.name),
                    self.in_thread,
                    block=self._questions.channel.block,
                    sent=self._questions.channel.blocks_asked,
                )
        return {
            "paths": {token: str(path) if self.shared else None for token, path in held.items()},
            "filenames": {token: path.name for token, path in held.items()},
            "problems": problems,
        }

    async def take_back(self, run: str) -> None:
        """The run did not start: its uploads are as they were."""
        await self.in_thread(self._uploads.give_back, run)

    def release(self, run: str) -> None:
        """The run ended: its uploads may go."""
        self._uploads.release(run)

    async def own(self, output: Output, run: str) -> Output:
        """Return an output whose files are this server's.

        Raises
        ------
        NotFound, Expired, EOFError, ValueError
            One is not the run's to name, or not what it is said to be.
        """
        match output:
            case Table(whole=False):
                return await self._promise(output, run)
            case Text(file=StoredFile() as file) | Image(file=file) | Table(file=file) | File(file=file):
                return output.model_copy(update={"file": await self._file(file, run)})
            case Display():
                files = {mime: await self._file(file, run) for mime, file in output.files.items()}
                return output.model_copy(update={"files": files})
            case _:
                return output

    async def settle(self, run: str) -> DiskFull | None:
        """The run ended: what it promised is whole, or given up; return why, if it found no room."""
        trouble = None
        for file in self._promised.pop(run, ()):
            try:
                await self.in_thread(self._returns.adopt, file.id, file.filename)
            except Unfinished:  # it died meanwhile
                await self.in_thread(self._returns.give_up, file.id)
            except DiskFull as error:
                trouble = error
            except (NotFound, Expired):
                pass
        return trouble

    async def _promise(self, output: Table, run: str) -> Table:
        """Return a table that a kernel on this disk is still writing."""
        file = output.file
        if not self.shared or not self._claims.claim(file.id, run):
            raise NotFound(f"{file.filename!r} is another's")
        with suppress(Unfinished):
            await self.in_thread(self._returns.find, file.id, file.filename)
        self._promised[run].append(file)
        return output

    def in_thread(self, act: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        """Call what blocks."""
        return asyncio.get_running_loop().run_in_executor(self._threads, act, *arguments)

    def _hold(self, tokens: list[str], run: str) -> tuple[dict[str, Path], dict[str, str]]:
        held: dict[str, Path] = {}
        problems: dict[str, str] = {}
        for token in tokens:
            try:
                path = self._uploads.find(token)
                self._uploads.take([token], run)
            except (NotFound, Expired) as error:
                problems[token] = str(error)
            else:
                held[token] = path
        return held, problems

    async def _write(self, token: str, filename: str, offset: int, block: bytes) -> None:
        await self._questions.ask(
            "write", seconds=BLOCK_SECONDS, buffers=[block], token=token, filename=filename, offset=offset
        )

    async def _file(self, file: StoredFile, run: str) -> StoredFile:
        if not self.shared:
            return await self._pulled(file, run)
        if not self._claims.claim(file.id, run):
            raise NotFound(f"{file.filename!r} is another's")
        found = await self.in_thread(self._returns.adopt, file.id, file.filename)
        if found.size != file.size:
            raise NotFound(f"{file.filename!r} has another size")
        return file.model_copy(update={"created": found.created})

    async def _pulled(self, file: StoredFile, run: str) -> StoredFile:
        channel = self._questions.channel

        async def read(offset: int) -> bytes:
            _, buffers = await self._questions.ask(
                "read",
                seconds=BLOCK_SECONDS,
                id=file.id,
                filename=file.filename,
                offset=offset,
                size=channel.block,
            )
            return bytes(buffers[0]) if buffers else b""

        content = pulled(read, file.size, block=channel.block, asked=channel.blocks_asked)
        pieces = blocking(content, asyncio.get_running_loop())
        stored = await self.in_thread(self._returns.put, pieces, file.filename)
        self._questions.insist("forget", id=file.id, filename=file.filename)
        self._claims.claim(stored.id, run)
        return StoredFile(id=stored.id, filename=stored.filename, size=stored.size, created=stored.created)


def named_uploads(raw: RawArguments) -> Iterator[str]:
    """Yield the tokens that a submit names: in its files, and in ``{"upload": token}`` at any depth."""
    for tokens in raw.uploads.values():
        yield from tokens
    found: list[Any] = list(raw.values.values())
    while found:
        value = found.pop()
        if isinstance(value, list):
            found.extend(value)
        elif isinstance(value, dict):
            token = value.get("upload")
            if isinstance(token, str) and len(value) == 1:
                yield token
            found.extend(value.values())
