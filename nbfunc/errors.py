"""Every error that nbfunc raises on purpose. The author's and the asker's have roots of their own.

::

    NbfuncError
    ├── AuthorError            the code is wrong: shown to who wrote the function
    │   ├── FormError          this signature cannot be a form
    │   └── OptionError        an option that does not exist, or does not fit
    └── AskerError             the request is wrong, or cannot be met: shown at the form
        ├── InvalidArguments   one or more values are not what the fields ask for
        ├── NotFound           no such function, run, file or upload
        │   └── Unfinished     a file that is still being written
        ├── Expired            it was there, its hour is over
        ├── BadBody            the body is not what its content type says
        ├── UnsupportedBody    a content type that is not read here
        ├── TooLarge           a body or a file over its limit
        ├── Unauthorized       no login
        ├── Forbidden          logged in, or not, but not allowed to
        │   └── ForeignOrigin  a request that another site made the browser send
        ├── TooManyTries       too many wrong passwords
        ├── QueueFull          no more runs may wait
        ├── KernelError        the function's kernel cannot be asked
        │   ├── KernelDied         it is dead
        │   ├── KernelRestarted    it was restarted, and what it exposed is gone
        │   └── KernelUnreachable  it does not answer
        ├── NotReady           a notebook that will expose functions is still running
        ├── LaunchFailed       it stopped before it exposed any
        ├── Conflict           the request does not fit the state it meets
        ├── ChecksumMismatch   the bytes that came are not those that were sent
        └── StorageError       the disk did not take a file
            └── DiskFull       no room, or a quota is used up

    Cancelled                  a BaseException: raised in a run that was cancelled
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypedDict


class NbfuncError(Exception):
    """The root of nbfunc's errors."""


class AuthorError(NbfuncError):
    """The author's code is wrong."""


class FormError(AuthorError, TypeError):
    """A function that cannot be a form; the message names function, parameter, annotation and the way out."""


class OptionError(AuthorError, TypeError):
    """An option that does not exist, or a value that does not fit it."""


class AskerError(NbfuncError):
    """A request that cannot be met.

    Attributes
    ----------
    reason : str
        The word that programs read (``reason`` of the JSON answer).
    status : int
        The HTTP status that says the same (RFC 9110).
    """

    reason: ClassVar[str] = "failed"
    status: ClassVar[int] = 500


class Problem(TypedDict):
    """What is wrong with one value, and where: ``loc`` is the path to it, such as ``["tags", 2]``."""

    loc: list[str | int]
    msg: str


class InvalidArguments(AskerError):
    """Values that the fields do not take. Nothing was run.

    Parameters
    ----------
    problems : sequence of Problem
        All of them, in the order of the form.
    """

    reason = "invalid"
    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(map(_said, self.problems)))


def _said(problem: Problem) -> str:
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]


class NotFound(AskerError):
    """No such function, run, file or upload."""

    reason = "not_found"
    status = 404


class Unfinished(NotFound):
    """A file that was promised and is still being written."""


class Expired(AskerError):
    """It was there, and is no more."""

    reason = "expired"
    status = 410


class BadBody(AskerError):
    """A body that is not what its content type says."""

    reason = "bad_json"
    status = 400


class UnsupportedBody(AskerError):
    """A content type that is not read here."""

    reason = "unsupported_type"
    status = 415


class TooLarge(AskerError):
    """A body or a file over its limit."""

    reason = "too_large"
    status = 413


class Unauthorized(AskerError):
    """No login, or a wrong one."""

    reason = "unauthorized"
    status = 401


class Forbidden(AskerError):
    """Not allowed, whoever asks."""

    reason = "forbidden"
    status = 403


class ForeignOrigin(Forbidden):
    """A request that another site made the browser send."""

    reason = "foreign_origin"


class TooManyTries(AskerError):
    """Too many wrong passwords.

    Parameters
    ----------
    retry_after : int
        Seconds until the next try is heard.
    """

    reason = "too_many_tries"
    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"Too many wrong tries. Try again in {retry_after} s.")


class QueueFull(AskerError):
    """No more runs may wait."""

    reason = "queue_full"
    status = 503


class KernelError(AskerError):
    """The function's kernel cannot be asked."""

    reason = "kernel_unreachable"
    status = 503


class KernelDied(KernelError):
    """The kernel died, or was shut down."""

    reason = "kernel_dead"


class KernelRestarted(KernelError):
    """The kernel was restarted: what it exposed is gone until its cells are run again."""

    reason = "kernel_restarted"


class KernelUnreachable(KernelError):
    """The kernel does not answer."""


class NotReady(AskerError):
    """A notebook that will expose functions is still running.

    Attributes
    ----------
    retry_after : int
        Seconds until it is worth asking again.
    """

    reason = "kernel_unreachable"
    status = 503
    retry_after: ClassVar[int] = 2


class LaunchFailed(AskerError):
    """A notebook stopped before it exposed anything."""

    reason = "failed"
    status = 500


class Conflict(AskerError):
    """A request that does not fit the state it meets, such as an upload's wrong offset."""

    reason = "invalid"
    status = 409


class ChecksumMismatch(AskerError):
    """The bytes that came are not those that were sent; the status is tus's."""

    reason = "invalid"
    status = 460


class StorageError(AskerError):
    """The disk did not take a file; the message says which directory, and why."""

    reason = "failed"
    status = 500


class DiskFull(StorageError):
    """No room, or a quota is used up."""

    reason = "disk_full"
    status = 507


class Cancelled(BaseException):
    """Raised inside a run that was cancelled.

    A ``BaseException``, as `asyncio.CancelledError` is, so that ``except Exception`` does not swallow it.
    """
