"""The rules of SPEC 8 as tables, and each over HTTP."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import unquote

import pytest

from nbfunc.types import FileResponse
from nbfunc.web.safety import basic, hostname, is_loopback, local_path, origin_of, without_token
from tests.web.conftest import Serve
from tests.web.served import Answer, Part, Served

HTML = {"Accept": "text/html,application/xhtml+xml"}


def add(a: int = 1) -> int:
    return a + 1


def authorization(name: str, password: str, charset: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode(charset)).decode()}


def log_in(served: Served, name: str, password: str, after: str = "/", **headers: str) -> Answer:
    body = "&".join(
        f"{k}={quoted(v)}" for k, v in {"username": name, "password": password, "next": after}.items()
    )
    sent = {"Content-Type": "application/x-www-form-urlencoded", **HTML, **headers}
    return served.request("POST", "/-/login", body.encode(), sent)


def quoted(text: str) -> str:
    return "".join(f"%{b:02X}" for b in text.encode())


def cookie_of(answer: Answer) -> dict[str, str]:
    return {"Cookie": str(answer.headers["Set-Cookie"]).partition(";")[0]}


# Words


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("/", True),
        ("/add?x=1", True),
        ("/prefix/add", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("\\\\evil.example", False),
        ("/\t/evil.example", False),
        ("/\n/evil.example", False),
        ("https://evil.example", False),
        ("javascript:alert(1)", False),
        ("evil.example", False),
        ("", False),
        (" /", False),
        ("///evil.example", False),
        ("/a\\..\\b", False),
        ("/\x7f/x", False),
    ],
)
def test_a_login_leads_to_a_path_of_this_site_only(given: str, safe: bool) -> None:
    assert local_path(given, "/home") == (given if safe else "/home")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:8000", "localhost"),
        ("LOCALHOST", "localhost"),
        ("127.0.0.1:1", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("example.com.", "example.com"),
        ("example.com:", "example.com"),
        ("", ""),
    ],
)
def test_a_host_has_a_name(host: str, name: str) -> None:
    assert hostname(host) == name


@pytest.mark.parametrize(
    ("name", "loopback"),
    [
        ("localhost", True),
        ("x.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_no_other(name: str, loopback: bool) -> None:
    assert is_loopback(name) is loopback


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a.example", "http://a.example:80", True),
        ("https://A.example", "https://a.example:443/", True),
        ("http://a.example", "https://a.example", False),
        ("http://a.example:1", "http://a.example:2", False),
        ("null", "http://a.example", False),
        ("null", "null", True),
        ("http://[::1]:8000", "http://[::1]:8000", True),
        ("http://a.example:x", "http://a.example", False),
    ],
)
def test_origins_are_compared_by_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert (origin_of(one) == origin_of(other)) is same


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Basic " + base64.b64encode(b"ada:pass:word").decode(), ("ada", "pass:word")),
        ("basic " + base64.b64encode("é:ü".encode()).decode(), ("é", "ü")),
        ("Basic " + base64.b64encode("é:ü".encode("latin-1")).decode(), ("é", "ü")),
        ("Basic ???", None),
        ("Basic ééé", None),
        ("Bearer x", None),
        ("", None),
    ],
)
def test_basic_credentials_are_read(header: str, found: tuple[str, str] | None) -> None:
    assert basic(header) == found


@pytest.mark.parametrize(
    ("uri", "left"),
    [
        ("/?-token=x", "./"),
        ("/add?-token=x&a=1", "./add?a=1"),
        ("/add?a=1&-token=x&b=2", "./add?a=1&b=2"),
        ("//evil.example/?-token=x", "./"),
        ("//evil.example?-token=x", "./evil.example"),
    ],
)
def test_the_token_leaves_the_address(uri: str, left: str) -> None:
    assert without_token(uri) == left


# Host


@pytest.mark.parametrize(
    ("options", "host", "allowed"),
    [
        ({}, "127.0.0.1:9", True),
        ({}, "localhost", True),
        ({}, "evil.example", False),
        ({}, "127.0.0.1.evil.example", False),
        ({}, "192.168.1.5:8000", False),
        ({"allowed_hosts": ["app.example"]}, "app.example:8000", True),
        ({"allowed_hosts": ["app.example"]}, "APP.example", True),
        ({"allowed_hosts": ["app.example"]}, "x.app.example", False),
        ({"host": "192.168.1.5"}, "192.168.1.5:8000", True),
        ({"host": "192.168.1.5"}, "192.168.1.6", False),
        ({"host": "0.0.0.0"}, "192.168.1.5:8000", True),
        ({"host": "*"}, "192.168.1.5:8000", True),
        ({"host": "0.0.0.0"}, "evil.example", False),
        ({"auth": {"ada": "x"}}, "evil.example", True),
    ],
)
def test_a_server_answers_to_its_own_names(
    serve: Serve, options: dict[str, Any], host: str, allowed: bool
) -> None:
    served = serve(add, **options)
    headers = {"Host": host, **authorization("ada", "x")}
    answer = served.request("GET", "/add/schema", headers=headers)
    assert answer.status == (200 if allowed else 403), answer.text
    if not allowed:
        assert answer.json["reason"] == "forbidden"
        assert served.request("GET", "/-/static/x.js", headers=headers).status == 403


# Origin

OWN = "http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": OWN}, True),
        ({"Origin": "http://localhost:{port}"}, False),
        ({"Origin": "https://127.0.0.1:{port}"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OWN}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, True),
        ({"Origin": "https://friend.example"}, True),
        ({"Origin": "https://friend.example", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "https://evil.friend.example"}, False),
        ({"Origin": "https://app.example", "X-Forwarded-Host": "app.example"}, False),
    ],
)
def test_only_its_own_pages_and_programs_change_something(
    serve: Serve, headers: dict[str, str], allowed: bool
) -> None:
    served = serve(add, allowed_origins=["https://friend.example"])
    sent = {name: value.format(port=served.port) for name, value in headers.items()}
    for method, path in (("POST", "/add"), ("POST", "/-/uploads"), ("DELETE", "/-/runs/x")):
        answer = served.request(method, path, headers=sent)
        if allowed:
            assert answer.status != 403
        else:
            assert (answer.status, answer.json["reason"]) == (403, "foreign_origin")
    assert served.request("GET", "/add/schema", headers=sent).status == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"X-Forwarded-Host": "app.example", "X-Forwarded-Proto": "https"}, True),
        ({"X-Forwarded-Host": "app.example"}, False),
        ({}, False),
    ],
)
def test_a_proxy_tells_the_origin_only_if_it_is_believed(
    serve: Serve, headers: dict[str, str], allowed: bool
) -> None:
    served = serve(add, proxy_headers=True, allowed_hosts=["app.example"])
    answer = served.post("/add", Origin="https://app.example", **headers)
    assert (answer.status == 200) is allowed


def test_a_foreign_upload_is_refused_before_it_is_read(serve: Serve) -> None:
    served = serve(add)
    answer = served.form("/add", Part("a", b"x" * 5_000_000, "a.bin"), Origin="http://evil.example")
    assert (answer.status, answer.json["reason"]) == (403, "foreign_origin")


# Frames


def test_pages_are_framed_by_nobody_else(serve: Serve) -> None:
    answer = serve(add).get("/", **HTML)
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_pages_are_framed_by_who_may(serve: Serve) -> None:
    answer = serve(add, frame_ancestors=["https://host.example"]).get("/", **HTML)
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self' https://host.example"
    assert answer.headers["X-Frame-Options"] is None


# Logins


def make() -> FileResponse:
    return FileResponse(data=b"secret", filename="s.txt")


def test_nothing_is_there_without_a_login_but_the_login_itself(serve: Serve) -> None:
    served = serve([add, make], auth={"ada": "secret"})
    user = authorization("ada", "secret")
    made = served.post("/make", **user).json
    for method, path in (
        ("GET", "/"),
        ("GET", "/add"),
        ("POST", "/add"),
        ("GET", "/add/schema"),
        ("GET", "/nothing"),
        ("GET", "/-/functions"),
        ("GET", "/-/runs"),
        ("GET", f"/-/runs/{made['run']}"),
        ("DELETE", f"/-/runs/{made['run']}"),
        ("GET", f"/-/runs/{made['run']}/files.zip"),
        ("GET", "/-/events?changes=1"),
        ("GET", made["outputs"][0]["url"]),
        ("HEAD", made["outputs"][0]["url"]),
        ("GET", "/-/openapi.json"),
        ("POST", "/-/uploads"),
        ("OPTIONS", "/-/uploads"),
        ("PATCH", "/-/uploads/x"),
        ("GET", "/-/tables/x/y"),
        ("GET", "/-/nothing"),
        ("GET", "/static/x"),
        ("GET", "/-/static/"),
        ("PUT", "/add"),
    ):
        answer = served.request(method, path)
        assert answer.status == 401, (method, path)
        if method != "HEAD":
            assert answer.json["reason"] == "unauthorized"
    for method, path, status in (
        ("GET", "/-/login", 200),
        ("POST", "/-/logout", 303),
        ("GET", "/-/static/x.js", 404),
    ):
        assert served.request(method, path).status == status


def test_programs_use_http_basic(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret"})
    assert served.post("/add", **authorization("ada", "secret")).status == 200
    refused = served.post("/add", **authorization("ada", "wrong"))
    assert (refused.status, refused.json["reason"]) == (401, "unauthorized")
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert served.post("/add", Sec_Fetch_Mode="cors").headers["WWW-Authenticate"] is None


def test_a_browser_is_sent_to_the_login_and_back(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret"})
    sent = served.get("/add?a=5", **HTML)
    assert sent.status == 302
    assert sent.headers["Location"] == "/-/login?next=%2Fadd%3Fa%3D5"
    page = served.get(sent.headers["Location"], **HTML)
    assert page.status == 200
    assert 'name="next" value="/add?a=5"' in page.text
    done = log_in(served, "ada", "secret", "/add?a=5")
    assert (done.status, done.headers["Location"]) == (303, "/add?a=5")
    assert served.get("/add", **HTML, **cookie_of(done)).status == 200


def test_the_cookie_is_safe(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret"})
    cookie = str(log_in(served, "ada", "secret").headers["Set-Cookie"])
    assert cookie.startswith(f"nbfunc-{served.port}=")
    attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "path", "expires", "samesite"} <= attributes
    assert "samesite=lax" in cookie.lower()
    assert "secure" not in attributes
    behind = serve(add, auth={"ada": "secret"}, proxy_headers=True)
    assert "Secure" in str(
        log_in(behind, "ada", "secret", **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    )


@pytest.mark.parametrize(
    "after", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x"]
)
def test_a_login_never_leads_away(serve: Serve, after: str) -> None:
    served = serve(add, auth={"ada": "secret"})
    assert log_in(served, "ada", "secret", after).headers["Location"] == "/"
    page = served.get(f"/-/login?next={quoted(after)}", **HTML)
    assert re.search(r'name="next" value="([^"]*)"', page.text)[1] == "/"  # type: ignore[index]  # it is there


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "pässwörd"), ("ада", "пароль"), ("エイダ", "秘密🔑"), ("ada", "with:colon &%+")],
)
def test_a_password_may_be_in_any_script(serve: Serve, name: str, password: str) -> None:
    served = serve(add, auth={name: password})
    done = log_in(served, name, password)
    assert done.status == 303
    assert served.get("/add/schema", **cookie_of(done)).status == 200
    assert served.get("/add/schema", **authorization(name, password)).status == 200


def test_a_wrong_password_says_so_and_nothing_else(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret"})
    answers = [log_in(served, name, "wrong") for name in ("ada", "nobody")]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].text == answers[1].text
    assert "Wrong name or password." in answers[0].text
    assert answers[0].headers["Set-Cookie"] is None
    assert log_in(served, "ada", "wrong", Accept="application/json").json["reason"] == "unauthorized"


def test_after_five_wrong_tries_one_has_to_wait(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret", "bob": "secret"})
    for _ in range(5):
        assert log_in(served, "ada", "wrong").status == 401
    sixth = log_in(served, "ada", "secret")
    assert (sixth.status, sixth.headers["Retry-After"]) == (429, "1")
    assert served.post("/add", **authorization("ada", "secret")).json["reason"] == "too_many_tries"
    assert log_in(served, "bob", "secret").status == 303


@pytest.mark.parametrize(
    "change", [lambda c: c[:-2] + "00", lambda c: c.partition("=")[0] + "=", lambda c: c.replace("|", "x", 1)]
)
def test_a_forged_cookie_is_none(serve: Serve, change: Any) -> None:
    served = serve(add, auth={"ada": "secret"})
    cookie = cookie_of(log_in(served, "ada", "secret"))["Cookie"]
    assert served.get("/add", Cookie=cookie).status == 200
    assert served.get("/add", Cookie=change(cookie)).status == 401


def test_a_session_outlives_the_server_only_with_its_key(serve: Serve) -> None:
    auth = {"ada": "secret"}
    for key, status in (("a key", 200), (None, 401)):
        first = serve(add, auth=auth, secret_key=key)
        cookie = cookie_of(log_in(first, "ada", "secret"))["Cookie"]
        second = serve(add, auth=auth, secret_key=key)
        second.app.guard.port = first.port  # as if it had been restarted there
        assert second.get("/add", Cookie=cookie).status == status


def test_a_session_ends_with_its_password(serve: Serve) -> None:
    first = serve(add, auth={"ada": "secret"}, secret_key="a key")
    cookie = cookie_of(log_in(first, "ada", "secret"))["Cookie"]
    second = serve(add, auth={"ada": "changed"}, secret_key="a key")
    second.app.guard.port = first.port
    assert second.get("/add", Cookie=cookie).status == 401


def test_logging_out_ends_the_session(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret"})
    done = served.request("POST", "/-/logout", headers=cookie_of(log_in(served, "ada", "secret")))
    assert (done.status, done.headers["Location"]) == (303, "/-/login")
    assert re.match(r'nbfunc-\d+="";', str(done.headers["Set-Cookie"]))
    assert served.post("/-/logout", Origin="http://evil.example").status == 403
    assert served.get("/-/logout").status == 405


def test_a_foreign_page_logs_nobody_in(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret"})
    assert log_in(served, "ada", "secret", Origin="http://evil.example").status == 403


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_a_login_of_another_type_is_refused_and_is_no_wrong_try(serve: Serve, kind: str) -> None:
    served = serve(add, auth={"ada": "x"})
    said = b'{"username": "ada", "password": "x"}'
    for _ in range(6):
        answer = served.request("POST", "/-/login", said, {"Content-Type": kind})
        assert (answer.status, answer.json["reason"]) == (415, "unsupported_type")
    assert log_in(served, "ada", "x").status == 303


def test_without_auth_there_is_no_login(serve: Serve) -> None:
    assert serve(add).get("/-/login").status == 404


def test_who_asks_is_known_to_the_function(serve: Serve) -> None:
    from nbfunc import current_user

    def who() -> str:
        return str(current_user())

    served = serve(who, auth={"ada": "secret"})
    assert "ada" in served.post("/who", **authorization("ada", "secret")).json["outputs"][0]["text"]


def test_with_a_prefix_the_login_has_it_too(serve: Serve) -> None:
    served = serve(add, auth={"ada": "secret"}, root_path="/tools")
    for path in ("/tools/add", "/add"):
        sent = served.get(path, **HTML)
        assert unquote(sent.headers["Location"]) == "/tools/-/login?next=/tools/add"
