"""The look that all plots share, and what they mark: thresholds, resets, swaps.

matplotlib is an extra and heavy, so it is loaded in here alone, and only when a picture is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from failover.errors import FailoverError, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Told apart with any kind of colour vision (Okabe and Ito), the calmest first.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f")
INK, FAINT, ALARM = "#24292f", "#c9ced6", "#c1272d"

_LOOK: Any = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": FAINT,
    "axes.titlelocation": "left", "axes.titlesize": 10, "axes.titleweight": "bold", "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": "#eceff3", "xtick.color": INK,
    "ytick.color": INK, "figure.facecolor": "white", "axes.facecolor": "white", "lines.linewidth": 1.5,
    "legend.frameon": False, "svg.hashsalt": "claude-failover", "svg.fonttype": "none",
}  # fmt: skip


def check(path: Path) -> None:
    """See before any work that a picture can be drawn to `path`. Raises UsageError or FailoverError."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"{path}: no kind of picture that can be drawn; let its name end in .png or .svg")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: its folder does not exist; make it first: mkdir -p {path.parent}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise FailoverError(
            "drawing needs matplotlib, which is not installed; install it with: pip install 'claude-failover[plots]'"
        ) from None


def figure(title: str, rows: int = 1, columns: int = 1, height: float = 2.2) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with its axes, row by row. height: inches of a row."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(_LOOK)
    drawn = Figure(figsize=(9.0, rows * height + 0.5), dpi=120, layout="constrained")
    drawn.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return drawn, list(drawn.subplots(rows, columns, squeeze=False).flat)


def percent_axis(axes: Axes, label: str = "used (%)") -> None:
    """Let `axes` go from 0 to 100 %."""
    axes.set_ylim(0, 104)
    axes.set_yticks(range(0, 101, 25))
    axes.set_ylabel(label)


def clock_axis(axes: Axes) -> None:
    """Let `axes` show dates and times of day; its values are datetimes."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def window(axes: Axes, at: Sequence[Any], used: Sequence[float], colour: str, label: str) -> None:
    """Draw the use of one window (percent) over time; NaN leaves a gap where it is not known."""
    axes.plot(at, used, color=colour, label=label, drawstyle="steps-post")


def threshold(axes: Axes, percent: float, colour: str = ALARM, *, named: bool = True) -> None:
    """Mark a threshold; not `named` where a legend tells of it."""
    axes.axhline(percent, color=colour, linewidth=0.9, linestyle=(0, (4, 3)))
    if not named:
        return
    axes.annotate(
        f"threshold {percent:g} %", (1, percent), xycoords=("axes fraction", "data"), xytext=(-2, -2),
        textcoords="offset points", ha="right", va="top", fontsize=7, color=colour,
    )  # fmt: skip


def reset(axes: Axes, at: Any, colour: str = FAINT) -> None:
    """Mark a window's reset. at: in the units of the axis, a number or a datetime."""
    axes.axvline(at, color=colour, linewidth=0.9, linestyle=":")


def swap(axes: Axes, at: Any, text: str = "") -> None:
    """Mark a swap; `text` stands beside it. at: as for `reset`."""
    on_top = axes.get_xaxis_transform()
    axes.plot([at], [1.0], marker="v", color=ALARM, markersize=5, clip_on=False, transform=on_top)
    axes.axvline(at, color=ALARM, linewidth=0.7, alpha=0.5)
    if text:
        axes.text(at, 1.03, f"  {text}", transform=on_top, fontsize=7, color=ALARM)


def save(drawn: Figure, path: Path, about: str | None = None) -> None:
    """Write the picture to `path` in one step: nobody meets half of it. The same picture gives the same bytes.

    about: a description to be kept in the file.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}")
    kind = path.suffix.lower()[1:]
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    try:
        drawn.savefig(half, format=kind, metadata={**metadata, "Description": about} if about else metadata)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
