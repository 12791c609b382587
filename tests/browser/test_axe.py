"""What asks for rules of access is able to find a fault."""

from __future__ import annotations

import pytest

from tests.browser import axe

WHOLE = (
    "<!doctype html><html lang=en><head><title>A</title></head><body><main><h1>A</h1>{}</main></body></html>"
)


def test_a_page_without_a_fault_passes(page):
    """Text and a button with a name."""
    page.set_content(WHOLE.format("<button>Go</button>"))

    axe.check(page)


@pytest.mark.parametrize(
    ("markup", "rule"),
    [
        ("<button></button>", "button-name"),
        ("<p style='color: #999; background: #aaa'>Pale</p>", "color-contrast"),
        ("<h4>Deep</h4>", "heading-order"),
    ],
)
def test_a_fault_is_found_and_named(page, markup, rule):
    """Of WCAG and of best practice alike."""
    page.set_content(WHOLE.format(markup))

    with pytest.raises(AssertionError, match=rule):
        axe.check(page)
