"""Questions to a kernel: each is answered, or ends in an error, in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from nbfunc import errors
from nbfunc.errors import AskerError, InvalidArguments, KernelUnreachable, TooManyTries
from nbfunc.hosts.channels import Buffers, Channel

# A kernel whose notebook computes in C holds its interpreter for so long before it is given up.
ASK_SECONDS = 20.0

Answer: TypeAlias = "tuple[dict[str, Any], Buffers]"

# What a kernel may answer with, by name.
_REFUSALS: dict[str, type[AskerError]] = {
    name: error
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, AskerError) and error is not TooManyTries
}


@dataclass(eq=False)
class _Question:
    """One, which is sent again where a connection broke; `id` is of the message that was sent last."""

    content: dict[str, Any]
    buffers: Buffers
    future: asyncio.Future[Answer]
    id: str = ""


class Questions:
    """What was asked of a kernel and is not answered yet.

    Parameters
    ----------
    channel : Channel
        The way to it.

    Attributes
    ----------
    channel : Channel
        The same.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._asked: dict[str, _Question] = {}
        self._insisting: set[asyncio.Task[None]] = set()

    async def ask(
        self, op: str, *, seconds: float = ASK_SECONDS, buffers: Buffers = (), **content: Any
    ) -> Answer:
        """Ask, and return the answer and what came along.

        Parameters
        ----------
        op : str
            What to do.
        seconds : float
            How long to wait.
        buffers : sequence of bytes
            What goes along.
        **content
            What the op needs.

        Raises
        ------
        KernelUnreachable
            It does not answer.
        AskerError
            What it answers with.
        """
        question = _Question({"op": op, **content}, buffers, asyncio.get_running_loop().create_future())
        self._send(question)
        try:
            answer, came = await asyncio.wait_for(question.future, seconds)
        except asyncio.TimeoutError:
            raise KernelUnreachable(
                f"The kernel did not answer within {seconds:.0f} s: it is computing something that lets "
                "nothing else run, or it hangs. Try again, or interrupt it."
            ) from None
        finally:
            del self._asked[question.id]
        if "error" in answer:
            raise _error(answer["error"])
        return answer, came

    def tell(self, op: str, **content: Any) -> None:
        """Ask without waiting for an answer, which there may not be."""
        self.channel.send({"op": op, **content})

    def insist(self, op: str, **content: Any) -> None:
        """Ask what is to be done even if the connection breaks; that it cannot be is no trouble."""

        async def asking() -> None:
            with suppress(AskerError):
                await self.ask(op, **content)

        self._go(asking())

    def again(self) -> None:
        """Ask all again that is not answered: the connection broke, and there is a new one."""
        asked, self._asked = self._asked, {}
        for question in asked.values():
            self._send(question)

    def answered(self, asked: str, answer: Answer) -> None:
        """Take an answer; one to nothing that was asked, or is asked no more, is dropped."""
        question = self._asked.get(asked)
        if question is not None and not question.future.done():
            question.future.set_result(answer)

    def fail(self, error: AskerError) -> None:
        """Let all that wait fail: nobody will answer."""
        for question in self._asked.values():
            if not question.future.done():
                question.future.set_exception(error)

    def close(self) -> None:
        """Insist on nothing any more."""
        for task in self._insisting:
            task.cancel()

    def _send(self, question: _Question) -> None:
        question.id = self.channel.send(question.content, question.buffers)
        self._asked[question.id] = question

    def _go(self, asking: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(asking)
        self._insisting.add(task)
        task.add_done_callback(self._insisting.discard)


def _error(said: Any) -> AskerError:
    """Return the error that a kernel answered with."""
    if not isinstance(said, dict):
        return KernelUnreachable("The kernel's answer was not understood.")
    kind = _REFUSALS.get(str(said.get("type")), AskerError)
    if kind is InvalidArguments:
        problems = said.get("problems")
        return InvalidArguments(problems if isinstance(problems, list) else [])
    return kind(str(said.get("message")))
