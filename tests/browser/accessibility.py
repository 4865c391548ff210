"""axe-core, as a page's own script: what it finds is what someone cannot perceive or operate."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "nbfunc" / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page, within: str = "html") -> list[str]:
    """Return what axe finds in the elements of a selector, shadow roots included: a line a finding.

    Colors are measured once they stand: the page's transitions are finished first.
    """
    page.evaluate("() => document.getAnimations().forEach((one) => one.finish())")
    # In the page's main world, past its content security policy.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "([within, rules]) => axe.run(within, { runOnly: rules }).then((result) => result.violations)",
        [within, RULES],
    )
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]
