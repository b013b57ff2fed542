"""Files with one thing wrong each, and the name of what is wrong.

Nothing is stored: each file is made when it is asked for. They are made without `pdrt.format`, so that a mistake
there cannot hide a mistake in the loader.
"""

from __future__ import annotations

from . import container, graphs
from .build import Attack

ATTACKS: list[Attack] = [*container.ATTACKS, *graphs.ATTACKS]
