"""Questions to a kernel: each is answered, or ends in an error, in bounded time."""

from __future__ import annotations

import asyncio
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


class Questions:
    """What was asked of a kernel and is not answered yet.

    Parameters
    ----------
    channel : Channel
        The way to it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._asked: dict[str, asyncio.Future[Answer]] = {}

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
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        asked = self._channel.send({"op": op, **content}, buffers)
        self._asked[asked] = future
        try:
            answer, came = await asyncio.wait_for(future, seconds)
        except asyncio.TimeoutError:
            raise KernelUnreachable(
                f"The kernel did not answer within {seconds:.0f} s: it is computing something that lets "
                "nothing else run, or it hangs. Try again, or interrupt it."
            ) from None
        finally:
            del self._asked[asked]
        if "error" in answer:
            raise _error(answer["error"])
        return answer, came

    def tell(self, op: str, **content: Any) -> None:
        """Ask without waiting for an answer."""
        self._channel.send({"op": op, **content})

    def answered(self, asked: str, answer: Answer) -> None:
        """Take an answer; one to nothing that was asked, or is asked no more, is dropped."""
        future = self._asked.get(asked)
        if future is not None and not future.done():
            future.set_result(answer)

    def fail(self, error: AskerError) -> None:
        """Let all that wait fail: nobody will answer."""
        for future in self._asked.values():
            if not future.done():
                future.set_exception(error)


def _error(said: Any) -> AskerError:
    """Return the error that a kernel answered with."""
    if not isinstance(said, dict):
        return KernelUnreachable("The kernel's answer was not understood.")
    kind = _REFUSALS.get(str(said.get("type")), AskerError)
    if kind is InvalidArguments:
        problems = said.get("problems")
        return InvalidArguments(problems if isinstance(problems, list) else [])
    return kind(str(said.get("message")))
