"""Tokens: made once, kept as hashes, found by their text."""

import pytest

from sightline.api import tokens
from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.testing import MemoryNotes

NOW = 1_700_000_000_000_000


@pytest.fixture
def notes():
    return MemoryNotes()


def test_a_token_is_found_by_its_text_alone(notes):
    """Each text has one name."""
    texts = {name: tokens.add(notes, name, "read", NOW) for name in ("anna", "bert", "carl")}
    kept = tokens.listed(notes)

    assert {name: tokens.found(kept, text, NOW).name for name, text in texts.items()} == {n: n for n in texts}
    assert tokens.found(kept, texts["anna"][:-1], NOW) is None
    assert tokens.found(kept, "", NOW) is None


def test_every_token_is_compared_whichever_it_is(notes, monkeypatch):
    """So that the time of an answer says nothing about which one came near."""
    texts = [tokens.add(notes, f"t{n}", "read", NOW) for n in range(5)]
    compared = []
    same = tokens.hmac.compare_digest
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda a, b: compared.append(a) or same(a, b))

    for text in (texts[0], texts[4], "slt_" + "A" * 43):
        compared.clear()
        tokens.found(tokens.listed(notes), text, NOW)
        assert len(compared) == 5


def test_two_tokens_of_one_scope_differ(notes):
    """Nobody guesses one from another."""
    made = {tokens.add(notes, f"t{n}", "read", NOW) for n in range(50)}

    assert len(made) == 50


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "ä", "a" * 65, "a\n"])
def test_a_name_is_one_word(notes, name):
    """It stands in logs and metrics."""
    with pytest.raises(Misconfigured, match="a name has letters"):
        tokens.add(notes, name, "read", NOW)


def test_a_name_is_given_once(notes):
    """Whoever has the first token keeps it."""
    text = tokens.add(notes, "anna", "read", NOW)

    with pytest.raises(Misconfigured, match="tokens rm anna"):
        tokens.add(notes, "anna", "admin", NOW)
    assert tokens.found(tokens.listed(notes), text, NOW).scope == "read"


def test_a_scope_is_one_of_three(notes):
    with pytest.raises(Misconfigured, match="read, write, admin"):
        tokens.add(notes, "anna", "root", NOW)


def test_what_is_removed_is_no_longer_there(notes):
    text = tokens.add(notes, "anna", "read", NOW)
    tokens.remove(notes, "anna")

    assert tokens.found(tokens.listed(notes), text, NOW) is None
    with pytest.raises(NotFound, match="there is no token anna"):
        tokens.remove(notes, "anna")


def test_more_tokens_than_a_page_of_notes_are_all_there(notes):
    for n in range(250):
        tokens.add(notes, f"t{n:03}", "read", NOW)

    assert len(tokens.listed(notes)) == 250


def test_a_damaged_token_opens_nothing(notes):
    """It is not passed over: a service that forgot tokens would ask for none."""
    notes.put(tokens.TOKEN, "anna", {"scope": "everything"})

    with pytest.raises(Corrupt, match="token anna"):
        tokens.listed(notes)
