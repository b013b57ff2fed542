"""Names that nothing else in the model has."""

from __future__ import annotations

from collections.abc import Iterable


class Names:
    """The names taken so far in one name space (values, nodes or dimensions)."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def unique(self, wish: str) -> str:
        """``wish`` where it is free, else ``wish_2``, ``wish_3``, …; the name given is taken from then on."""
        name, count = wish, 1
        while name in self._taken:
            count += 1
            name = f"{wish}_{count}"
        self._taken.add(name)
        return name

    def numbered(self, stem: str) -> str:
        """The first free name of ``stem0``, ``stem1`` and so on."""
        count = 0
        while f"{stem}{count}" in self._taken:
            count += 1
        return self.unique(f"{stem}{count}")
