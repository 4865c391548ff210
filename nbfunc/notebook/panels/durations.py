"""Durations as people write them: "1h 30m", "1:30:00", "2 days" or "90", as the page takes them too."""

from __future__ import annotations

import re

_ISO = re.compile(
    r"([+-])?P(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?", re.IGNORECASE
)
_CLOCK = re.compile(
    r"([+-])?(?:(\d+)\s*d(?:ays?)?,?\s+)?(\d+):([0-5]?\d)(?::([0-5]?\d(?:\.\d+)?))?", re.IGNORECASE
)
_WORD = re.compile(
    r"(\d+(?:\.\d+)?)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|ms)(?![a-z])",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r",|\band\b|\s", re.IGNORECASE)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def seconds_of(text: str) -> float | None:
    """Return the seconds that `text` means, or None if it is no duration."""
    text = text.strip()
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
        return float(text)
    for pattern, sizes in ((_ISO, (604_800, 86_400, 3600, 60, 1)), (_CLOCK, (86_400, 3600, 60, 1))):
        found = pattern.fullmatch(text)
        if found and any(found.groups()[1:]):
            parts = zip(found.groups()[1:], sizes, strict=True)
            return _signed(found[1], sum(float(part or 0) * size for part, size in parts))
    sign = text[:1] if text[:1] in {"+", "-"} else ""
    words = text.removeprefix(sign)
    if not words or _BETWEEN.sub("", _WORD.sub("", words)):
        return None
    return _signed(sign, sum(float(amount) * _unit(unit) for amount, unit in _WORD.findall(words)))


def _unit(name: str) -> float:
    return 0.001 if name.lower() == "ms" else _SECONDS[name[0].lower()]


def _signed(sign: str | None, seconds: float) -> float:
    seconds = round(seconds, 6)  # a timedelta counts microseconds
    return -seconds if sign == "-" else seconds


def spoken(seconds: float) -> str:
    """Return seconds in words that `seconds_of` reads: 5400 is "1 hour 30 minutes"."""
    parts: list[str] = []
    rest = round(abs(seconds), 6)
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:.0f} {name}{'' if count == 1 else 's'}")
    rest = round(rest, 6)
    if rest or not parts:
        parts.append(f"{rest:g} second{'' if rest == 1 else 's'}" if rest == round(rest, 4) else f"{rest} s")
    return ("-" if seconds < 0 else "") + " ".join(parts)
