"""A ledger's server that dies in the middle of commits: what every ledger on a server of its own must survive."""

import threading
import time

from sightline.errors import Unavailable
from sightline.ports import Commit, Job, Outgoing, Saved

__all__ = ["PATIENCE_S", "again", "killed_in_commits"]

PATIENCE_S = 60


def again(call):
    """As workers do: what is unavailable is repeated until it is there."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except Unavailable:
            assert time.monotonic() < give_up, "it never came back"
            time.sleep(0.02)


def killed_in_commits(store, die, commits, marks):
    """Three owners commit, the server is killed at each mark; each goes on where its last commit stands, by the same store.

    Args:
        store: of the server.
        die: kills it and starts it again.
        commits: of each owner.
        marks: how many of all are acknowledged when the server dies.
    """
    store.create(Job("j1", "street", 0, facts={"streams": ["a"]}), [])
    wrong, lost_answers = [], []
    acknowledged = dict.fromkeys(range(3), 0)

    def work(owner: int) -> None:
        stream = f"s{owner}"
        while acknowledged[owner] < commits:
            try:
                at = again(lambda: store.claim("track", "t", owner))
                saved = again(lambda: store.load("track", "j1", stream)) or Saved(0, b"")
                if saved.next_seq not in (acknowledged[owner], acknowledged[owner] + 1):
                    wrong.append((owner, acknowledged[owner], saved.next_seq))
                    return
                acknowledged[owner] = saved.next_seq  # perhaps one whose answer was lost
                for number in range(saved.next_seq + 1, commits + 1):
                    record = Outgoing("out", 0, stream, b"%d" % number)
                    at, _ = store.commit(Commit(at, number, "j1", stream, Saved(number, b"x"), (record,)))
                    acknowledged[owner] = number
            except Unavailable:
                lost_answers.append(owner)

    threads = [threading.Thread(target=work, args=(owner,)) for owner in range(3)]
    for thread in threads:
        thread.start()
    for mark in marks:
        while sum(acknowledged.values()) < mark and any(thread.is_alive() for thread in threads):
            time.sleep(0.001)
        die()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert wrong == []
    assert lost_answers
    assert acknowledged == dict.fromkeys(range(3), commits)
    assert {position.low_water for position in again(lambda: store.positions("t"))} == {commits}
    waiting = again(lambda: store.pending("relay", 10_000))
    for owner in range(3):
        values = [int(one.record.value) for one in waiting if one.record.key == f"s{owner}"]
        assert values == [*range(1, commits + 1)]
