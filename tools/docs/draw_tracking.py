"""Draws docs/images/tracking.png: `python tools/docs/draw_tracking.py` from the repository's root.

The figures are not written here: they are read from the table in docs/tracking.md.
"""

from __future__ import annotations

from pathlib import Path

from draw_counting import BLUE, INK, ORANGE, PALE, Canvas

PAGE = Path("docs/tracking.md")
HEADER = "| suite | official ByteTrack |"
LEFT, RIGHT, TOP, ROW = 150, 790, 62, 34
LOWEST, HIGHEST = 45, 100
# Column of the table, name, colour, filled.
SHOWN = (
    (1, "official ByteTrack", PALE, False),
    (2, "best peer", ORANGE, True),
    (4, "ours, refined", BLUE, True),
)


def rows() -> list[list[str]]:
    """Cells of the table of figures."""
    lines = PAGE.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(HEADER)) + 2
    cells = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        cells.append([cell.strip() for cell in line.strip("|").split("|")])
    return cells


def hota(cell: str) -> float:
    """The first figure of a cell."""
    return float(cell.replace("*", "").split("/")[0])


def across(value: float) -> float:
    return LEFT + (value - LOWEST) / (HIGHEST - LOWEST) * (RIGHT - LEFT)


def draw() -> None:
    table = rows()
    bottom = TOP + ROW * len(table)
    canvas = Canvas(860, bottom + 50)
    for tick in range(50, HIGHEST + 1, 10):
        canvas.line([(across(tick), TOP - 8), (across(tick), bottom)], "#e1e5ea", 1)
        canvas.text((across(tick), bottom + 16), str(tick), PALE, 13, "mm")
    canvas.text(((LEFT + RIGHT) / 2, bottom + 36), "HOTA", INK, 13, "mm")
    for place, (_, name, colour, filled) in enumerate(SHOWN):
        x = LEFT + 20 + place * 200
        canvas.dot((x, 26), colour, 6, hollow=not filled)
        canvas.text((x + 14, 26), name, INK, 14)
    for number, cells in enumerate(table):
        y = TOP + ROW * number + ROW / 2
        values = [hota(cells[column]) for column, *_ in SHOWN]
        canvas.text((LEFT - 14, y), cells[0], INK, 14, "rm")
        canvas.line([(across(min(values)), y), (across(max(values)), y)], "#c5ccd4", 2)
        for value, (_, _, colour, filled) in zip(values, SHOWN, strict=True):
            canvas.dot((across(value), y), colour, 6, hollow=not filled)
        canvas.text((across(max(values)) + 14, y), f"{values[-1]:.2f}", BLUE, 13)
    canvas.save("tracking.png")


if __name__ == "__main__":
    draw()
