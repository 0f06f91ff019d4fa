"""Draws recall against the length of the list, and realised against nominal chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardwatch.errors import CardwatchError
from cardwatch.evaluation.benchmark import NOMINAL, OURS

if TYPE_CHECKING:
    from pathlib import Path

    from cardwatch.evaluation.benchmark import Evaluation, Row

PLOT_COLUMNS = 3
LINES = ("-", "--", ":", "-.", (0, (1, 3)))
MARKS = ("o", "s", "^", "x", "d")


def draw(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the plots as SVG, the same bytes for the same evaluation; return their paths.

    Raises:
        CardwatchError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415  an extra of the evaluation only
        from matplotlib import pyplot as plt  # noqa: PLC0415
    except ImportError as error:
        raise CardwatchError(
            "Charts need matplotlib. Install cardwatch with 'pip install cardwatch[evaluation]'."
        ) from error
    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "cardwatch", "font.size": 9, "axes.grid": True})
    paths = []
    for name, picture in (("recall", _recall), ("calibration", _calibration)):
        figure = picture(plt, evaluation)
        paths.append(folder / f"{name}.svg")
        figure.savefig(paths[-1], metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
    return paths


def _recall(plt: Any, evaluation: Evaluation) -> Any:  # noqa: ANN401  a plot
    """Return one panel a limit and style, one line a ranker."""
    panels: dict[tuple[int, str], list[Row]] = {}
    for row in evaluation.rows:
        panels.setdefault((row.limit_pence, row.style), []).append(row)
    lines = -(-len(panels) // PLOT_COLUMNS)
    figure, axes = plt.subplots(lines, PLOT_COLUMNS, figsize=(11, 2.6 * lines), squeeze=False)
    for (pence, style), axis in zip(panels, axes.flat, strict=False):
        for number, row in enumerate(panels[pence, style]):
            lengths = [recall.per_1000 for recall in row.recalls]
            axis.plot(
                lengths,
                [recall.share for recall in row.recalls],
                linestyle=LINES[number % len(LINES)],
                marker=MARKS[number % len(MARKS)],
                color="black" if row.ranker == OURS else "0.45",
                linewidth=2 if row.ranker == OURS else 1,
                label=row.ranker,
            )
            if row.ranker == OURS:
                low, high = ([getattr(r, end) for r in row.recalls] for end in ("low", "high"))
                axis.fill_between(lengths, low, high, color="0.85")
        axis.set(xscale="log", ylim=(-0.03, 1.03), title=f"{style}, \u00a3{pence // 100:,}")
        axis.set_xticks(lengths, [f"{x:g}" for x in lengths])
        axis.legend(fontsize=6)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    figure.supxlabel("alerts read per 1,000 payments")
    figure.supylabel("share of planted matters found")
    figure.tight_layout()
    return figure


def _calibration(plt: Any, evaluation: Evaluation) -> Any:  # noqa: ANN401  a plot
    """Return realised over nominal chance rate by month, one line a nominal rate."""
    months = [month for month in evaluation.chance if month.month != "all"]
    figure, axis = plt.subplots(figsize=(8, 3.2))
    for number, level in enumerate(NOMINAL):
        axis.plot(
            [month.month for month in months],
            [month.ratios[f"{level:g}"] for month in months],
            linestyle=LINES[number % len(LINES)],
            marker=MARKS[number % len(MARKS)],
            color="black",
            label=f"1 in {1 / level:,.0f}",
        )
    axis.axhspan(0.8, 1.3, color="0.9")
    axis.set(ylabel="realised / nominal", ylim=(0, None))
    axis.tick_params(axis="x", rotation=45)
    axis.legend(title="nominal")
    return figure
