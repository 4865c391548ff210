"""File names from outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfunc.names import clean_filename, shortened


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..\\..\\boot.ini", ".._.._boot.ini"),
        ("a\r\nSet-Cookie: b", "a__Set-Cookie: b"),
        ("nul\x00byte", "nul_byte"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("  spaced  ", "spaced"),
        ("ends with dots...", "ends with dots..."),
        ("a____b__c", "a____b__c"),
        ("\ud83d half a letter", "_ half a letter"),
        ("日本語.txt", "日本語.txt"),
    ],
)
def test_a_name_is_cleaned_to_one_path_part(given_name: str, cleaned: str) -> None:
    assert clean_filename(given_name) == cleaned


@pytest.mark.parametrize("name", ["", ".", "..", "/", "///", "\x00", "   ", "_", "._."])
def test_a_name_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="give it a letter or a digit"):
        clean_filename(name)


@given(st.text(st.characters(codec=None)))
def test_cleaning_twice_changes_nothing_more(name: str) -> None:
    try:
        cleaned = clean_filename(name)
    except ValueError:
        return
    assert clean_filename(cleaned) == cleaned
    assert "/" not in cleaned
    assert cleaned not in {"", ".", ".."}


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("é" * 150 + ".csv", ".csv"),
        ("a" * 1000 + ".tar.gz", ".tar.gz"),
        ("😀" * 300 + ".PNG", ".PNG"),
        ("a." + "b" * 1000, ""),
        ("." + "h" * 400, ""),
    ],
)
def test_a_long_name_is_cut_and_keeps_its_extension(name: str, ending: str) -> None:
    cut = shortened(name, 210)
    assert len(cut.encode()) <= 210
    assert cut.endswith(ending)
    assert cut.startswith(name[:1])


def test_long_names_that_differ_at_their_end_do_not_meet() -> None:
    assert shortened("a" * 300 + "1", 100) != shortened("a" * 300 + "2", 100)


@given(st.text(min_size=1).filter(lambda text: text.isprintable()), st.integers(32, 255))
def test_a_name_that_fits_stays_and_no_other_is_too_long(name: str, most: int) -> None:
    cut = shortened(name, most)
    assert len(cut.encode()) <= most
    assert (cut == name) == (len(name.encode()) <= most)
