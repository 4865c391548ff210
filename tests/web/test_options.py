"""Options that do not exist or do not fit say so before anything starts."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from nbfunc import application, run
from nbfunc.errors import OptionError
from nbfunc.web.options import REPLACED, Options, checked, tls


def add(a: int) -> int:
    return a


@pytest.mark.parametrize("name", sorted(REPLACED))
def test_an_argument_of_func_to_web_names_its_replacement(name: str) -> None:
    functions: list[Any] = [run, application]
    for function in functions:
        with pytest.raises(TypeError, match=re.escape(f"takes no {name}=: {REPLACED[name]}")):
            function(add, **{name: 1})


# By the version in which they came.
FUNC_TO_WEB = {
    "0.9": "func_or_list fastapi_config",
    "1.0": "func app_title css_vars favicon max_file_size keep_uploads returns_lifetime stream_prints "
    "front_dir assets_dir",
    "2.0": "fns capture_prints max_upload_bytes pending_ttl returns_ttl theme fastapi_kwargs uvicorn_kwargs",
}


@pytest.mark.parametrize("version", sorted(FUNC_TO_WEB))
def test_the_arguments_of_every_func_to_web_are_known(version: str) -> None:
    assert set(FUNC_TO_WEB[version].split()) <= set(REPLACED)


def test_any_other_argument_names_those_there_are() -> None:
    with pytest.raises(OptionError, match=r"takes no prot=\. It takes .*\bport\b"):
        run(add, prot=80)
    with pytest.raises(OptionError, match=r"takes no port=\. It takes"):
        application(add, port=80)


def test_run_has_the_parameters_of_application_and_more() -> None:
    parameters = inspect.signature(run).parameters
    for name, option in inspect.signature(Options).parameters.items():
        assert parameters[name].default == option.default, name
    checked("run", {"port": 1}, also=["port"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"auth": {}}, "leave it out"),
        ({"auth": "ada:x"}, "passwords by name"),
        ({"auth": {"ada": ""}}, "not be empty|not empty"),
        ({"auth": {"a:b": "x"}}, "colon"),
        ({"auth": {"ada": 5}}, "must be text"),
        ({"max_concurrency": 0}, "max_concurrency=0"),
        ({"max_concurrency": True}, "max_concurrency=True"),
        ({"max_upload_size": -1}, "max_upload_size=-1"),
        ({"executor": 4}, "ProcessPoolExecutor"),
        ({"allowed_hosts": "example.com"}, "pass a list"),
        ({"allowed_origins": ["example.com"]}, "https://example.com"),
        ({"allowed_origins": ["https://example.com/path"]}, "no origin"),
        ({"frame_ancestors": ["https://a.example; script-src *"]}, "no source"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Options(**options)


@pytest.mark.parametrize("port", [-1, 65536, "8000", True, 80.5])
def test_a_port_is_a_number(port: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="port="):
        run(add, port=port)


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"ssl_certfile=.*nowhere"):
        tls(tmp_path / "nowhere", None)
    with pytest.raises(OptionError, match="goes with ssl_certfile="):
        tls(None, tmp_path / "key")
    nonsense = tmp_path / "cert.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(OptionError, match="do not fit"):
        tls(nonsense, None)


@pytest.mark.parametrize("option", [{"title": 5}, {"secret_key": b"bytes"}, {"root_path": 3}])
def test_what_must_be_text_is_refused_otherwise(option: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(option))):
        Options(**option)
