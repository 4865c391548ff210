"""A default password or file stays on the server, wherever it stands, and is used where nothing is given."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel

from nbfunc.core.fields import NO_INPUTS
from nbfunc.core.forms import form_of
from nbfunc.types import File, Password

Secret = Annotated[str, Password()]
PATH = "/home/ada/private/report.csv"


class Login(BaseModel):
    user: str = "nobody"
    key: Secret = "s3cret of the class"


class Keys(TypedDict):
    user: str
    key: Secret


@dataclasses.dataclass
class Source:
    data: File = "/home/ada/private/class.csv"
    rows: int = 1


@dataclasses.dataclass
class Job:
    login: Login = dataclasses.field(default_factory=lambda: Login(user="ada", key="s3cret of the job"))


def function_of(annotation: Any, default: Any) -> Callable[..., Any]:
    def f(x: Any = default) -> Any:
        return x

    f.__annotations__["x"] = annotation
    return f


def node_of(annotation: Any, default: Any) -> dict[str, Any]:
    form = form_of(function_of(annotation, default))
    node: dict[str, Any] = form.schema({})["parameters"]["properties"]["x"]
    return node


def got(annotation: Any, default: Any, values: dict[str, Any]) -> Any:
    """Return what the function gets."""
    form = form_of(function_of(annotation, default))
    _, named = form.bind(form.decode(values, NO_INPUTS))
    return form.function(**named)


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (Login, Login(key="s3cret")),
        (Login | None, Login(key="s3cret")),
        (list[Login], [Login(key="s3cret")]),
        (list[Secret], ["s3cret"]),
        (set[Secret], {"s3cret"}),
        (dict[str, Secret], {"a": "s3cret"}),
        (dict[str, list[Secret]], {"a": ["s3cret"]}),
        (int | Secret, "s3cret"),
        (int | Login, Login(key="s3cret")),
        (Keys, {"user": "ada", "key": "s3cret"}),
        (Job, Job()),
        (list[File], [PATH]),
        (set[File], {PATH}),
        (dict[str, File], {"a": PATH}),
        (int | File, PATH),
        (Source, Source(PATH)),
        (list[Source], [Source(PATH)]),
    ],
)
def test_a_private_default_is_never_told_and_used_when_nothing_is_given(
    annotation: Any, default: Any
) -> None:
    told = json.dumps(node_of(annotation, default))
    assert "s3cret" not in told
    assert "private" not in told
    assert got(annotation, default, {}) == default


@pytest.mark.parametrize(
    ("annotation", "default", "name"),
    [
        (list[File], [PATH, "b.txt"], "report.csv, b.txt"),
        (set[File], {PATH}, "report.csv"),
        (dict[str, File], {"a": PATH}, "report.csv"),
        (list[list[File]], [[PATH], ["b.txt"]], "report.csv, b.txt"),
        (File | int, PATH, "report.csv"),
        (list[File] | None, [PATH], "report.csv"),
    ],
)
def test_default_files_are_shown_by_name(annotation: Any, default: Any, name: str) -> None:
    node = node_of(annotation, default)
    assert node["x-nbfunc"]["default_name"] == name
    assert "default" not in node


def test_the_variant_of_a_private_default_is_told() -> None:
    assert node_of(int | File, PATH)["x-nbfunc"]["default_type"] == "File"
    assert node_of(int | Secret, "s3cret")["x-nbfunc"]["default_type"] == "Text"


@pytest.mark.parametrize(
    ("annotation", "default"),
    [(list[File], []), (dict[str, Secret], {}), (File | None, None), (list[Secret | None], [None])],
)
def test_a_default_that_holds_nothing_private_is_told(annotation: Any, default: Any) -> None:
    assert node_of(annotation, default)["default"] == default
    assert node_of(int | File, 5)["default"] == {"$type": "Whole number", "$value": 5}


def test_a_group_shows_what_is_public_of_its_default_and_keeps_the_rest() -> None:
    default = Login(user="ada", key="s3cret")
    assert node_of(Login, default)["default"] == {"user": "ada"}
    assert got(Login, default, {"x": {"user": "grace"}}) == Login(user="grace", key="s3cret")
    assert got(Login, default, {"x": {"user": "grace", "key": "own"}}) == Login(user="grace", key="own")
    assert got(Keys, {"user": "ada", "key": "k"}, {"x": {"user": "grace"}}) == {"user": "grace", "key": "k"}
    assert got(Job, Job(), {"x": {"login": {"user": "grace"}}}).login.key == "s3cret of the job"


def test_a_group_shows_the_file_of_its_own_default_not_of_its_class() -> None:
    node = node_of(Source, Source(PATH, 5))
    assert node["properties"]["data"]["x-nbfunc"]["default_name"] == "report.csv"
    assert node["default"] == {"rows": 5}
    assert got(Source, Source(PATH, 5), {"x": {"rows": 5}}) == Source(PATH, 5)
    assert got(Source | int, Source(PATH), {"x": {"$type": "Source", "$value": {"rows": 2}}}) == Source(
        PATH, 2
    )
