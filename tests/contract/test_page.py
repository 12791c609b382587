"""The page's files: the same for everybody, never stale, and nothing of a stranger's among them."""

from __future__ import annotations

import re

import pytest


@pytest.mark.parametrize("path", ["/", "/jobs/3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e"])
def test_the_page_is_html_under_a_strict_policy(client, path):
    """No inline script, no other host, no frame around it."""
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers.get_list("content-security-policy") == [policy]
    assert not re.search(r"<script(?![^>]* src=)|\son[a-z]+=|style=", answer.text)


def test_every_file_that_the_page_names_is_there(client):
    """With its type, and a tag by which a browser asks again."""
    named = {
        name for path in ("/", "/jobs/x") for name in re.findall(r'"(/page/[^"#]+)', client.get(path).text)
    }
    kinds = {"css": "text/css", "jpg": "image/jpeg", "js": "text/javascript", "svg": "image/svg+xml"}

    assert named
    for name in named:
        answer = client.get(name)
        assert answer.status_code == 200, name
        assert answer.headers["content-type"].startswith(kinds[name.rpartition(".")[2]])
        assert client.get(name, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "name", ["", "nothing.js", "../api/page.py", "%2e%2e/api/page.py", "vendor/uPlot.LICENSE"]
)
def test_nothing_else_is_served(client, name):
    """Only what was read at the start, by its name."""
    assert client.get(f"/page/{name}").status_code == 404


def test_the_demo_clip_is_served(client):
    """For those who have no video at hand."""
    answer = client.get("/page/demo.mp4")

    assert answer.headers["content-type"] == "video/mp4"
    assert answer.content[4:8] == b"ftyp"
