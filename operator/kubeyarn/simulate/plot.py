"""What queues hold over the steps of a scenario, drawn as SVG."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 960, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 220, 30, 50
_UNSAYABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
COLOURS = (
    "#1f77b4",
    "#ff7f0e",
    "#2ca02c",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
)


@dataclass(slots=True)
class UseOverSteps:
    """Memory in use, MiB, by queue, after each step."""

    title: str
    actions: list[str] = field(default_factory=list)
    used: dict[str, list[int]] = field(default_factory=dict)

    def note(self, action: str, used: dict[str, int]) -> None:
        """A step was done; *used* is what each queue holds now."""
        for path in used:
            self.used.setdefault(path, [0] * len(self.actions))
        self.actions.append(action)
        for path, values in self.used.items():
            values.append(used.get(path, 0))


def draw(use: UseOverSteps) -> str:
    """The picture: one line for each queue."""
    most = max([1, *(value for values in use.used.values() for value in values)])
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="14">{_words(use.title)}: memory by queue, MiB</text>',
        *_axes(use, most),
    ]
    for place, (path, values) in enumerate(sorted(use.used.items())):
        parts += _line(path, values, place, most)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _words(text: str) -> str:
    """Text as SVG may hold it: no control characters, no halves of characters."""
    return escape(_UNSAYABLE.sub("\ufffd", text))


def _x(step: int, steps: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * step / max(1, steps - 1)


def _y(value: int, most: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most


def _axes(use: UseOverSteps, most: int) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [
        f'<path d="M{LEFT} {TOP} V{bottom} H{right}" fill="none" stroke="#333"/>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">step</text>',
    ]
    for quarter in range(5):
        value = most * quarter // 4
        y = _y(value, most)
        parts.append(f'<path d="M{LEFT} {y:.1f} H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value}</text>')
    steps = len(use.actions)
    for step in range(0, steps, max(1, steps // 12)):
        x = _x(step, steps)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{step}</text>')
    return parts


def _line(path: str, values: list[int], place: int, most: int) -> list[str]:
    colour = COLOURS[place % len(COLOURS)]
    points = " ".join(
        f"{_x(step, len(values)):.1f},{_y(value, most):.1f}" for step, value in enumerate(values)
    )
    y = TOP + 16 * place + 8
    x = WIDTH - RIGHT + 14
    return [
        (
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2">'
            f"<title>{_words(path)}</title></polyline>"
        ),
        f'<rect x="{x}" y="{y - 8}" width="10" height="10" fill="{colour}"/>',
        f'<text x="{x + 16}" y="{y + 1}">{_words(path)}</text>',
    ]
