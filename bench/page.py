"""What a person waits for: a form of two fields in a real browser, and the result of a click."""

from __future__ import annotations

import gzip
import statistics
from dataclasses import dataclass
from typing import Any

from bench.products import Product
from bench.servers import serving

VISITS = 10
SUBMITS = 20
SETTLE_MILLISECONDS = 500
STREAM = "text/event-stream"

# Every open shadow root is looked through, since ours is a custom element.
_LOOK = """
window.all = function* (root = document) {
    for (const one of root.querySelectorAll("*")) {
        yield one;
        if (one.shadowRoot) yield* window.all(one.shadowRoot);
    }
};
window.texts = () => [...window.all()].filter((one) => one.matches("input[type=text], textarea"));
"""
# Ready is a field that is there to be typed into, in the first frame that shows it.
_READY = """
(() => {
    const look = () => {
        const input = document.body && window.texts().find((one) => !one.disabled && one.checkVisibility());
        if (input) window.ready = performance.now();
        else requestAnimationFrame(look);
    };
    look();
})();
"""
# From the click to the frame that shows the result, which no field holds.
_SUBMIT = """
async ([text, word]) => {
    const input = window.texts()[0];
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), "value").set.call(input, text);
    const heard = { bubbles: true, composed: true };
    for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind, heard));
    const named = (one) => one.matches("button") && new RegExp(`^${word}\\\\b`).test(one.textContent.trim());
    const button = [...window.all()].find(named);
    const seen = () => [...window.all()].some((one) =>
        !one.matches("input, textarea, script, style") && one.checkVisibility()
        && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.includes(`seen: ${text}`)));
    const begin = performance.now();
    button.click();
    while (!seen()) {
        if (performance.now() - begin > 30000) throw new Error("no result");
        await new Promise(requestAnimationFrame);
    }
    return performance.now() - begin;
}
"""


@dataclass
class Visit:
    """What one load of the page took.

    Attributes
    ----------
    sent : int
        Bytes on the wire, headers included.
    packed : int
        Bytes of the bodies as gzip makes them, whether the server does or not.
    ready : float
        Milliseconds until the first field can be typed into.
    """

    requests: int
    sent: int
    packed: int
    ready: float


def page(product: Product) -> dict[str, float]:
    """A form of two fields: what it loads, how soon it can be filled in, how soon its result is seen."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where a browser is measured

    from tests.chromium import ADVICE, FLAGS, found  # noqa: PLC0415 - the same

    path = found()
    if path is None:
        raise RuntimeError(ADVICE)
    with serving(product) as server, sync_playwright() as playwright:
        url = f"http://127.0.0.1:{server.port}/greet"
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            _visit(browser, url)  # the browser's own first page
            visits = [_visit(browser, url) for _ in range(VISITS)]
            submits = _submits(browser, url, product.submit)
        finally:
            browser.close()
    return {
        "form of two fields": statistics.median(visit.requests for visit in visits),
        "form of two fields, as sent": statistics.median(visit.sent for visit in visits) / 1000,
        "form of two fields, gzipped": statistics.median(visit.packed for visit in visits) / 1000,
        "first field ready, p50 of 10": statistics.median(visit.ready for visit in visits),
        "click to result seen, p50 of 20": statistics.median(submits),
    }


def _visit(browser: Any, url: str) -> Visit:
    """Load the page into an empty cache, until nothing more comes."""
    context = browser.new_context()
    try:
        tab = context.new_page()
        wire = context.new_cdp_session(tab)
        wire.send("Network.enable")
        sizes: list[int] = []
        wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
        answers: list[Any] = []
        tab.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright marks it
        tab.add_init_script(_LOOK + _READY)
        tab.goto(url)
        tab.wait_for_function("window.ready !== undefined")
        # Not until nothing is open any more: a stream of events stays so.
        tab.wait_for_timeout(SETTLE_MILLISECONDS)
        ready = float(tab.evaluate("window.ready"))
        whole = [one for one in answers if one.ok and not one.headers["content-type"].startswith(STREAM)]
        bodies = [answer.body() for answer in whole]
        return Visit(len(answers), sum(sizes), sum(len(gzip.compress(body)) for body in bodies), ready)
    finally:
        context.close()


def _submits(browser: Any, url: str, word: str) -> list[float]:
    tab = browser.new_page()
    tab.add_init_script(_LOOK)
    tab.goto(url)
    tab.wait_for_function("window.texts().length > 0")
    tab.wait_for_timeout(SETTLE_MILLISECONDS)
    # The first ones warm the page up.
    return [float(tab.evaluate(_SUBMIT, [f"name {n}", word])) for n in range(SUBMITS + 3)][3:]
