"""Rules of access, asked of a page as it stands: WCAG 2.2 up to AA, and what axe calls best practice."""

from __future__ import annotations

from tests.page.conftest import installed

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# Nothing is preloaded: what axe would put into the page for that, its policy refuses.
RUN = """tags => axe.run(document, {
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'], preload: false
})"""


def check(page):
    """Fail where the page breaks a rule, in the theme and the state that it is in; say which, where and why.

    Colours are judged as they are shown, so whatever fades or moves is finished first.
    """
    if page.evaluate("typeof window.axe === 'undefined'"):
        page.evaluate((installed() / "axe-core" / "axe.min.js").read_text())
    page.evaluate(
        "() => Promise.allSettled(document.getAnimations()"
        ".filter(each => each.effect.getComputedTiming().iterations !== Infinity).map(each => each.finished))"
    )
    found = page.evaluate(RUN, [*TAGS])["violations"]
    assert not found, "\n".join(_said(each) for each in found)


def check_both(page):
    """The same where the system is light and where it is dark; a theme that was chosen by the button stays."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        check(page)


def _said(violation):
    places = [f"    {node['html'][:200]}\n    {node['failureSummary']}" for node in violation["nodes"]]
    return "\n".join([f"{violation['id']} ({violation['impact']}): {violation['help']}", *places])
