"""Who is logged in: passwords, the signed cookie, and the patience with wrong tries."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping

from tornado.web import create_signed_value, decode_signed_value

from nbfunc.errors import TooManyTries

COOKIE_DAYS = 14
FREE_TRIES = 5
LONGEST_WAIT = 60
MOST_REMEMBERED = 10_000
SESSION_LETTERS = 16


class Tries:
    """Counts wrong passwords for each name and address, in bounded memory.

    Parameters
    ----------
    clock : callable
        Seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def check(self, who: tuple[str, str]) -> None:
        """Raise `TooManyTries` while this one has to wait."""
        wait = self._wrong.get(who, (0, 0.0))[1] - self._clock()
        if wait > 0:
            raise TooManyTries(math.ceil(wait))

    def wrong(self, who: tuple[str, str]) -> None:
        """Remember a wrong try: after five, each doubles the wait from 1 to 60 s."""
        count = self._wrong.get(who, (0, 0.0))[0] + 1
        wait = min(LONGEST_WAIT, 2 ** min(count - FREE_TRIES, 6)) if count >= FREE_TRIES else 0
        self._wrong[who] = count, self._clock() + wait
        self._wrong.move_to_end(who)
        while len(self._wrong) > MOST_REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, who: tuple[str, str]) -> None:
        """Forget the wrong ones."""
        self._wrong.pop(who, None)


class Sessions:
    """Users and their cookies.

    Parameters
    ----------
    auth : mapping of str to str
        Passwords by name.
    secret : str, optional
        Signs the cookies; without one a restart ends all sessions.
    clock : callable
        For the patience with wrong tries.
    """

    def __init__(
        self, auth: Mapping[str, str], secret: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._secret = secret or secrets.token_hex(32)
        self._auth = [(name, _utf8(name), _utf8(password)) for name, password in auth.items()]
        self._tries = Tries(clock)
        self._ended: OrderedDict[str, None] = OrderedDict()

    def login(self, name: str, password: str, address: str) -> str | None:
        """Return the user's name if this is the password, None if not.

        Raises
        ------
        TooManyTries
            Too many were wrong, from this address for this name.
        """
        who = (name[:200], address)
        self._tries.check(who)
        given_name, given = _utf8(name), _utf8(password)
        found = None
        for user, right_name, right in self._auth:
            # All are compared, and all of each: time tells neither which name exists nor what fits.
            same_name = hmac.compare_digest(given_name, right_name)
            same = hmac.compare_digest(given, right)
            if same_name & same:
                found = user
        if found is None:
            self._tries.wrong(who)
        else:
            self._tries.right(who)
        return found

    def cookie(self, cookie: str, name: str) -> bytes:
        """Return the value of a user's cookie."""
        said = f"{secrets.token_hex(SESSION_LETTERS // 2)}{self._mark(name)}{name}"
        return create_signed_value(self._secret, cookie, said)

    def user(self, cookie: str, value: str | None) -> str | None:
        """Return whose cookie this is, if it is one of ours that nobody ended, and the password the same."""
        session, text = self._said(cookie, value)
        if session in self._ended:
            return None
        for name, *_ in self._auth:
            if hmac.compare_digest(text.encode(), f"{self._mark(name)}{name}".encode()):
                return name
        return None

    def end(self, cookie: str, value: str | None) -> None:
        """End a session: other copies of its cookie are good no more while this server lives."""
        session, _ = self._said(cookie, value)
        self._ended[session] = None
        while len(self._ended) > MOST_REMEMBERED:
            self._ended.popitem(last=False)

    def _said(self, cookie: str, value: str | None) -> tuple[str, str]:
        """Return a cookie's session, and the rest; nothing of one that is not ours."""
        said = decode_signed_value(self._secret, cookie, value, max_age_days=COOKIE_DAYS) if value else None
        text = "" if said is None else said.decode()
        return text[:SESSION_LETTERS], text[SESSION_LETTERS:]

    def _mark(self, name: str) -> str:
        """Return what changes with a user's password."""
        password = next((p for n, _, p in self._auth if n == name), b"")
        return hmac.new(self._secret.encode(), password, hashlib.sha256).hexdigest()[:16]


class Token:
    """The secret in a link, exchanged for a cookie at the first visit."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._secret = secrets.token_hex(32)

    def fits(self, given: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(_utf8(given), _utf8(self.token))

    def cookie(self, cookie: str) -> bytes:
        """Return the value of the cookie that stands for it."""
        return create_signed_value(self._secret, cookie, "token")

    def knows(self, cookie: str, value: str | None) -> bool:
        """Whether this cookie is one of ours."""
        if not value:
            return False
        return decode_signed_value(self._secret, cookie, value, max_age_days=COOKIE_DAYS) == b"token"


def _utf8(text: str) -> bytes:
    # One letter may be typed as one character or as two that combine.
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
