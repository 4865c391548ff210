"""The patience with wrong passwords, and cookies."""

from __future__ import annotations

import pytest

from nbfunc.errors import TooManyTries
from nbfunc.web.sessions import MOST_REMEMBERED, Sessions, Token, Tries


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def wait(tries: Tries, who: tuple[str, str]) -> int:
    try:
        tries.check(who)
    except TooManyTries as error:
        return error.retry_after
    return 0


def test_the_wait_doubles_from_one_second_to_sixty() -> None:
    clock = Clock()
    tries = Tries(clock)
    waits = []
    for _ in range(14):
        tries.wrong(("ada", "::1"))
        waits.append(wait(tries, ("ada", "::1")))
        clock.now += waits[-1]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_each_name_and_address_waits_alone() -> None:
    tries = Tries(Clock())
    for _ in range(6):
        tries.wrong(("ada", "10.0.0.1"))
    assert wait(tries, ("ada", "10.0.0.1"))
    assert not wait(tries, ("ada", "10.0.0.2"))
    assert not wait(tries, ("bob", "10.0.0.1"))


def test_the_right_password_forgives() -> None:
    clock = Clock()
    sessions = Sessions({"ada": "x"}, None, clock)
    for _ in range(4):
        assert sessions.login("ada", "y", "::1") is None
    assert sessions.login("ada", "x", "::1") == "ada"
    for _ in range(4):
        assert sessions.login("ada", "y", "::1") is None
    assert sessions.login("ada", "x", "::1") == "ada"


def test_names_that_are_made_up_fill_no_memory() -> None:
    tries = Tries(Clock())
    for n in range(MOST_REMEMBERED + 500):
        tries.wrong((f"name {n}", "::1"))
    assert len(tries._wrong) == MOST_REMEMBERED


@pytest.mark.parametrize(
    ("name", "password"), [("", ""), ("ada", ""), ("", "x"), ("bob", "x"), ("ada", "x ")]
)
def test_only_the_pair_fits(name: str, password: str) -> None:
    assert Sessions({"ada": "x", "bob": "y"}, None).login(name, password, "::1") is None


def test_a_letter_typed_as_two_characters_is_the_same() -> None:
    assert Sessions({"ada": "caf\u00e9"}, None).login("ada", "cafe\u0301", "::1") == "ada"


def test_a_cookie_is_for_one_name_only() -> None:
    sessions = Sessions({"ada": "x"}, "key")
    value = sessions.cookie("nbfunc-8000", "ada").decode()
    assert sessions.user("nbfunc-8000", value) == "ada"
    assert sessions.user("nbfunc-8001", value) is None
    assert Sessions({"ada": "x"}, "other key").user("nbfunc-8000", value) is None
    assert Sessions({"bob": "x"}, "key").user("nbfunc-8000", value) is None
    for nonsense in (None, "", "x", "2|1:0|", "é"):
        assert sessions.user("nbfunc-8000", nonsense) is None


def test_a_token_is_exchanged_for_a_cookie() -> None:
    token = Token("t0ken")
    assert token.fits("t0ken")
    assert not token.fits("")
    assert not token.fits("tøken")
    assert token.knows("c", token.cookie("c").decode())
    assert not token.knows("c", Token("t0ken").cookie("c").decode())
    assert not token.knows("c", None)
