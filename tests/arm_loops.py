"""What share of the instructions of 64-bit Arm loops are vector multiply-adds, by disassembly.

python arm_loops.py build/aarch64/csrc/tools/pdrt-check "tiles_in_a_row<6, 4, 9>"
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OBJDUMP = "aarch64-linux-gnu-objdump"
FUNCTION = re.compile(r"[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\t(\S+)\s*(.*)$")
JUMP = re.compile(r"(?:b|b\.\w+|cbn?z|tbn?z)$")
TARGET = re.compile(r"\b([0-9a-f]+) <")


@dataclass(frozen=True)
class Instruction:
    address: int
    name: str
    operands: str


@dataclass(frozen=True)
class Loop:
    """A loop without another in it: what lies between a jump back and where it leads."""

    function: str
    body: tuple[Instruction, ...]

    @property
    def multiply_adds(self) -> int:
        return sum(instruction.name == "fmla" for instruction in self.body)

    @property
    def share(self) -> float:
        return self.multiply_adds / len(self.body)

    @property
    def on_stack(self) -> int:
        """Loads and stores of the stack."""
        return sum("[sp" in instruction.operands for instruction in self.body)

    def __str__(self) -> str:
        others = Counter(instruction.name for instruction in self.body if instruction.name != "fmla")
        most = ", ".join(f"{count} {name}" for name, count in others.most_common(6))
        return (
            f"{self.function}: {self.multiply_adds} of {len(self.body)}, {self.share:.1%}; "
            f"{self.on_stack} on the stack; {most}"
        )


def functions(program: Path, part: str) -> Iterator[tuple[str, list[Instruction]]]:
    """Disassemble the NEON engine's functions with `part` in their name."""
    command = [OBJDUMP, "-d", "-C", "--no-show-raw-insn", str(program)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    name, body = "", list[Instruction]()
    for line in [*lines, "0 <>:"]:
        if start := FUNCTION.match(line):
            if "::neon::" in name and part in name:
                yield re.sub(r"\(.*|void |pdrt::cpu::neon::", "", name), body
            name, body = start[1], []
        elif found := INSTRUCTION.match(line):
            body.append(Instruction(int(found[1], 16), found[2], found[3]))


def loops(program: Path, part: str = "", multiply_adds: int = 8) -> list[Loop]:
    """Return the innermost loops that have at least so many multiply-adds."""
    found = []
    for function, body in functions(program, part):
        index = {instruction.address: i for i, instruction in enumerate(body)}
        back = set[tuple[int, int]]()
        for i, instruction in enumerate(body):
            target = TARGET.search(instruction.operands)
            if target and JUMP.match(instruction.name):
                to = index.get(int(target[1], 16), len(body))
                if to <= i:
                    back.add((to, i))
        for low, high in sorted(back):
            if not any((low, high) != inner and low <= inner[0] and inner[1] <= high for inner in back):
                found.append(Loop(function, tuple(body[low : high + 1])))
    return [loop for loop in found if loop.multiply_adds >= multiply_adds]


if __name__ == "__main__":
    for found in loops(Path(sys.argv[1]), "".join(sys.argv[2:3])):
        print(found)
