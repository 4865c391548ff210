"""The description for programs is valid, and tells every function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from nbfunc.types import Color, Dropdown, Email, Field, File, Slider
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


def test_an_unknown_kernel_is_not_found(serve: Serve) -> None:
    assert serve(add).get("/-/openapi.json?kernel=x").status == 404
