"""Several videos at once: some are worked on, the rest wait; what is wrong with one is that one's report."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from sightline.app.single import Begun, Single, begin, end
from sightline.app.tools import tools_of
from sightline.errors import Corrupt, Misconfigured, Rejected, SightlineError, Unavailable
from sightline.jobs.recipe import Recipe
from sightline.ports import TERMINAL
from sightline.runs.reports import Report
from sightline.runtime.host import Host, Stalled, World
from sightline.sources.ahead import Ahead, Opened
from sightline.sources.named import Source, traits
from sightline.sources.opening import Ready
from sightline.telemetry import Finished, Hook, Planned, Progress, Started

__all__ = ["run_all"]

DISK = frozenset({"disk_full", "disk_error", "unwritable"})
OF_ONE = frozenset({"locked", "other_run"})  # settings that are wrong for one folder alone
OPENING_S = 0.1
NEARLY = 64  # frames: a video of which no more are left has given its place to the next one


def run_all(
    ahead: Ahead,
    sources: Sequence[Source],
    single: Callable[[Ready], Single],
    hook: Hook,
    *,
    lanes: int,
    at_once: int,
    reserve: int,
) -> list[Report]:
    """Run sources to their end; a report for each, in their order.

    Args:
        ahead: opens them.
        sources: all of them.
        single: what is run of one that is open, in a folder of the command.
        hook: hears of progress.
        lanes: threads that decode and detect, shared by all.
        at_once: videos that are worked on at the same time.
        reserve: further ones whose folder is taken, so that lanes have frames while those before are finished: videos of
            the same length end at the same time.

    Raises:
        Misconfigured, Unavailable: none can go on; repeat the command to go on.
        KeyboardInterrupt: interrupted; repeat the command to go on.
    """
    course = _Course(ahead, _Plan(sources, hook), single, hook, at_once, reserve)
    host = Host(
        tools_of(course.single_of, course.begun, hook), lanes, turns=at_once, published=course.published
    )
    course.host = host
    ahead.start()
    try:
        course.tick(wait_s=OPENING_S)
        while not course.done():
            try:
                host.run(course.settled, course.tick)
            except Stalled:
                course.stalled()
            else:
                course.suspects.clear()
            course.go_on()
            course.tick(wait_s=OPENING_S)
    finally:
        course.close()
    return course.reports()


class _Plan:
    """How many frames there are in all: known of sources that are open, of the others an estimate by their bytes.

    A source tells something of others of its kind alone: a frame of a text is some hundred bytes, an image a megabyte.
    """

    def __init__(self, sources: Sequence[Source], hook: Hook) -> None:
        self._hook, self._jobs = hook, len(sources)
        self.names = [source.video_id for source in sources]
        self._unread = {number: (source.kind, traits(source).size) for number, source in enumerate(sources)}
        self._read = {source.kind: (0, 0) for source in sources}  # bytes, frames

    def opened(self, number: int, frames: int) -> None:
        """A source has so many frames, 0 where none of them will be looked at."""
        kind, size = self._unread.pop(number)
        if frames:
            read, known = self._read[kind]
            self._read[kind] = read + size, known + frames
        known, more = sum(frames for _, frames in self._read.values()), 0
        for kind, size in self._unread.values():
            read, frames = self._read[kind]
            more += size * frames // max(1, read)
        if known:
            self._hook.emit(Planned(self._jobs, known + more, estimated=bool(self._unread)))


class _Course:
    """Who waits, who is worked on, who has ended. Called by the main thread, but where it says so."""

    host: Host

    def __init__(
        self,
        ahead: Ahead,
        plan: _Plan,
        single: Callable[[Ready], Single],
        hook: Hook,
        at_once: int,
        reserve: int,
    ) -> None:
        self._ahead, self._plan, self._single = ahead, plan, single
        self._hook, self._at_once, self._reserve = hook, at_once, reserve
        self._active: dict[int, Begun] = {}
        # By job, then by name: copies of a video have the same job.
        self._singles: dict[str, dict[str, Single]] = {}
        self._reports: dict[int, Report] = {}
        self._ended: frozenset[int] = frozenset()
        # Threads that were told that all is settled have gone: nothing is begun before all have, lest nobody works on it.
        self._deciding = threading.Lock()
        self._settled = self._beginning = False
        self.suspects: set[int] = set()  # worked on when nobody had work, and not suspected before

    def single_of(self, recipe: Recipe) -> Single:
        """The source of a job; a run whose folder was renamed has another name in its job. Called by any thread."""
        copies = self._singles[recipe.job_id]
        return copies.get(recipe.video_id) or next(iter(copies.values()))

    def begun(self, single: Single) -> Begun:
        """A video that is worked on."""
        return next(each for each in list(self._active.values()) if each.single is single)

    def done(self) -> bool:
        """Whether every video has its report."""
        return not self._ahead.left and not self._active

    def settled(self) -> bool:
        """Whether nothing is left to be worked on; once it is so, until `go_on`. Asked all the time, by every thread.

        What a lane still holds of a video that has failed must land before: a lane that stops does not land it.
        """
        with self._deciding:
            if not (self._settled or self._beginning):
                active = list(self._active.items())
                self._settled = all(
                    number in self._ended and not self.host.busy(begun.world) for number, begun in active
                )
            return self._settled

    def go_on(self) -> None:
        """All who were told that all is settled have gone."""
        self._settled = False

    def published(self, world: World) -> None:
        """Called by the thread that publishes: no need to wait for the next `tick`."""
        for number, begun in list(self._active.items()):
            if begun.world is world:
                self._has_ended(number, begun)

    def tick(self, wait_s: float = 0.0) -> bool:
        """Report progress, put in place what has ended, begin what comes next unless all go; whether anything was begun.

        Args:
            wait_s: how long to wait for the next source where none is worked on.
        """
        for number, begun in list(self._active.items()):
            self._tell(begun)
            if self._has_ended(number, begun) and not self.host.busy(begun.world):
                self._end(number, begun)
        with self._deciding:
            if self._settled:
                return False
            self._beginning = True
        try:
            return self._begin_next(wait_s)
        finally:
            self._beginning = False

    def _begin_next(self, wait_s: float) -> bool:
        left = self._ahead.left
        while self._ahead.left and self._has_room():
            opened = self._ahead.take(0.0 if self._active else wait_s)
            if opened is None:
                break
            self._take(*opened)
        return self._ahead.left < left

    def _has_room(self) -> bool:
        """Whether the next video may be begun: those with more than a few frames left have their places."""
        if len(self._active) < self._at_once:
            return True
        at_work = sum(begun.left() > NEARLY for begun in self._active.values())
        return at_work < self._at_once and len(self._active) < self._at_once + self._reserve

    def stalled(self) -> None:
        """Nobody has work: videos wait for what never comes. Those begun meanwhile may not have had their turn yet."""
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
        self._ahead.close()
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

    def _take(self, number: int, opened: Opened) -> None:
        if isinstance(opened, Ready):
            self._begin(number, self._single(opened))
            return
        self._plan.opened(number, 0)
        if not isinstance(opened, Rejected | Misconfigured):
            raise opened
        self._report(number, Report(self._plan.names[number], "failed", error=opened))

    def _begin(self, number: int, single: Single) -> None:
        try:
            begun = begin(single)
            if isinstance(begun, Report):
                self._plan.opened(number, single.recipe.sampled)
                self._let_go(single)
                self._report(number, begun)
                return
            self._active[number] = begun
            self._singles.setdefault(single.recipe.job_id, {})[single.recipe.video_id] = single
            try:
                self.host.add(begun.world)
            except BaseException:
                del self._active[number]
                begun.close()
                raise
        except SightlineError as error:
            self._plan.opened(number, 0)
            self._let_go(single)
            self._report(number, _failed(single, error))
            return
        self._plan.opened(number, single.recipe.sampled)
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
        self._let_go(begun.single)
        self._report(number, report)

    def _let_go(self, single: Single) -> None:
        """Forget a source that has ended, and release the models that no other one needs."""
        copies = self._singles.get(single.recipe.job_id, {})
        copies.pop(single.recipe.video_id, None)
        if not copies:
            self._singles.pop(single.recipe.job_id, None)
        mine = single.ready.detectors
        needed = [each.single.ready for each in self._active.values()] + self._ahead.held()
        mine.keep_only(
            (ready.recipe.source.width, ready.recipe.source.height)
            for ready in needed
            if ready.detectors is mine
        )

    def _report(self, number: int, report: Report) -> None:
        self._reports[number] = report
        self._hook.emit(Finished(report.video_id, report.state, report.frames, report.failed_frames))


def _failed(single: Single, error: SightlineError) -> Report:
    """The report of a video that went wrong; raises what ends the whole command."""
    place = single.path
    if isinstance(error, Misconfigured) and error.code not in OF_ONE:
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
