"""Where two threads ran, turn by turn.

A host moves the virtual processors of a machine about, and gives them back after a pause wherever there is room: cores
of one cache, cores whose caches lie apart, or one core for both. Each way lasts for seconds, and decides more about two
threads than the runtime does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pdrt import _core

TOGETHER, APART, ONE_CORE = "cores of one cache", "caches apart", "one core for both"
PLACES = (TOGETHER, APART, ONE_CORE)
# Between caches that lie apart a line takes several times as long as the quickest way seen in the whole run.
FARTHER = 2.5
# Multiply-adds beside each other take twice as long on one core, no longer on two.
SLOWER = 1.5


@dataclass
class Places:
    """What two threads were to each other before each turn of each contender of a measurement."""

    looks: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """By contender: nanoseconds of a round trip, slowdown."""
    quickest: float = math.inf
    """Nanoseconds of the quickest round trip of this and earlier measurements: caches may lie apart throughout one."""

    def begin(self) -> None:
        """Begin another measurement."""
        self.looks = {}

    def look(self, contender: str) -> None:
        """Measure before a turn; less than a millisecond."""
        seen = _core.measured_two_threads()
        self.looks.setdefault(contender, []).append(seen)
        self.quickest = min(self.quickest, seen[0])

    def turns(self, place: str) -> Iterator[tuple[str, int, float]]:
        """Yield the contender, the number and the round trip of each turn that found the threads there."""
        for contender, looks in self.looks.items():
            for turn, (trip, slowdown) in enumerate(looks):
                if place == (ONE_CORE if slowdown > SLOWER else APART if trip > FARTHER * self.quickest else TOGETHER):
                    yield contender, turn, trip

    def split(
        self, calls: dict[str, list[float]], measured: int
    ) -> Iterator[tuple[str, Iterable[float], dict[str, list[float]]]]:
        """Yield each place with its round trips and the times of the calls that were made there.

        `measured` calls belong to each turn.
        """
        for place in PLACES:
            times: dict[str, list[float]] = {}
            trips = []
            for contender, turn, trip in self.turns(place):
                trips.append(trip)
                times.setdefault(contender, []).extend(calls[contender][measured * turn : measured * (turn + 1)])
            if trips:
                yield place, trips, times
