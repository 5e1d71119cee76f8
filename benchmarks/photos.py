# SPDX-License-Identifier: Apache-2.0
"""Measures how well predict.py reads digits: from photos that it makes itself, and the 8 x 8 digits of scikit-learn.

    .venv/bin/pip install -r mlengine/requirements.txt -r benchmarks/requirements.txt
    .venv/bin/python benchmarks/photos.py --model mlengine/job
    .venv/bin/python benchmarks/photos.py --model mlengine/job ../before/mlengine/predict.py mlengine/predict.py

The last line compares two versions of the program, one in another clone; each gets the same files. The table, Markdown,
has how many digits of a kind were read right and, in brackets, of how many it was said that they can't be read.

The ink is that of MNIST's test digits, made ten times as large, or of matplotlib's fonts. With --keep the photos stay.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter, maximum_filter
from skimage.morphology import skeletonize
from sklearn.datasets import load_digits

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import mnistdata  # noqa: E402  (the project is not installed)

FONTS = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-BoldOblique"]
FONTS += [
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralItalic",
    "cmr10",
    "cmss10",
]
HUES = [((200, 40, 40), (40, 140, 60)), ((250, 230, 40), (255, 255, 255)), ((60, 90, 200), (190, 60, 60))]
HUES += [((20, 130, 130), (220, 180, 80)), ((240, 150, 190), (160, 190, 230))]  # ink, paper
PHOTO = (640, 480)  # pixels, width and height


# ------------------------------------------------------------------------------------------------ ink [height, width]


def blurred(array, pixels):
    return gaussian_filter(np.float32(array), pixels)


def handwriting(image):
    """An image of MNIST's [28, 28] as ink [280, 280] with sharp edges, 0 is none and 1 is all."""
    enlarged = np.asarray(Image.fromarray(np.float32(image)).resize((280, 280), Image.BICUBIC))
    return np.clip(6 * enlarged - 2.5, 0, 1)


def thin(ink, random):
    """The same digit written with a pen of 2 to 4 pixels."""
    line = maximum_filter(np.float32(skeletonize(ink > 0.5)), 3)
    return np.clip(1.3 * blurred(line, random.uniform(0.3, 1)), 0, 1)


def printed(digit, font):
    """A digit of one of matplotlib's fonts as ink [280, 280]."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    image = Image.new("L", (280, 280))
    ImageDraw.Draw(image).text((80, 20), str(digit), fill=255, font=ImageFont.truetype(str(path), 200))
    return np.asarray(image) / 255


def page(ink, random, scales=(0.5, 1.4)):
    """The ink somewhere on a page [480, 640], turned by up to 8 degrees."""
    side = int(280 * random.uniform(*scales))
    small = Image.fromarray(np.uint8(255 * ink)).resize((side, side), Image.BICUBIC)
    small = small.rotate(random.uniform(-8, 8), Image.BICUBIC)
    whole = Image.new("L", PHOTO)
    whole.paste(small, (random.randint(0, PHOTO[0] - side + 1), random.randint(0, PHOTO[1] - side + 1)))
    return np.asarray(whole) / 255


# -------------------------------------------------------------------------------------- photos, of ink [height, width]


def photo(grey, random, noise=0.01):
    """Shades of grey [height, width], or of colours [height, width, 3], from 0 to 1 as an image with some noise."""
    noisy = grey + random.normal(0, noise, grey.shape)
    return Image.fromarray(np.uint8(np.round(255 * np.clip(noisy, 0, 1))))


def soft_light(random, shape=PHOTO[::-1]):
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    a, b, c = random.uniform(-0.25, 0.25, 3)
    return 0.7 + a * x + b * y + 0.4 * c * (x * x + y * y)


def shadow(random, shape=PHOTO[::-1]):
    """Light with a shadow whose edge goes through the picture."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    angle, depth = random.uniform(0, 2 * np.pi), random.uniform(0.3, 0.5)
    dark = x * np.cos(angle) + y * np.sin(angle) > random.uniform(-0.4, 0.4)
    return 1 - depth * blurred(dark, random.uniform(2, 12))


def sheet_on_table(ink, random, corners):
    """A sheet of white paper, seen with its corners at four points (x, y) of the picture, on a darker table."""
    width, height = PHOTO
    sources = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, sources):  # u = (a x + b y + c) / (g x + h y + 1), v alike with d, e, f
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    sheet = Image.fromarray(np.uint8(255 * (0.92 - 0.75 * ink)))
    warp = np.linalg.solve(rows, values).tolist()
    seen = np.asarray(sheet.transform(PHOTO, Image.PERSPECTIVE, warp, Image.BICUBIC)) / 255
    grain = blurred(random.normal(0, 1, seen.shape), 2) * 0.15
    inside = Image.new("L", PHOTO)
    ImageDraw.Draw(inside).polygon([tuple(map(int, corner)) for corner in corners], fill=255)
    share = blurred(np.asarray(inside) / 255, 1)
    return share * seen + (1 - share) * (random.uniform(0.15, 0.45) + grain)


def corners(random, angle, skew):
    """The corners of a sheet that fills about half of the picture: turned by degrees, and moved by pixels each."""
    width, height = random.uniform(0.6, 0.8) * np.array(PHOTO)
    points = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2
    turn = np.radians(random.uniform(-angle, angle))
    points = points @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    return points + np.array(PHOTO) / 2 + random.uniform(-skew, skew, points.shape)


def on_paper(ink, random):
    return photo(0.95 - random.uniform(0.6, 0.9) * page(ink, random), random)


