"""Several videos at once: some are worked on, the rest wait; what is wrong with one is that one's report."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack

from sightline.app.single import Begun, Single, begin, end
from sightline.app.tools import tools_of
from sightline.errors import Corrupt, Misconfigured, Rejected, SightlineError, Unavailable
from sightline.ports import TERMINAL
from sightline.runs.reports import Report
from sightline.runtime.host import Host, Stalled, World
from sightline.telemetry import Finished, Hook, Progress, Started

__all__ = ["run_all"]

DISK = frozenset({"disk_full", "disk_error", "unwritable"})


def run_all(singles: Sequence[Single], hook: Hook, *, lanes: int, at_once: int) -> list[Report]:
    """Run videos to their end; a report for each, in their order.

    Args:
        singles: the videos, in one folder.
        hook: hears of progress.
        lanes: threads that decode and detect, shared by all.
        at_once: videos that are worked on at the same time.

    Raises:
        Misconfigured, Unavailable: none can go on; repeat the command to go on.
        KeyboardInterrupt: interrupted; repeat the command to go on.
    """
    course = _Course(singles, hook, at_once)
    host = Host(tools_of(singles, course.begun, hook), lanes, published=course.published)
    course.host = host
    try:
        course.tick()
        while not course.done():
            try:
                host.run(course.settled, course.tick)
            except Stalled:
                course.stalled()
            else:
                course.suspects.clear()
            course.tick()
    finally:
        course.close()
    return course.reports()


class _Course:
    """Who waits, who is worked on, who has ended. Called by the main thread, but where it says so."""

    host: Host

    def __init__(self, singles: Sequence[Single], hook: Hook, at_once: int) -> None:
        self._hook, self._at_once = hook, at_once
        self._waiting = deque(enumerate(singles))
        self._active: dict[int, Begun] = {}
        self._reports: dict[int, Report] = {}
        self._ended: frozenset[int] = frozenset()
        self.suspects: set[int] = set()  # worked on when nobody had work, and not suspected before

    def begun(self, single: Single) -> Begun:
        """A video that is worked on."""
        return next(each for each in list(self._active.values()) if each.single is single)

    def done(self) -> bool:
        """Whether every video has its report."""
        return not self._waiting and not self._active

    def settled(self) -> bool:
        """Whether nothing is left to be worked on before the next `tick`; asked all the time, by every thread.

        What a lane still holds of a video that has failed must land before: a lane that stops does not land it.
        """
        active = list(self._active.items())
        return all(number in self._ended and not self.host.busy(begun.world) for number, begun in active)

    def published(self, world: World) -> None:
        """Called by the thread that publishes: no need to wait for the next `tick`."""
        for number, begun in list(self._active.items()):
            if begun.world is world:
                self._has_ended(number, begun)

    def tick(self) -> bool:
        """Report progress, put in place what has ended, begin what comes next; whether anything was begun."""
        for number, begun in list(self._active.items()):
            self._tell(begun)
            if self._has_ended(number, begun) and not self.host.busy(begun.world):
                self._end(number, begun)
        waited = len(self._waiting)
        while self._waiting and len(self._active) < self._at_once:
            self._begin(*self._waiting.popleft())
        return len(self._waiting) < waited

    def stalled(self) -> None:
        """Nobody has work: videos wait for what never comes. Those begun meanwhile may not have been looked at yet."""
        still = {number for number, begun in self._active.items() if not self._has_ended(number, begun)}
        for number in still & self.suspects:
            begun = self._active[number]
            self._end(number, begun, self.host.stall(begun.world, begun.single.recipe))
        self.suspects = still - self.suspects

    def reports(self) -> list[Report]:
        """In the order of the videos."""
        return [self._reports[number] for number in sorted(self._reports)]

    def close(self) -> None:
        """Let go of everything; what was begun can be taken up again."""
        with ExitStack() as rest:  # whatever goes wrong with one, the others are let go of
            for begun in self._active.values():
                rest.callback(begun.close)
                rest.callback(self.host.remove, begun.world)

    def _has_ended(self, number: int, begun: Begun) -> bool:
        if number not in self._ended and (
            self.host.error(begun.world) is not None or begun.job.state in TERMINAL
        ):
            self._ended |= {number}
        return number in self._ended

    def _tell(self, begun: Begun) -> None:
        done, total = begun.released(), begun.single.recipe.sampled
        begun.clock.progress(done, total)
        self._hook.emit(Progress(begun.single.command, begun.single.recipe.video_id, done, total))

    def _begin(self, number: int, single: Single) -> None:
        try:
            begun = begin(single)
            if isinstance(begun, Report):
                self._report(number, begun)
                return
            self._active[number] = begun
            try:
                self.host.add(begun.world)
            except BaseException:
                del self._active[number]
                begun.close()
                raise
        except SightlineError as error:
            self._report(number, _failed(single, error))
            return
        self._hook.emit(Started(single.recipe.video_id, single.recipe.sampled, begun.released()))

    def _end(self, number: int, begun: Begun, error: SightlineError | None = None) -> None:
        error = error or self.host.error(begun.world)
        self.host.remove(begun.world)
        del self._active[number]
        try:
            try:
                if error is not None:
                    raise error
                report = end(begun)
            finally:
                begun.close()
        except SightlineError as wrong:
            report = _failed(begun.single, wrong)
        self._report(number, report)

    def _report(self, number: int, report: Report) -> None:
        self._reports[number] = report
        self._hook.emit(Finished(report.video_id, report.state, report.frames, report.failed_frames))


def _failed(single: Single, error: SightlineError) -> Report:
    """The report of a video that went wrong; raises what ends the whole command."""
    place = single.path
    if isinstance(error, Misconfigured) and error.code != "locked":
        raise error
    if isinstance(error, Unavailable):
        if error.code not in DISK:
            raise error
        raise Unavailable(f"{place}: {error.message}", code=error.code) from error
    if isinstance(error, Corrupt):
        said = error.message.removeprefix(f"{place}: ")
        error = Corrupt(f"{place}: {said}; remove this folder to begin again", code=error.code)
    elif not isinstance(error, Rejected | Misconfigured):
        raise error
    return Report(single.recipe.video_id, "failed", error=error)
