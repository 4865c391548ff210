"""The description for programs is valid, and tells every function."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from nbfunc.errors import KernelUnreachable
from nbfunc.hosts.in_process import InProcessHost
from nbfunc.types import Color, Dropdown, Email, Field, File, Slider
from nbfunc.web.openapi import openapi
from nbfunc.web.site import Source
from tests.web.conftest import Serve


class Size(Enum):
    S = 1
    L = 2


@dataclass
class Point:
    x: float
    y: float = 0.0


def failing() -> list[str]:
    raise RuntimeError("no options")


def every(  # noqa: PLR0917 - a form has as many fields as it has
    n: Annotated[int, Field(ge=0, le=9), Slider()],
    points: list[Point],
    size: Size,
    either: int | str,
    day: date,
    took: timedelta,
    file: File,
    color: Color = "#000000",
    email: Email | None = None,
    choice: Literal["a", 1, True] = "a",
    several: set[Literal["x", "y"]] = {"x"},  # noqa: B006 - never changed
    table: dict[str, list[float]] = {},  # noqa: B006 - never changed
    dynamic: Annotated[str, Dropdown(failing)] = "x",
    dynamics: list[Annotated[str, Dropdown(failing)]] = [],  # noqa: B006 - never changed
) -> None:
    """Everything."""


def add(a: int, b: int = 2) -> int:
    return a + b


@pytest.fixture(params=["", "/prefix"])
def described(serve: Serve, request: pytest.FixtureRequest) -> dict[str, Any]:
    served = serve({"Some": [every], "Others": [add]}, root_path=request.param, title="Tools")
    answer = served.get("/-/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    said: dict[str, Any] = answer.json
    return {**said, "paths": {path.removeprefix(request.param): p for path, p in said["paths"].items()}}


def test_it_is_valid_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_every_function_is_an_operation_with_its_schema(described: dict[str, Any]) -> None:
    call = described["paths"]["/add"]["post"]
    assert (call["operationId"], call["summary"], call["tags"]) == ("add", "Add", ["Others"])
    schema = call["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["a"]
    assert set(call["responses"]) == {"200", "202", "404", "409", "422", "500", "503"}
    assert described["paths"]["/every"]["post"]["requestBody"]["required"] is True


@pytest.mark.parametrize(
    ("path", "verbs"),
    [
        ("/-/functions", {"get"}),
        ("/-/events", {"get"}),
        ("/-/runs", {"get"}),
        ("/-/runs/{run}", {"get", "delete"}),
        ("/-/runs/{run}/files.zip", {"get", "head"}),
        ("/-/uploads", {"post"}),
        ("/-/uploads/{token}", {"patch", "head", "delete"}),
        ("/-/files/{id}/{filename}", {"get", "head"}),
        ("/-/tables/{id}/{filename}", {"get", "head"}),
    ],
)
def test_what_all_functions_share_is_described_too(
    path: str, verbs: set[str], described: dict[str, Any]
) -> None:
    assert set(described["paths"][path]) - {"parameters"} == verbs


def test_a_dropdown_is_not_asked_what_it_offers_when_a_form_opens(described: dict[str, Any]) -> None:
    schema = described["paths"]["/every"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for place in (schema["properties"]["dynamic"], schema["properties"]["dynamics"]["items"]):
        assert place["x-nbfunc"]["dynamic"] is True
        assert "enum" not in place
        assert "error" not in place["x-nbfunc"], "it was asked"


class Silent(InProcessHost):
    """A host that does not answer."""

    async def form(self, name: str, *, ask: bool = True) -> dict[str, Any]:  # noqa: ARG002 - the host's
        raise KernelUnreachable("The kernel does not answer.")


def test_a_kernel_that_does_not_answer_takes_nothing_from_the_others(serve: Serve) -> None:
    site = serve(add).app.site
    silent = Silent(every, store=site.returns, uploads=site.uploads)
    source = Source(host=silent, kernel="k")
    paths = asyncio.run(openapi(site, [*site.sources(), source]))["paths"]
    assert "/add" in paths
    assert "/k/every" not in paths
    with pytest.raises(KernelUnreachable):
        asyncio.run(openapi(site, [source]))
    silent.close()


def test_an_unknown_kernel_is_not_found(serve: Serve) -> None:
    assert serve(add).get("/-/openapi.json?kernel=x").status == 404
