"""How often somebody may ask."""

from hypothesis import given
from hypothesis import strategies as st

from sightline.api import limiter
from sightline.api.limiter import SECONDS, Limiter


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@given(st.integers(1, 50), st.lists(st.floats(0, 2), min_size=1, max_size=200))
def test_no_more_is_allowed_than_the_rate_and_what_may_come_at_once(rate, pauses):
    """However requests are spread over time."""
    clock = Clock()
    limited, allowed = Limiter(rate, clock), 0
    for pause in pauses:
        clock.now += pause
        allowed += limited.wait_s("anna") == 0

    assert allowed <= rate * (clock.now + SECONDS) + 1e-6
    assert allowed >= min(len(pauses), int(rate * SECONDS))


@given(st.floats(0.1, 50))
def test_whoever_waits_as_long_as_was_said_may_ask(rate):
    """`Retry-After` is no guess."""
    clock = Clock()
    limited = Limiter(rate, clock)
    while not (wait_s := limited.wait_s("anna")):
        pass

    clock.now += wait_s

    assert limited.wait_s("anna") == 0


def test_what_is_remembered_of_strangers_is_bounded(monkeypatch):
    """Addresses cost nothing to invent."""
    monkeypatch.setattr(limiter, "REMEMBERED", 10)
    limited = Limiter(1, Clock())
    for n in range(100):
        limited.wait_s(f"peer {n}")

    assert len(limited._buckets) == 10
