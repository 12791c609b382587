"""`sightline dead`: what nobody could use, on the folder of a service, whether it runs or not."""

import base64
import json

import pytest

from sightline.adapters.sqlite.store import SqliteStore
from sightline.cli import main
from sightline.ports import Entry, Outgoing
from sightline.runtime.dead_letters import bury, dead_letter
from sightline.testing import begun_job, scripted_recipe

CARS = "detections-cars"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The store of a service that runs beside the command: it stays open."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("SIGHTLINE_DATA", str(tmp_path))
    opened = SqliteStore(tmp_path / "store.sqlite")
    for job_id in ("j1", "j2"):
        opened.create(begun_job(scripted_recipe(job_id)), [])
    yield opened
    opened.close()


def lost(store, job_id="j1", value=b'{"seq":3}', topic=CARS, stage="track", **more):
    """A letter; the record of a job lies at an offset of its own."""
    entry = Entry({"j1": 5, "j2": 6}[job_id], job_id, value)
    bury(store, dead_letter(stage, topic, 0, entry, "invalid_record", "not a record", **more))


def told(capsys, *words):
    """Exit code, and the objects that were printed."""
    code = main(["dead", *words, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_letters_of_all_topics_are_listed_with_why_they_are_here(store, capsys):
    """In the order in which records pass the topics."""
    lost(store)
    lost(store, "j2", topic="frames-main", stage="detect", attempts=4)

    code, found = told(capsys, "list")

    assert code == 0
    assert found == [
        {
            "id": "frames-main/0",
            "topic": "frames-main",
            "job_id": "j2",
            "stage": "detect",
            "reason": "invalid_record",
            "attempts": 4,
            "message": "not a record",
            "retried": None,
        },
        {
            "id": f"{CARS}/0",
            "topic": CARS,
            "job_id": "j1",
            "stage": "track",
            "reason": "invalid_record",
            "attempts": 1,
            "message": "not a record",
            "retried": None,
        },
    ]
    assert [each["id"] for each in told(capsys, "list", "--topic", CARS)[1]] == [f"{CARS}/0"]
    assert [each["id"] for each in told(capsys, "list", "--job", "j2")[1]] == ["frames-main/0"]


def test_a_letter_is_shown_as_the_record_was(store, capsys):
    """For machines byte by byte, for people JSON in lines."""
    lost(store, value=b'{"seq":3,"seq":4}')

    code, [shown] = told(capsys, "show", f"{CARS}/0")
    assert (code, shown["text"], shown["key"]) == (0, '{"seq":3,"seq":4}', "j1")
    assert base64.b64decode(shown["base64"]) == b'{"seq":3,"seq":4}'
    assert ["x-dlq-offset", "5"] in shown["headers"]

    assert main(["dead", "show", f"{CARS}/0"]) == 0
    out = capsys.readouterr().out
    assert out.endswith('{\n  "seq": 3,\n  "seq": 4\n}\n')
    assert "x-dlq-stage: track\n" in out


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"no JSON", "no JSON\n"),
        (b"\xff\x00\x01\x02\x03", "ff 00010203\n"),
        (b"a\x1b[31m\xe2\x80\xaeb", "a\\x1b[31m\\u202eb\n"),
        (b"[" * 100_000, "[" * 100_000 + "\n"),
        (b"\xff" * 5_000, "... 5000 bytes; --json has all of them\n"),
        (b"", ""),
    ],
)
def test_a_record_of_any_kind_is_shown_and_draws_nothing_by_itself(store, capsys, value, shown):
    """What a foreign program wrote never reaches the terminal as a command."""
    lost(store, value=value)

    assert main(["dead", "show", f"{CARS}/0"]) == 0

    assert capsys.readouterr().out.rstrip("\n").endswith(shown.rstrip("\n"))
    assert told(capsys, "show", f"{CARS}/0")[1][0]["base64"] == base64.b64encode(value).decode()


def test_a_letter_is_sent_again_and_marked(store, capsys):
    """Whoever runs beside reads it; the list says when, and `--all` passes over it the next time."""
    lost(store)
    lost(store, "j2")

    code, [sent] = told(capsys, "retry", f"{CARS}/0")

    assert (code, sent["outcome"], sent["job_id"]) == (0, "sent", "j1")
    assert [entry.value for entry in store.read(CARS, 0, 0, 10)] == [b'{"seq":3}']
    assert [each["retried"] is None for each in told(capsys, "list")[1]] == [False, True]
    assert [each["id"] for each in told(capsys, "retry", "--all")[1]] == [f"{CARS}/1"]
    assert told(capsys, "retry", "--all") == (0, [])
    assert len(store.read(CARS, 0, 0, 10)) == 2


def test_a_record_that_several_stages_buried_is_sent_once(store, capsys):
    """All of them read it there: their letters are marked together."""
    lost(store, stage="track")
    lost(store, stage="collect")

    assert [each["id"] for each in told(capsys, "retry", "--all")[1]] == [f"{CARS}/0"]
    assert None not in [each["retried"] for each in told(capsys, "list")[1]]
    assert [each["outcome"] for each in told(capsys, "retry", f"{CARS}/0", f"{CARS}/1")[1]] == [
        "sent",
        "sent",
    ]
    assert len(store.read(CARS, 0, 0, 10)) == 2


def test_letters_of_a_job_that_has_ended_are_not_sent(store, capsys):
    """Exit code 1 where none was sent, 4 where some were; what helps is said."""
    lost(store)
    lost(store, "j2")
    store.advance("j2", "ready")

    code, [kept] = told(capsys, "retry", "--job", "j2")
    assert (code, kept["outcome"]) == (1, "ended")
    assert "sightline retry j2" in kept["detail"]

    assert main(["dead", "retry", f"{CARS}/0", f"{CARS}/1"]) == 4
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{CARS}/0  sent: ")
    assert second.startswith(f"{CARS}/1  not sent: job j2 has ended (ready)")


def test_a_name_that_is_wrong_sends_none_of_the_others(store, capsys):
    """They are looked up first."""
    lost(store)

    assert told(capsys, "retry", f"{CARS}/0", f"{CARS}/9")[0] == 3
    assert store.head(CARS, 0) == (0, 0)


def test_a_letter_of_a_foreign_program_is_listed(store, capsys):
    """Without a word of where it came from it is not sent."""
    store.append([Outgoing(f"{CARS}.dlq", 0, "", b"?", (("x-dlq-attempts", "many"),))])

    _, [listed] = told(capsys, "list")
    assert (listed["job_id"], listed["stage"], listed["attempts"]) == ("", "", None)
    assert told(capsys, "retry", "--all")[1][0]["outcome"] == "homeless"
    assert main(["dead", "list"]) == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["retry"], 2, "name letters, or --job JOB, or --all"),
        (["retry", f"{CARS}/0", "--all"], 2, "name letters, or --job JOB, or --all"),
        (["show", f"{CARS}/7"], 3, "no such dead letter is kept"),
        (["list", "--topic", "cars"], 3, "cars: no topic of the service; it has jobs, frames-main"),
        (["list", "--data", "elsewhere"], 3, "no folder of a service"),
        (["list", "--ledger", "postgres"], 2, "--ledger postgres needs --"),
    ],
)
def test_what_cannot_be_done_is_said(store, capsys, words, code, message):
    """Usage is code 2, what is not there 3."""
    assert main(["dead", *words]) == code
    assert message in capsys.readouterr().err


def test_nothing_to_list_is_said_by_the_way(store, capsys):
    """Not on stdout, which holds letters alone."""
    assert main(["dead", "list"]) == 0
    assert capsys.readouterr() == ("", "no dead letters\n")
