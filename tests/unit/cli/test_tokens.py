"""`sightline tokens`: shown once, then known by name alone."""

import json

import pytest

from sightline.cli import main


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder that is not there yet, named as a service's is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("SIGHTLINE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def told(capsys, *words):
    """Exit code, and the objects that were printed."""
    code = main([*words, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_token_is_made_listed_and_removed(data, capsys):
    """Its text is shown when it is made, and never again."""
    code, [made] = told(capsys, "tokens", "add", "anna", "--scope", "read", "--expires", "30d")
    assert (code, made["name"], made["scope"]) == (0, "anna", "read")

    code, [listed] = told(capsys, "tokens", "list")
    assert (code, listed["name"], listed["state"]) == (0, "anna", "valid")
    assert made["token"] not in json.dumps(listed)
    assert listed["expires"] == made["expires"]

    assert told(capsys, "tokens", "rm", "anna") == (0, [{"name": "anna", "left": 0}])
    assert told(capsys, "tokens", "list") == (0, [])


def test_people_get_the_token_alone_on_stdout(data, capsys):
    """So that a script can keep it."""
    main(["tokens", "add", "anna"])

    out, err = capsys.readouterr()
    assert len(out.split()) == 1
    assert out.startswith("slt_")
    assert "anna may write" in err
    assert out.strip() not in err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["add", "anna", "--expires", "soon"], 2, "--expires soon: should be a time like 30d"),
        (["add", "anna", "--expires", "0d"], 2, "it would never hold"),
        (["add", "../x"], 2, "a name has letters"),
        (["rm", "anna"], 3, "no folder of a service"),
        (["list"], 3, "no folder of a service"),
    ],
)
def test_what_cannot_be_done_is_said(data, capsys, words, code, message):
    """With the flag that it is about."""
    assert main(["tokens", *words]) == code
    assert message in capsys.readouterr().err
