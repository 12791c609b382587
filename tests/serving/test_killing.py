"""Kills of a service that works, a few of them; `python -m tests.serving.killing` is the long form."""

from tests.serving import killing


def test_whatever_is_killed_nothing_is_lost_and_nothing_is_invented(capsys):
    """The same bytes, no other job, no other object."""
    assert killing.main(["--kills", "5", "--seed", "3", "--clients", "4"]) == 0, capsys.readouterr().out
