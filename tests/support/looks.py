"""What windows and pictures look like: pictures of made-up data, made small, and kept to compare with.

    python tests/support/looks.py       after a change that is meant: makes those in tests/looks anew, to be looked at

Letters differ between one matplotlib and another, and legends are as wide as these. So they are left out, and of each
text is kept what it says, where it is, how large and in which colour; of a legend its right edge and its middle.
"""

import json
import sys
import tempfile
from pathlib import Path
from unittest import mock

if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(ROOT), str(ROOT / "docs"), str(ROOT / "mlengine")]

import matplotlib
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.legend import Legend
from matplotlib.text import Text
from PIL import Image

from compare_stages import save_picture
from made_up_run import RUN, pixels
from pads import ONE, draw, picture_with_pad
from visu.channel import Answer, Layer, Patch
from visu.digits import format_mnist_images
from visu.drawing.pad import Pad
from visu.drawing.picture import file_picture
from visu.record import Bands, Picture, Point, Record
from visu.style import SIZE

LOOKS = Path(__file__).resolve().parents[1] / "looks"
SMALLER = 4  # times: what an edge does within a pixel is lost, and what a panel or a line is stays


def training():
    """A record with all that six panels show: curves with a gap, bands, digits."""
    record, random = Record(), np.random.RandomState(0)
    for i in range(0, 501, 10):
        loss = np.nan if 300 < i < 340 else 100 * 0.5 ** (i / 80) + random.uniform(0, 15)
        record.add(Point("training", i, 1 - 0.4 * 0.5 ** (i / 60) - random.uniform(0, 0.02), loss, 0.003, None))
        spread = np.array([-3, -2, -1, -0.3, 0.3, 1, 1.5, 2])
        record.add(Bands(i, spread * (1 + i / 400), 0.2 + spread * i / 3000, None, None))
    for i in range(0, 501, 100):
        record.add(Point("test", i, 0.97 - 0.3 * 0.5 ** (i / 50), 12 + 60 * 0.5 ** (i / 60), None, 1))
    for curve, n, lines in (("training", 100, 10), ("test", 1000, 25)):
        images = np.zeros([n, 28, 28, 1], np.float32)
        for number, image in enumerate(images):
            image[4:24, 4 + number % 10 : 7 + number % 10] = 1
        labels = np.eye(10)[np.arange(n) % 10]
        answers = np.roll(labels, 1, axis=1) * (np.arange(n) % 9 == 0)[:, None] + labels * 0.5
        record.add(Picture(curve, 500, format_mnist_images(images, answers, labels, n, lines)))
    return record


def window(shows_layers=False, own_scales=False):
    """The picture of a window, with the pad and what it answers."""
    pad = Pad(lambda question: None)
    picture = picture_with_pad(pad)
    draw(pad.sheet, ONE, [(0.3, 0.3), (0.5, 0.1)])
    picture.show_pad(True, shows_layers)
    pad.show_layers(shows_layers)
    pad.look()
    answers = np.array([0.01, 0.6, 0.05, 0, 0.02, 0, 0, 0.25, 0.05, 0.02])
    pad.show_answer(Answer(pad.number, answers, layers() if shows_layers else None))
    pad.has_own_scales = own_scales
    if shows_layers:
        changes = np.zeros([28, 28], np.float32)
        changes[8:13, 9:14] = np.outer(np.linspace(-1, 1, 5), np.ones(5))
        pad.point_at((0, 10, 11, 2))
        pad.show_patch(Patch(pad.number, (0, 10, 11, 2), changes, True))
    return drawn(picture)


def drawn(picture):
    picture.update(["mnist · epoch 1 · best test accuracy 0.9700", "iteration 500 of 1,000 · 0:00:10 left"])
    picture.figure.canvas.draw()
    return pixels(picture)


def layers():
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    maps = np.stack([x, y, x * y, x - y, np.maximum(x, 0), 3 * np.maximum(y, 0)], axis=2)
    return [
        Layer(np.float32(maps), 6),
        Layer(np.float32(maps[::2, ::2].repeat(2, axis=2)), 12),
        Layer(np.float32(np.sin(np.arange(200))), 200),
    ]


def six_panels(key="0", size=SIZE):
    picture = file_picture(RUN, training())
    picture.figure.set_size_inches(*size)
    picture.fit_to_size()
    picture.show_layout(key)
    return drawn(picture)


