"""The resources over HTTP: statuses, headers and bodies of SPEC 7."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urljoin

import pytest

from nbfunc import progress
from nbfunc.types import Color, DataFile, Dropdown, Email, Field, FileResponse, ImageFile
from tests.web.conftest import Serve
from tests.web.served import Part, Served


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    print(f"adding {a} and {b}")
    return a + b


def fail(word: str = "no") -> None:
    print("before")
    raise ValueError(f"{word}: 100%")


def greet(name: str) -> str:
    return f"Hello {name}!"


def location(served: Served, answer: Any) -> str:
    run = answer.json["run"]
    assert answer.headers["Location"] == f"/-/runs/{run}"
    return str(answer.headers["Location"])


# Pages


def test_a_page_is_packed_for_who_takes_that(serve: Serve) -> None:
    served = serve(add)
    plain = served.get("/add", Accept="text/html")
    packed = served.get("/add", **{"Accept": "text/html", "Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    refused = served.get("/add", **{"Accept": "text/html", "Accept-Encoding": "gzip;q=0, br"})
    assert refused.body == plain.body
    missing = served.get("/nowhere", **{"Accept": "text/html", "Accept-Encoding": "gzip"})
    assert missing.status == 404
    assert b"nowhere" in gzip.decompress(missing.body)


# Running


def test_a_run_answers_when_it_ends(serve: Serve) -> None:
    answer = serve(add).post("/add", {"a": 1})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json == {
        "run": answer.json["run"],
        "status": "finished",
        "printed": "adding 1 and 2\n",
        "outputs": [{"kind": "text", "text": "3", "value": 3}],
    }


def test_every_run_has_an_address(serve: Serve) -> None:
    served = serve([add, fail])
    for answer in (served.post("/add", {"a": 1}), served.post("/fail")):
        assert served.get(location(served, answer)).json == answer.json


def test_a_function_that_fails_says_how_and_what_it_printed(serve: Serve) -> None:
    answer = serve(fail).post("/fail", {"word": "never"})
    assert answer.status == 500
    assert answer.json == {
        "run": answer.json["run"],
        "status": "failed",
        "printed": "before\n",
        "outputs": [],
        "error": {"type": "ValueError", "message": "never: 100%"},
        "message": "ValueError: never: 100%",
        "reason": "failed",
    }
    assert b"Traceback" not in answer.body


def test_arguments_that_do_not_fit_run_nothing(serve: Serve) -> None:
    answer = serve(add).post("/add", {"a": "1", "c": 3})
    assert answer.status == 422
    assert answer.json["reason"] == answer.json["status"] == "invalid"
    assert [error["loc"] for error in answer.json["errors"]] == [["a"], ["c"]]
    assert "Location" not in answer.headers


def test_errors_name_the_place_at_depth(serve: Serve) -> None:
    def tag(tags: list[dict[str, int]]) -> None: ...

    answer = serve(tag).post("/tag", {"tags": [{}, {"a": 1, "b": "x"}]})
    assert answer.json["errors"][0]["loc"] == ["tags", 1, "b"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_function_is_not_found(serve: Serve, method: str) -> None:
    answer = serve(add).request(method, "/nothing", b"" if method == "POST" else None)
    assert (answer.status, answer.json["reason"]) == (404, "not_found")


@pytest.mark.parametrize("body", [b"", b"  "])
def test_an_empty_body_is_no_arguments(serve: Serve, body: bytes) -> None:
    def hello() -> str:
        return "hello"

    assert serve(hello).post("/hello", body, Content_Type="application/json").status == 200


def test_no_content_type_is_no_arguments(serve: Serve) -> None:
    served = serve(greet)
    assert served.post("/greet").status == 422
    assert served.request("POST", "/greet", b"name=x").status == 415


def test_respond_async_answers_at_once(serve: Serve) -> None:
    release = threading.Event()

    def wait() -> str:
        release.wait(30)
        return "done"

    served = serve(wait)
    answer = served.post("/wait", Prefer="respond-async, wait=10")
    assert (answer.status, list(answer.json)) == (202, ["run"])
    run = location(served, answer)
    served.until(lambda: served.get(run).json["status"] == "running")
    release.set()
    served.until(lambda: served.get(run).json["status"] == "finished")
    assert served.get(run).json["outputs"][0]["text"] == "done"


def test_a_run_can_be_cancelled(serve: Serve) -> None:
    started = threading.Event()

    def spin() -> None:
        started.set()
        while True:
            time.sleep(0.001)

    served = serve(spin)
    run = location(served, served.post("/spin", Prefer="respond-async"))
    started.wait(30)
    answer = served.request("DELETE", run)
    assert (answer.status, answer.json) == (202, {"status": "cancelling"})
    served.until(lambda: served.get(run).json["status"] == "cancelled")
    again = served.request("DELETE", run)
    assert (again.status, again.json) == (200, {"status": "cancelled"})
    assert served.get(run).json["reason"] == "cancelled"


def test_whoever_waits_for_a_cancelled_run_gets_409(serve: Serve) -> None:
    started = threading.Event()

    async def sleep() -> None:
        started.set()
        await asyncio.sleep(60)

    served = serve(sleep)
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(served.post("/sleep")))
    waiting.start()
    started.wait(30)
    served.request("DELETE", served.get("/-/runs").json[0]["url"].replace("/sleep", run_of(served)))
    waiting.join(30)
    assert (answers[0].status, answers[0].json["status"]) == (409, "cancelled")


def run_of(served: Served) -> str:
    return f"/-/runs/{served.get('/-/runs').json[0]['run']}"


def test_a_server_that_stops_answers_who_waits_for_a_run_that_printed_much(serve: Serve) -> None:
    begun = threading.Event()
    word = "much " * (1 << 20)

    async def print_and_wait() -> None:
        print(word)
        begun.set()
        await asyncio.Event().wait()

    served = serve(print_and_wait)
    with ThreadPoolExecutor(1) as clients:
        waiting = clients.submit(served.post, "/print_and_wait")
        assert begun.wait(30)
        served.server.stop()
        answer = waiting.result(30)
    assert (answer.status, answer.json["printed"]) == (409, f"{word}\n")


def test_runs_beyond_the_limit_wait_in_order(serve: Serve) -> None:
    release = threading.Event()

    def wait(n: int) -> int:
        release.wait(30)
        return n

    served = serve(wait, max_concurrency=1)
    runs = [served.post("/wait", {"n": n}, Prefer="respond-async").json["run"] for n in range(3)]
    served.until(
        lambda: {row["run"]: row["status"] for row in served.get("/-/runs").json}[runs[0]] == "running"
    )
    rows = {row["run"]: row for row in served.get("/-/runs").json}
    assert [rows[run].get("position") for run in runs] == [None, 1, 2]
    release.set()
    served.until(lambda: served.get(f"/-/runs/{runs[2]}").json["status"] == "finished")


def test_the_list_of_runs_says_how_they_are(serve: Serve) -> None:
    def step() -> None:
        progress(1, 4, "first")

    served = serve([step, add])
    served.post("/step")
    served.post("/add", {"a": 1})
    newest, oldest = served.get("/-/runs").json
    assert (newest["function"], newest["url"], newest["status"]) == ("add", "/add", "finished")
    assert newest["started"] <= newest["ended"]
    assert newest["ended"].endswith("Z")
    assert oldest["progress"] == {"done": 1.0, "total": 4.0, "text": "first"}


def test_an_unknown_run_is_not_found(serve: Serve) -> None:
    served = serve(add)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/files.zip")):
        answer = served.request(method, f"/-/runs/nothing{path}")
        assert (answer.status, answer.json["reason"]) == (404, "not_found")


# Bodies


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{", 400, "bad_json"),
        (b'{"a": NaN}', 400, "bad_json"),
        (b'{"a": Infinity}', 400, "bad_json"),
        (b'{"a": 1}x', 400, "bad_json"),
        (b"\xff", 400, "bad_json"),
        (b"[" * 100_000, 400, "bad_json"),
        (b'{"a": ' + b"1" * 5000 + b"}", 400, "bad_json"),
        (b"[1]", 422, "invalid"),
        (b"3", 422, "invalid"),
        (b'{"a": true}', 422, "invalid"),
        (b'{"a": 1.5}', 422, "invalid"),
        (b'{"a": null}', 422, "invalid"),
        (b'{"b": 1}', 422, "invalid"),
        (b'{"a": "\\ud800"}', 422, "invalid"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_json_is_refused(serve: Serve, body: bytes, status: int, reason: str) -> None:
    answer = serve(add).post("/add", body, Content_Type="application/json")
    assert (answer.status, answer.json["reason"]) == (status, reason)


def test_of_one_name_twice_the_last_counts(serve: Serve) -> None:
    answer = serve(add).post("/add", b'{"a": 1, "a": 5}', Content_Type="application/json; charset=utf-8")
    assert answer.json["outputs"][0]["value"] == 7


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "multipart/mixed"])
def test_another_content_type_is_refused(serve: Serve, kind: str) -> None:
    answer = serve(add).post("/add", b"a=1", Content_Type=kind)
    assert (answer.status, answer.json["reason"]) == (415, "unsupported_type")


def test_a_text_of_100_mb_is_refused_and_the_client_reads_why(serve: Serve) -> None:
    served = serve(greet)
    text = b'{"name": "' + b"x" * 100_000_000 + b'"}'
    answer = served.post("/greet", text, Content_Type="application/json")
    assert (answer.status, answer.json["reason"]) == (413, "too_large")
    part = served.form("/greet", Part("name", text))
    assert (part.status, part.json["reason"]) == (413, "too_large")
    assert served.post("/greet", {"name": "still here"}).status == 200


def test_a_chunked_body_is_bounded_too(serve: Serve) -> None:
    served = serve(greet)
    connection = served.connect()
    pieces = (b"x" * (1 << 20) for _ in range(80))
    connection.request("POST", "/greet", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 413
    connection.close()


def test_a_text_of_32_mb_is_taken(serve: Serve) -> None:
    def size(text: str) -> int:
        return len(text)

    body = b'{"text": "' + "é".encode() * (16 << 20) + b'"}'
    answer = serve(size).post("/size", body, Content_Type="application/json")
    assert answer.json["outputs"][0]["value"] == 16 << 20


def everything(  # noqa: PLR0917 - a form has as many fields as it has
    flag: bool | None = None,
    choice: Literal[True, False, 1, "one"] = "one",
    numbers: list[int] = [],  # noqa: B006 - never changed
    text: str = "default",
    maybe: int | None = None,
    color: Color = "#000000",
    email: Email = "a@example.com",
) -> Any:
    return [[repr(flag), repr(choice), numbers, text, maybe, color, email]]


URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ["None", "'one'", [], "default", None, "#000000", "a@example.com"]),
        (b"flag=false&choice=false", ["False", "False", [], "default", None, "#000000", "a@example.com"]),
        (b"flag=on&choice=1", ["True", "1", [], "default", None, "#000000", "a@example.com"]),
        (b"numbers=1&numbers=2", ["None", "'one'", [1, 2], "default", None, "#000000", "a@example.com"]),
        (b"text=&maybe=&color=%23abc", ["None", "'one'", [], "", None, "#aabbcc", "a@example.com"]),
        (
            b'numbers=1&-={"numbers":[7],"flag":true}&text=a+b%26',
            ["True", "'one'", [7], "a b&", None, "#000000", "a@example.com"],
        ),
    ],
)
def test_form_bodies_read_as_their_fields_say(serve: Serve, body: bytes, expected: list[Any]) -> None:
    answer = serve(everything).post("/everything", body, Content_Type=URLENCODED)
    assert answer.status == 200, answer.text
    assert answer.json["outputs"][0]["value"] == [expected]


@pytest.mark.parametrize("rest", [b"-={", b"-=[]", b"-=NaN"])
def test_the_rest_of_a_form_body_is_an_object(serve: Serve, rest: bytes) -> None:
    assert serve(everything).post("/everything", rest, Content_Type=URLENCODED).status in {400, 422}


def test_defaults_stand_in_for_what_is_left_out(serve: Serve) -> None:
    served = serve(add)
    assert served.post("/add", b"a=1", Content_Type=URLENCODED).json["outputs"][0]["value"] == 3
    assert served.form("/add", Part("a", b"1")).json["outputs"][0]["value"] == 3


asked: list[int] = []


def options() -> list[str]:
    asked.append(1)
    return [f"option {len(asked)}"]


def pick(what: Annotated[str, Dropdown(options)]) -> str:
    return what


def test_a_dropdown_is_asked_each_time_the_form_opens(serve: Serve) -> None:
    served = serve(pick)
    schemas = [served.get("/pick/schema").json["parameters"]["properties"]["what"] for _ in range(2)]
    assert [schema["enum"] for schema in schemas] == [["option 1"], ["option 2"]]
    assert served.post("/pick", {"what": "option 1"}).status == 200
    assert served.post("/pick", {"what": "never there"}).status == 422


# Multipart


def read(file: DataFile, note: str = "") -> str:
    path = Path(file)
    return f"{path.name}|{path.read_bytes()!r}|{note}"


def test_a_file_in_a_form_reaches_the_function_by_its_name(serve: Serve, tmp_path: Path) -> None:
    served = serve(read)
    answer = served.form("/read", Part("file", b"a,b\r\n1,2", "Mes données.CSV"), Part("note", "é".encode()))
    assert answer.json["outputs"][0]["text"] == "Mes données.CSV|b'a,b\\r\\n1,2'|é"
    served.until(lambda: not list((tmp_path / "uploads").iterdir()))


def test_several_files_of_one_name_are_a_list(serve: Serve) -> None:
    def sizes(files: list[ImageFile]) -> list[int]:
        return [Path(file).stat().st_size for file in files]

    served = serve(sizes)
    two = served.form("/sizes", Part("files", b"1", "a.PNG"), Part("files", b"22", "b.jpeg"))
    assert two.json["outputs"][0]["value"] == [1, 2]
    assert served.form("/sizes", Part("files", b"1", "a.png")).json["outputs"][0]["value"] == [1]


def test_a_file_field_in_which_nothing_was_chosen_is_left_out(serve: Serve) -> None:
    def count(file: DataFile | None = None) -> bool:
        return file is None

    assert serve(count).form("/count", Part("file", b"", "")).json["outputs"][0]["value"] is True


@pytest.mark.parametrize("text", ["/etc/passwd", "../../etc/passwd", "0" * 60])
def test_a_text_field_names_no_file(serve: Serve, text: str) -> None:
    served = serve(read)
    for answer in (
        served.form("/read", Part("file", text.encode())),
        served.post("/read", f"file={text}".encode(), Content_Type=URLENCODED),
        served.post("/read", {"file": text}),
        served.post("/read", {"file": {"upload": text}}),
    ):
        assert answer.status == 422
        assert answer.json["errors"][0]["loc"][0] == "file"


@pytest.mark.parametrize("name", ["../../x.csv", "/etc/x.csv", "..\\..\\x.csv", "a/../b.csv", "C:\\x.csv"])
def test_a_file_name_never_becomes_a_path(serve: Serve, tmp_path: Path, name: str) -> None:
    answer = serve(read).form("/read", Part("file", b"1", name))
    assert answer.status == 200, answer.text
    shown = answer.json["outputs"][0]["text"].split("|")[0]
    assert "/" not in shown
    assert not list(tmp_path.glob("*.csv"))


def test_uploads_of_an_invalid_submit_are_removed(serve: Serve, tmp_path: Path) -> None:
    served = serve(read)
    answer = served.form("/read", Part("file", b"1", "a.csv"), Part("nonsense", b"x"))
    assert answer.status == 422
    assert not list((tmp_path / "uploads").iterdir())


def test_an_upload_over_the_limit_is_refused_and_leaves_nothing(serve: Serve, tmp_path: Path) -> None:
    served = serve(read, max_upload_size=1000)
    assert served.form("/read", Part("file", b"x" * 1000, "a.csv")).status == 200
    answer = served.form("/read", Part("file", b"x" * 3_000_000, "a.csv"))
    assert (answer.status, answer.json["reason"]) == (413, "too_large")
    served.until(lambda: not list((tmp_path / "uploads").iterdir()))


def test_an_upload_that_is_cut_off_leaves_nothing(serve: Serve, tmp_path: Path) -> None:
    served = serve(read)
    head = Part("file", b"x" * 3_000_000, "a.csv").encoded("XX")
    with served.socket() as connection:
        request = "POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n"
        connection.sendall(f"{request}Content-Type: multipart/form-data; boundary=XX\r\n\r\n".encode() + head)
        served.until(lambda: bool(list((tmp_path / "uploads").iterdir())))
    served.until(lambda: not list((tmp_path / "uploads").iterdir()))
    assert served.get("/-/runs").json == []


def test_a_multipart_body_without_its_end_is_refused(serve: Serve, tmp_path: Path) -> None:
    body = Part("file", b"1,2", "a.csv").encoded("XX")
    answer = serve(read).post("/read", body, Content_Type="multipart/form-data; boundary=XX")
    assert (answer.status, answer.json["reason"]) == (400, "bad_json")
    assert not list((tmp_path / "uploads").iterdir())


@pytest.mark.parametrize(
    "body", [b"nonsense", b"--XX\r\nbroken", b"--XX\r\nContent-Disposition: form-data\r\n\r\nx"]
)
def test_a_malformed_multipart_body_is_refused(serve: Serve, body: bytes) -> None:
    answer = serve(read).post(
        "/read", body + b"\r\n--XX--\r\n", Content_Type="multipart/form-data; boundary=XX"
    )
    assert (answer.status, answer.json["reason"]) == (400, "bad_json")


def test_files_for_a_function_that_is_not_there_are_not_taken(serve: Serve, tmp_path: Path) -> None:
    answer = serve(read).form("/nothing", Part("file", b"x" * 3_000_000, "a.csv"))
    assert answer.status == 404
    assert not list((tmp_path / "uploads").iterdir())


def test_the_rest_of_a_multipart_form_is_json(serve: Serve) -> None:
    answer = serve(everything).form("/everything", Part("-", b'{"numbers":[1,2]}', "blob"))
    assert answer.json["outputs"][0]["value"][0][2] == [1, 2]


# What there is


def test_functions_are_listed_with_their_group(serve: Serve) -> None:
    rows = serve({"Math": [add], "Words": [greet]}).get("/-/functions").json
    assert rows[0] == {
        "name": "add",
        "title": "Add",
        "description": "Add two numbers.",
        "group": "Math",
        "url": "/add",
    }
    assert [row["group"] for row in rows] == ["Math", "Words"]


def test_a_schema_is_what_the_form_is(serve: Serve) -> None:
    schema = serve(add).get("/add/schema").json
    assert (schema["name"], schema["title"]) == ("add", "Add")
    assert schema["parameters"]["required"] == ["a"]
    assert serve(add).get("/nothing/schema").status == 404


def test_function_names_collide_with_no_route(serve: Serve) -> None:
    def static() -> str:
        return "static"

    def functions() -> str:
        return "functions"

    def schema() -> str:
        return "schema"

    def login() -> str:
        return "login"

    def static_files() -> str:
        return "static_files"

    both = [static, functions, schema, login, static_files]
    served = serve(both, auth={"ada": "secret"})
    for function in both:
        name = function.__name__
        assert served.post(f"/{name}").status == 401, name
        basic = {"Authorization": "Basic YWRhOnNlY3JldA=="}
        assert served.post(f"/{name}", **basic).json["outputs"][0]["text"] == name
        assert served.get(f"/{name}/schema", **basic).json["name"] == name


def test_a_name_of_another_script_has_an_address(serve: Serve) -> None:
    def grüße() -> str:  # noqa: PLC2401 - that is the point
        return "Grüße"

    served = serve([grüße, add])
    url = served.get("/-/functions").json[0]["url"]
    assert url == "/gr%C3%BC%C3%9Fe"
    assert served.post(url).status == 200
    assert served.post("/gru%CC%88%C3%9Fe").status == 200  # the ü as two characters


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/add", "GET, HEAD, POST"),
        ("DELETE", "/", "GET, HEAD"),
        ("POST", "/-/functions", "GET"),
        ("PATCH", "/-/runs", "GET"),
        ("POST", "/-/runs/abc", "GET, DELETE"),
        ("OPTIONS", "/add", "GET, HEAD, POST"),
    ],
)
def test_other_verbs_are_refused(serve: Serve, method: str, path: str, allow: str) -> None:
    answer = serve(add).request(method, path)
    assert answer.status == 405
    assert set(answer.headers["Allow"].split(", ")) == set(allow.split(", "))
    assert answer.json["reason"] == "invalid"


@pytest.mark.parametrize("path", ["/-/", "/-/nothing", "/-/files/x", "/a/b/c", "/-", "/%ff", "/-/static/"])
def test_nothing_else_is_there(serve: Serve, path: str) -> None:
    answer = serve(add).get(path)
    assert answer.status in {400, 404}
    assert set(answer.json) == {"message", "reason"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nowhere_is_not_found_by_any_verb(serve: Serve, method: str) -> None:
    assert serve(add).request(method, "/-/nothing").status == 404


@pytest.mark.parametrize("name", ["add", "größe"])
@pytest.mark.parametrize("base", ["", "/tools"])
def test_a_form_with_one_slash_too_many_leads_to_the_one_without(serve: Serve, name: str, base: str) -> None:
    def one(a: int = 1) -> int:
        return a

    one.__name__ = name
    served = serve([one, greet], root_path=base)
    address = f"{base}/{quote(name)}/"
    for method in ("GET", "HEAD"):
        answer = served.request(method, f"{address}?a=5&-embed=1")
        assert answer.status == 302
        there = urljoin(address, answer.headers["Location"])
        assert there == f"{base}/{quote(name)}?a=5&-embed=1"
        assert served.request(method, there).status == 200
    assert served.get("/nothing/").status == 404
    assert served.post(address).status == 405


def test_a_browser_gets_a_page_of_an_error(serve: Serve) -> None:
    answer = serve(add).get("/nothing", Accept="text/html,*/*;q=0.8")
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "There is no function" in answer.text


def test_percent_signs_in_errors_stay_as_they_are(serve: Serve) -> None:
    assert "'100%25'" not in serve(add).get("/100%25").text
    assert "100%" in serve(add).get("/100%25").json["message"]


def test_markup_in_errors_stays_text(serve: Serve) -> None:
    answer = serve(add).get("/%3Cscript%3Ealert(1)%3C%2Fscript%3E", Accept="text/html")
    assert "<script>alert" not in answer.text


def test_no_answer_opens_itself_to_other_origins(serve: Serve) -> None:
    answer = serve(add).get("/-/functions", Origin="https://elsewhere.example")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# Staying alive


def test_a_thousand_requests_on_one_connection_and_more(serve: Serve) -> None:
    served = serve(add)
    connection = served.connect()
    for n in range(1200):
        answer = served.request("POST", "/add", {"a": n}, connection=connection)
        assert answer.json["outputs"][0]["value"] == n + 2
    connection.close()
    assert served.get("/-/functions").status == 200


def test_a_slow_function_holds_nobody_up(serve: Serve) -> None:
    release = threading.Event()

    def slow() -> None:
        release.wait(30)

    served = serve([slow, add])
    served.post("/slow", Prefer="respond-async")
    assert served.post("/add", {"a": 1}).status == 200
    release.set()


def test_a_run_goes_on_when_its_client_leaves(serve: Serve) -> None:
    release, started = threading.Event(), threading.Event()

    def wait() -> str:
        started.set()
        release.wait(30)
        return "done"

    served = serve(wait)
    connection = served.connect()
    connection.request("POST", "/wait")
    started.wait(30)
    connection.close()
    release.set()
    served.until(lambda: served.get("/-/runs").json[0]["status"] == "finished")
    assert served.get(run_of(served)).json["outputs"][0]["text"] == "done"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def hostile(what: str) -> Any:
    if what == "exit":
        raise SystemExit(3)
    if what == "bytes":
        import sys

        sys.stdout.buffer.write(b"\xff\xfe")
        return "\ud800"
    return Unprintable()


@pytest.mark.parametrize(("what", "status"), [("exit", 500), ("bytes", 200), ("str", 500)])
def test_a_hostile_function_harms_its_own_run_only(serve: Serve, what: str, status: int) -> None:
    served = serve([hostile, add])
    answer = served.post("/hostile", {"what": what})
    assert answer.status == status, answer.text
    assert answer.json["status"] in {"finished", "failed"}
    assert served.post("/add", {"a": 1}).status == 200


def test_a_function_that_yields_for_ever_is_read_and_cancelled(serve: Serve) -> None:
    def forever() -> Iterator[str]:
        while True:
            yield "again"

    served = serve([forever, add])
    run = f"/-/runs/{served.post('/forever', Prefer='respond-async').json['run']}"
    served.until(lambda: len(served.get(run).json["outputs"]) > 100)
    assert served.post("/add", {"a": 1}).status == 200
    served.request("DELETE", run)
    served.until(lambda: served.get(run).json["status"] == "cancelled")


def test_an_async_generator_is_an_output_at_a_time(serve: Serve) -> None:
    async def words() -> AsyncIterator[str]:
        for word in ("one", "two"):
            await asyncio.sleep(0)
            yield word

    assert [o["text"] for o in serve(words).post("/words").json["outputs"]] == ["one", "two"]


def test_functions_are_called_where_executor_says(serve: Serve) -> None:
    def where() -> str:
        return threading.current_thread().name

    with ThreadPoolExecutor(1, thread_name_prefix="elsewhere") as executor:
        served = serve(where, executor=executor)
        assert served.post("/where").json["outputs"][0]["text"].startswith("elsewhere")


def test_a_returns_directory_that_is_deleted_is_made_again(serve: Serve, tmp_path: Path) -> None:
    def make() -> FileResponse:
        return FileResponse(data=b"here", filename="a.txt")

    served = serve(make)
    url = served.post("/make").json["outputs"][0]["url"]
    for path in (tmp_path / "returns").iterdir():
        path.unlink()
    (tmp_path / "returns").rmdir()
    assert served.get(url).status == 410
    again = served.post("/make").json["outputs"][0]["url"]
    assert served.get(again).body == b"here"


def test_a_constraint_is_checked_on_the_server(serve: Serve) -> None:
    def small(n: Annotated[int, Field(ge=1, le=3)]) -> int:
        return n

    served = serve(small)
    assert served.post("/small", {"n": 3}).status == 200
    assert served.post("/small", {"n": 4}).json["errors"][0]["loc"] == ["n"]