def on_a_blackboard(ink, random):
    return photo(0.15 + random.uniform(0.4, 0.8) * page(ink, random), random)


def on_a_sheet(ink, random):
    return photo(sheet_on_table(page(ink, random, (0.8, 1.4)), random, corners(random, 5, 0)), random)


def on_a_sheet_in_perspective(ink, random):
    return photo(sheet_on_table(page(ink, random, (0.8, 1.4)), random, corners(random, 5, 25)), random)


def in_soft_light(ink, random):
    return photo(soft_light(random) * (1 - 0.7 * page(ink, random)), random, 0.02)


def in_a_shadow(ink, random):
    return photo(0.9 * shadow(random) * (1 - 0.7 * page(ink, random)), random, 0.02)


def out_of_focus(ink, random):
    return photo(0.9 - 0.7 * blurred(page(ink, random, (0.9, 1.4)), random.uniform(3, 7)), random)


def noisy(ink, random):
    return photo(0.8 - 0.6 * page(ink, random), random, random.uniform(0.05, 0.12))


def faint(ink, random):
    return photo(random.uniform(0.6, 0.9) - 0.15 * page(ink, random), random)


def in_colours(ink, random):
    colours, share = HUES[random.randint(len(HUES))], page(ink, random)[..., np.newaxis]
    return photo((share * colours[0] + (1 - share) * colours[1]) / 255, random)


def with_a_thin_pen(ink, random):
    return photo(0.9 - 0.7 * page(thin(ink, random), random, (0.8, 1.4)), random)


def from_afar(ink, random):
    return photo(0.9 - 0.7 * page(ink, random, (0.15, 0.3)), random)


def cut_close(ink, random):
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return photo(0.9 - 0.8 * ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], random)


def transparent(ink, random):
    pixels = np.full([*ink.shape, 4], random.choice([0, 255]), np.uint8)
    pixels[..., 3] = 255 * ink
    return Image.fromarray(pixels)


def with_a_telephone(ink, random):
    """A bit of all of it."""
    sheet = sheet_on_table(page(ink, random, (0.8, 1.4)), random, corners(random, 5, 15))
    return photo(blurred(sheet * soft_light(random) * (0.5 + 0.5 * shadow(random)) * 1.3, 1.5), random, 0.02)


KINDS = [on_paper, on_a_blackboard, on_a_sheet, on_a_sheet_in_perspective, in_soft_light, in_a_shadow, out_of_focus]
KINDS += [noisy, faint, in_colours, with_a_thin_pen, from_afar, cut_close, transparent, with_a_telephone]


# ------------------------------------------------------------------------------------------------------------ program


def samples(number):
    """(kind, right digit, image) of all that is to be read, with that number of each kind."""
    test = mnistdata.read_data_sets(str(ROOT / "data"), reshape=False).test
    for position, make in enumerate(KINDS):
        for i in range(position * number, (position + 1) * number):  # each kind has digits of its own
            random = np.random.RandomState(i)
            ink = handwriting(test.images[i % test.num_examples, :, :, 0])
            yield make.__name__.replace("_", " "), test.labels[i % test.num_examples], make(ink, random)
    for i in range(number):
        digit, font = i % 10, FONTS[i // 10 % len(FONTS)]
        yield "printed", digit, on_paper(printed(digit, font), np.random.RandomState(i))
    small = load_digits()
    for i in range(number):
        image = Image.fromarray(np.uint8(255 - np.minimum(16 * small.images[i], 255)))
        yield "8 x 8 pixels", small.target[i], image
        yield "8 x 8, enlarged", small.target[i], image.resize((200, 200), Image.BICUBIC)
        yield "8 x 8, as squares", small.target[i], image.resize((200, 200), Image.NEAREST)


def answers(program, model, folder, names):
    """What a predict.py says of image files in a folder: {name: digit} of those that it can read."""
    command = [sys.executable, str(Path(program).resolve()), "--model", str(Path(model).resolve()), *names]
    process = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    found = dict(re.findall(r"^(\S+) +(\d)  \(", process.stdout, re.MULTILINE))
    if not found:
        sys.exit(f"{program} read nothing: {process.stderr.strip()[-500:]}")
    return found


def main():
    parser = argparse.ArgumentParser(description="Measures how well predict.py reads digits from photos.")
    parser.add_argument(
        "programs", nargs="*", default=[str(ROOT / "mlengine" / "predict.py")], help="predict.py, or several"
    )
    parser.add_argument("--model", metavar="DIR", required=True, help="folder of the SavedModel or job")
    parser.add_argument("--number", type=int, default=100, help="of digits of each kind (default: 100)")
    parser.add_argument("--keep", metavar="DIR", help="folder for the photos, where they stay")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        kinds, digits = {}, {}
        for kind, digit, image in samples(arguments.number):
            name = f"{kind.replace(' ', '_').replace(',', '')}-{len(kinds.setdefault(kind, []))}.png"
            image.save(str(folder / name))
            kinds[kind].append(name)
            digits[name] = str(digit)
        found = [answers(program, arguments.model, str(folder), list(digits)) for program in arguments.programs]
    print(f"| {arguments.number} of each kind | " + " | ".join(arguments.programs) + " |")
    print("|---" * (1 + len(found)) + "|")
    for kind, names in kinds.items():
        cells = [
            f"{sum(answer.get(n) == digits[n] for n in names)} ({sum(n not in answer for n in names)})"
            for answer in found
        ]
        print(f"| {kind} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