def comparison():
    def run(best, loss):
        iterations = np.arange(0, 1001, 50)
        accuracy, losses = best - 0.2 * 0.5 ** (iterations / 60), loss + 60 * 0.5 ** (iterations / 80)
        return {"test": {"iteration": [*iterations], "accuracy": [*accuracy], "loss": [*losses]}}

    curves = {
        "mnist_1.0_softmax": [run(0.92, 27), run(0.925, 28), run(0.918, 30)],
        "mnist_3.0_convolutional": [run(0.985, 5), run(0.99, 7), run(0.984, 4)],
        "another name for nearly the same curve": [run(0.9862, 5.5)],
        "too low for the panel": [run(0.6, 80)],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comparison.png"
        save_picture(path, curves)
        with Image.open(str(path)) as image:
            return np.array(image.convert("RGB"))


PICTURES = {
    "six panels": six_panels,
    "six panels in a narrow window": lambda: six_panels(size=(9, 12)),
    "six panels on a large screen": lambda: six_panels(size=(50, 28)),
    "training and test accuracy": lambda: six_panels("1"),
    "weights and biases": lambda: six_panels("8"),
    "misread test digits": lambda: six_panels("6"),
    "pad": window,
    "layers": lambda: window(shows_layers=True),
    "layers with scales of their own": lambda: window(shows_layers=True, own_scales=True),
    "comparison": comparison,
}


def look(name):
    """Of one of PICTURES: (the small picture without letters, uint8 [height, width, 3]; its texts).

    Of each: what it says, x, y, its size, its colour, and which of its sides x and y are.
    """
    texts = {}

    def note(text, renderer, *rest):
        if text.get_visible() and text.get_text():
            x, y = text.get_transform().transform(text.get_unitless_position())
            size, to_the = round(text.get_size(), 1), f"{text.get_ha()}, {text.get_va()}"
            texts[text] = [text.get_text(), round(x), round(y), size, to_hex(text.get_color()), to_the]

    def note_legend(legend, renderer):
        box = legend.get_window_extent(renderer)
        words = " and ".join(text.get_text() for text in legend.get_texts())
        texts[legend] = [words, round(box.x1), round((box.y0 + box.y1) / 2), 0, "legend"]

    no_letters = mock.patch.object(Text, "draw", note)
    with no_letters, mock.patch.object(Legend, "draw", note_legend), matplotlib.rc_context():
        matplotlib.rcdefaults()  # as what draws begins, whatever other tests have set
        picture = PICTURES[name]()
    height, width = (side // SMALLER for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.BOX)), sorted(texts.values())


def kept(name):
    """The look that is kept under this name."""
    with Image.open(str(path_of(name))) as image:
        return np.array(image), json.loads(path_of(name).with_suffix(".json").read_text(encoding="utf-8"))


def path_of(name):
    return LOOKS / f"{name.replace(' ', '_')}.png"


def keep(name):
    picture, texts = look(name)
    Image.fromarray(picture).save(str(path_of(name)), optimize=True)
    lines = ",\n".join(json.dumps(text, ensure_ascii=False) for text in texts)
    path_of(name).with_suffix(".json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(path_of(name))


def compare(name):
    """Fails if a picture does not look as it did when it was kept under this name."""
    (picture, texts), (picture_then, texts_then) = look(name), kept(name)
    assert picture.shape == picture_then.shape
    differs = np.abs(picture.astype(int) - picture_then).max(axis=2) > 3
    assert not differs.any(), f"{differs.sum()} places differ"
    assert [text for text, *_ in texts] == [text for text, *_ in texts_then]
    for (text, x, y, *looks_like), (_, x_then, y_then, *looked_like) in zip(texts, texts_then):
        assert abs(x - x_then) <= 1 and abs(y - y_then) <= 1 and looks_like == looked_like, text


if __name__ == "__main__":
    LOOKS.mkdir(exist_ok=True)
    for name in PICTURES:
        keep(name)

    import lesson_pictures

    for name in lesson_pictures.PICTURES:
        lesson_pictures.keep(name)

    import photographs  # which needs what predict.py needs

    with tempfile.TemporaryDirectory() as folder:
        Image.fromarray(photographs.read(Path(folder))).save(str(path_of("photographs")), optimize=True)
    print(path_of("photographs"))
