"""`sightline dead`: the records of a service that nobody could use; whether it runs or not."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App, Parameter

from sightline.cli import flags
from sightline.cli.cluster import WHERE
from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.examples import epilogue
from sightline.cli.exits import DONE, FAILED, PARTLY
from sightline.errors import Misconfigured, NotFound, setting
from sightline.settings import ServeOptions

if TYPE_CHECKING:
    from sightline.runtime.letters import Letter
    from sightline.runtime.resending import Post

__all__ = ["app"]

app = App(
    name="dead",
    help="Dead letters of a service, the records that nobody could use: list, show, retry.",
    help_epilogue=epilogue("dead"),
)

DATA = [each for each in flags.parameters(ServeOptions, "serve.", of=("data",)) if each.name == "serve__data"]
PLACE = [*DATA, *WHERE]
TOPIC = option("topic", str | None, None, "Only letters of this topic.", metavar="TOPIC")
JOB = option("job", str | None, None, "Only letters of this job.", metavar="JOB")
HEX_BYTES = 4_096  # of a record that is no text, on a terminal


@app.command(name="list")
@command(TOPIC, JOB, *PLACE)
def list_(console: Console, *, topic: str | None = None, job: str | None = None, **given: Any) -> int:
    """List the letters that are kept, oldest first of each topic: id, job, stage, reason, attempts and message."""
    from sightline.runtime.letters import letters

    found = 0
    with _post(given) as post:
        for letter in letters(post.log, _topics(post, topic)):
            if job not in (None, letter.job_id):
                continue
            found += 1
            at = _time(post.resent_at(letter))
            console.object(_facts(letter) | {"retried": at})
            again = f", retried {at}" if at else ""
            console.result(f"{letter.letter_id}  {_head(letter)}{again}")
            console.result(f"  {_plain(letter.said('message'))}")
    if not found:
        console.note("no dead letters")
    return DONE


@app.command
@command(*PLACE)
def show(
    console: Console,
    letter_id: Annotated[str, Parameter(name="id", help="Of the letter: TOPIC/OFFSET.", show_default=False)],
    /,
    **given: Any,
) -> int:
    """Show a letter: the record as it was, and its headers."""
    from sightline.runtime.letters import letter_of

    with _post(given) as post:
        letter = letter_of(post.log, _topics(post, None), letter_id)
        at = _time(post.resent_at(letter))
    value = letter.entry.value
    console.object(
        _facts(letter)
        | {
            "retried": at,
            "key": letter.entry.key,
            "headers": [list(pair) for pair in letter.entry.headers],
            "text": _text(value),
            "base64": base64.b64encode(value).decode(),
        }
    )
    console.result(f"key: {_plain(letter.entry.key)}")
    for name, said in letter.entry.headers:
        console.result(f"{_plain(name)}: {_plain(said)}")
    if at:
        console.result(f"retried: {at}")
    console.result("\n" + "\n".join(_readable(value)))
    return DONE


@app.command
@command(JOB, *PLACE)
def retry(
    console: Console,
    *letter_id: Annotated[
        str, Parameter(name="id", help="Of the letters: TOPIC/OFFSET.", show_default=False, negative=())
    ],
    job: str | None = None,
    all: Annotated[
        bool, Parameter(help="All that were not retried yet.", negative="", show_default=False)
    ] = False,
    **given: Any,
) -> int:
    """Send letters again that somebody may wait for, to where they lay, and say of each what becomes of it.

    A frame that has an outcome keeps it, and a job that has ended is not helped: `sightline retry` runs it anew. Letters stay
    in the list, marked. `--job` and `--all` pass over those that were retried before. Exit code 1: none was sent, 4: some.
    """
    from sightline.runtime.letters import letter_of, letters

    if [bool(letter_id), job is not None, all].count(True) != 1:
        raise Misconfigured(
            f"dead retry: name letters, or {setting('job', 'JOB')}, or {setting('all')}", code="usage"
        )
    sent = kept = 0
    with _post(given) as post:
        post.tidy()
        topics = _topics(post, None)
        # All of them are looked up before the first is sent: a name that is wrong sends none.
        named = [letter_of(post.log, topics, each) for each in letter_id]
        unsent = (
            letter
            for letter in letters(post.log, topics)
            if job in (None, letter.job_id) and post.resent_at(letter) is None
        )
        for letter, fate, detail in post.send(named if letter_id else unsent):
            sent, kept = sent + (fate == "sent"), kept + (fate != "sent")
            console.object(
                {"id": letter.letter_id, "job_id": letter.job_id, "outcome": fate, "detail": detail}
            )
            console.result(
                f"{letter.letter_id}  {'sent' if fate == 'sent' else 'not sent'}: {_plain(detail)}"
            )
    if not sent + kept:
        console.note("no dead letters that were not retried")
    if kept and not sent:
        return FAILED
    return PARTLY if kept else DONE


@contextmanager
def _post(given: dict[str, Any]) -> Iterator[Post]:
    from sightline.serving.dead import post_of

    with post_of(flags.read_serve(given).options) as post:
        yield post


def _topics(post: Post, only: str | None) -> Sequence[str]:
    from sightline.runtime.letters import topics_with_letters

    topics = list(topics_with_letters(post.topology))
    if only is None:
        return topics
    if only not in topics:
        raise NotFound(f"{only}: no topic of the service; it has {', '.join(topics)}")
    return [only]


def _facts(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.letter_id,
        "topic": letter.topic,
        "job_id": letter.job_id,
        "stage": letter.said("stage"),
        "reason": letter.said("reason"),
        "attempts": letter.attempts,
        "message": letter.said("message"),
    }


def _head(letter: Letter) -> str:
    attempts = f", {letter.attempts} attempts" if (letter.attempts or 1) > 1 else ""
    return _plain(
        f"job {letter.job_id or '-'}  {letter.said('stage') or '-'}: {letter.said('reason') or '-'}{attempts}"
    )


def _time(us: int | None) -> str | None:
    return None if us is None else datetime.fromtimestamp(us // 1_000_000, UTC).isoformat()


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _readable(value: bytes) -> Iterator[str]:
    """A record for people: JSON in lines, text as it is, bytes as hexadecimal digits."""
    text = _text(value)
    if text is None:
        for at in range(0, min(len(value), HEX_BYTES), 32):
            yield value[at : at + 32].hex(" ", 4)
        if len(value) > HEX_BYTES:
            yield f"... {len(value)} bytes; --json has all of them"
        return
    with suppress(msgspec.MsgspecError, RecursionError):  # it may lie here because it is no JSON
        text = msgspec.json.format(text, indent=2)
    yield from (_plain(line) for line in text.split("\n"))


def _plain(text: str) -> str:
    """What foreign programs wrote, so that it draws nothing on a terminal but itself."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
