"""What the pictures of the lesson show of made-up runs, in words and numbers: kept in tests/looks, to compare with.

Numbers and not pixels, as each matplotlib puts the pixels of an image a little elsewhere. looks.py makes them anew.
"""

import functools
import json
import zlib

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

import mnistdata
from figures.every import PICTURES
from figures.runs import BENT
from helpers import ROOT


@functools.lru_cache(maxsize=None)
def digits():
    return mnistdata.read_data_sets(str(ROOT / "data"), one_hot=False, reshape=False)


class MadeUpRuns:
    """Arrays of the shapes and about the values that runs of the scripts have; each script has other ones."""

    iterations = 20

    def __getitem__(self, name):
        return self.with_seed(name, 0)

    def with_seed(self, name, seed):
        number = zlib.crc32(name.encode()) % 1000
        random = np.random.RandomState(number + seed)
        length = 2000 if "1.0" in name or "rate_" in name or "long_steps" in name else 10000
        results = {}
        for curve, points in (("training", 101), ("test", 41)):
            falling = np.exp(-np.linspace(0, 4 + number / 200, points))
            falling[::7] *= 1.05
            results[f"{curve}_iteration"] = np.linspace(0, length - 1, points)
            results[f"{curve}_accuracy"] = 0.98 + number / 1e5 - 0.88 * falling + seed**2 / 2e4
            results[f"{curve}_loss"] = 5 + number / 200 + 225 * falling - seed**2 / 50
            results[f"{curve}_learning_rate"] = 0.003 * falling
        wrong = random.uniform(size=10000) < 0.005 + number / 1e5
        results["answers"] = np.eye(10)[(digits().test.labels + wrong * random.randint(1, 10, size=10000)) % 10]
        results["W"], results["b"] = random.normal(0, 0.1, [784, 10]), np.linspace(-0.4, 0.4, 10)
        results["W1"], results["B1"] = random.normal(0, 0.1, [6, 6, 1, 6]), np.linspace(-0.2, 0.1, 6)
        results["bent"] = digits().test.images[: 7 * len(BENT)].reshape(len(BENT), 7, 28, 28)
        return results


def summary(values):
    """Numbers that are other ones if values are other ones, in another order, or fewer."""
    values = np.ravel(np.asarray(values, float))
    if not len(values):
        return [0]
    weights = np.random.RandomState(0).uniform(-1, 1, len(values))
    of_all = [of(values) for of in (np.nanmean, np.nanmin, np.nanmax)]
    return [len(values), *map(float, of_all), float(np.nansum(weights * values) / len(values) ** 0.5)]


def text_parts(text):
    looks_like = [to_hex(text.get_color()), text.get_ha(), text.get_va(), str(text.get_weight())]
    return ["text", text.get_text(), *looks_like, text.get_size(), *map(float, text.get_unitless_position())]


def patch_parts(patch):
    colours = [to_hex(colour, keep_alpha=True) for colour in (patch.get_facecolor(), patch.get_edgecolor())]
    corners = patch.get_path().vertices if hasattr(patch, "xy1") else patch.get_extents().get_points()
    places = [*patch.xy1, *patch.xy2] if hasattr(patch, "xy1") else patch.get_patch_transform().transform(corners)
    return [type(patch).__name__, *colours, patch.get_linewidth(), *np.ravel(places)]


def parts_of(axes):
    """All that is in axes but contours, each a list of words and numbers."""
    yield [
        "axes",
        axes.get_xscale(),
        axes.get_yscale(),
        *axes.get_position().bounds,
        *axes.get_xlim(),
        *axes.get_ylim(),
    ]
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        places = [place for place in axis.get_ticklocs() if low <= place <= high]
        yield ["scale", axis.get_label().get_text(), *axis.get_major_formatter().format_ticks(places), *places]
    legend = axes.get_legend()
    texts = [axes.title, *axes.texts, *([legend.get_title(), *legend.get_texts()] if legend else [])]
    yield from (text_parts(text) for text in texts if text.get_text())
    for line in axes.lines:
        label = "" if line.get_label()[0] == "_" else line.get_label()
        yield [
            "line",
            label,
            to_hex(line.get_color()),
            str(line.get_marker()),
            line.get_linewidth(),
            line.get_markersize(),
            *summary(line.get_xdata()),
            *summary(line.get_ydata()),
        ]
    for image in axes.images:
        yield ["image", image.cmap.name, *image.get_clim(), *summary(image.get_array())]
    for area in axes.collections:
        if isinstance(area, PolyCollection):
            corners = area.get_paths()[0].vertices.T if area.get_paths() else ([], [])
            yield ["area", to_hex(area.get_facecolor()[0], True), *summary(corners[0]), *summary(corners[1])]
    yield from map(patch_parts, axes.patches)


def description(figure):
    parts = [["figure", *figure.get_size_inches()], *map(patch_parts, [*figure.patches, *figure.artists])]
    for axes in figure.axes:
        parts += parts_of(axes)
    return parts


def path_of(name):
    return ROOT / "tests" / "looks" / f"lesson_{name}.json"


def keep(name):
    parts = description(PICTURES[name](MadeUpRuns(), digits()))
    lines = ",\n".join(
        json.dumps([part if isinstance(part, str) else float(f"{part:.5g}") for part in each], ensure_ascii=False)
        for each in parts
    )
    path_of(name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(path_of(name))


def compare(name, figure):
    """Fails if a figure does not show what was kept under this name."""
    parts, parts_then = description(figure), json.loads(path_of(name).read_text(encoding="utf-8"))
    assert len(parts) == len(parts_then)
    for now, then in zip(parts, parts_then):
        words, words_then = ([word for word in each if isinstance(word, str)] for each in (now, then))
        assert words == words_then
        numbers, numbers_then = ([number for number in each if not isinstance(number, str)] for each in (now, then))
        if name == "landscape":  # its planes may lie either way round
            numbers, numbers_then = (np.sort(np.abs(each)) for each in (numbers, numbers_then))
        np.testing.assert_allclose(numbers, numbers_then, rtol=2e-3, atol=1e-4, err_msg=str(words))
