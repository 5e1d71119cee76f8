# SPDX-License-Identifier: Apache-2.0
"""Reads handwritten digits from image files, with a model that was trained on MNIST and exported as a SavedModel.

    python3 mlengine/predict.py --model job seven.png photo.jpg

An image may be of any size, dark on light or light on dark, in colour, on unevenly lit paper. MNIST's digits are not:
each was scaled into 20 x 20 pixels and centred in 28 x 28. A model knows no others, so each image is made one of those:

    read_grey    the file as shades of grey
    sheets_in    the sheet of paper, if there is a darker table around it
    find_ink     how much ink is on each pixel, 0 to 1, without shadows, noise and specks
    as_mnist     the ink scaled and centred like MNIST's
"""

import argparse
import json
import os
import sys

import numpy as np
from PIL import Image, ImageFilter, ImageOps

WORKING_SIZE = 800  # pixels of the longer side: larger images are shrunk to that, which also takes noise away
MAP_SIZE = 100  # the same, where it is about light, paper and the parts of a digit
STROKE = 1 / 3  # of the longer side: what is wider than this in both directions is not ink
CONTRAST = 0.08  # between ink and paper, where 1 is between black and white: ink is not fainter than this
CLARITY = 6  # standard deviations of the paper by which ink is darker: noise alone has up to 5.8, ink 6.1 and more
LINE = 2  # pixels of the 28: thinner lines are made this wide, as they would become faint. MNIST's are 2 to 4 wide


class InputError(Exception):
    """What is wrong with an image or a model, in one sentence for the person who gave it."""


# -------------------------------------------------------------------------------------------------------------- images


def read_digit(path):
    """An image file as a digit of MNIST [28, 28], 0 is paper and 1 is ink."""
    grey = read_grey(path)
    ink = next((ink for ink in map(find_ink, [*sheets_in(grey), grey]) if ink is not None), None)
    if ink is None:
        raise InputError(f"{path} shows no ink that stands out from the paper, expected one digit: pass another image")
    return as_mnist(ink)


def read_grey(path):
    """An image file as shades of grey [height, width], 0 is black and 1 is white."""
    try:
        with Image.open(path) as image:
            return grey_of(ImageOps.exif_transpose(image))  # a camera notes how it was held
    except FileNotFoundError:
        raise InputError(f"{path} does not exist, expected an image file: check the path")
    except Exception as error:  # Pillow raises many kinds of them for damaged files
        what = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} can't be read as an image ({what}), expected a whole PNG or JPEG file: save it again")


def grey_of(image):
    """An image of any mode as shades of grey: of its colours, what differs most between them."""
    if image.mode[0] in "IF":  # 16 bits a pixel or more
        pixels = np.asarray(image, np.float64)
        return (pixels - pixels.min()) / max(np.ptp(pixels), 1)
    pixels = np.asarray(shrunk(image.convert("RGBA"), WORKING_SIZE), np.float64) / 255
    colours, opacity = pixels[..., :3], pixels[..., 3:]
    paper = paper_behind(colours, opacity)
    colours = paper + (colours - paper) * opacity
    # red on green differs in colour only, and yellow on white in blue only: the principal axis of the colours has both
    axis = np.linalg.eigh(np.cov(colours.reshape(-1, 3).T, bias=True))[1][:, -1]
    return colours @ axis / abs(axis).sum() * (1 if axis.sum() >= 0 else -1)


def paper_behind(colours, opacity):
    """The colour to put behind transparent pixels: on it the ink is seen, or it goes on with the paper."""
    opaque = colours[opacity[..., 0] > 0.5]
    if not len(opaque) or opacity.min() > 0.5:
        return 1.0
    shades = opaque.mean(axis=1)
    if len(opaque) < opacity.size / 2 or np.ptp(np.percentile(shades, [5, 95])) < 0.25:
        return float(shades.mean() < 0.5)  # nothing but ink is drawn: white behind black ink, black behind white
    return np.median(opaque, axis=0)


def shrunk(image, size):
    """The image with its longer side shrunk to the size, each pixel the mean of those it stands for."""
    scale = size / max(image.size)
    return image.resize([max(1, round(side * scale)) for side in image.size], Image.BOX) if scale < 1 else image


def stretched(grey):
    """Shades of grey as an image that goes from black to white."""
    return as_image((grey - grey.min()) / max(np.ptp(grey), CONTRAST))


def as_image(array):
    return Image.fromarray(np.round(np.clip(array, 0, 1) * 255).astype(np.uint8))


def as_array(image):
    return np.asarray(image, np.float32) / 255


# ----------------------------------------------------------------------------------------------------------------- ink


def find_ink(grey):
    """How much ink of the digit is on each pixel [height, width], 0 is none and 1 is all; or None without any ink."""
    if np.ptp(grey) < CONTRAST:
        return None
    image = shrunk(stretched(grey), WORKING_SIZE)
    image = image.filter(ImageFilter.GaussianBlur(max(image.size) / 500))
    if is_light_on_dark(image):
        image = ImageOps.invert(image)
    paper = np.maximum(as_array(as_image(paper_of(image)).resize(image.size, Image.BICUBIC)), 0.1)
    ink = np.clip(1 - as_array(image) / paper, 0, 1)
    threshold = otsu(ink)
    below, above = ink[ink < threshold], ink[ink >= threshold]
    none, full = np.median(below), np.percentile(above, 75)
    if full - none < max(CONTRAST, CLARITY * below.std()):
        return None
    ink = np.clip((ink - none) / (full - none), 0, 1)
    return ink * mask_of_digit(ink > 0.5)


def sheets_in(grey):
    """The inner part of a sheet of paper on a darker table, if the image shows one: a large light rectangle."""
    small = as_array(shrunk(stretched(grey), MAP_SIZE))
    light = small > otsu(small)
    labels = label_parts(light)
    sheet = labels == 1 + np.argmax(np.bincount(labels.ravel(), minlength=2)[1:])
    if sheet.sum() < max(0.2 * light.size, 0.85 * light.sum()):  # the inside of a large 0 is not the only light part
        return []
    top, left, bottom, right = edges = bounds(sheet)
    borders = np.equal(edges, [0, 0, *sheet.shape]).sum()  # light that ends at one line only is a shadow's edge
    if borders > 2 or sheet[top:bottom, left:right].mean() < 0.7:
        return []
    scale, margin = max(grey.shape) / max(small.shape), 0.05 * max(bottom - top, right - left)
    y, x = (slice(int((a + margin) * scale), int((b - margin) * scale)) for a, b in ((top, bottom), (left, right)))
    return [grey[y, x]]


def is_light_on_dark(image):
    """Whether the lines are lighter than what is around them: lines are few and differ much, paper differs little."""
    image = shrunk(image, MAP_SIZE)
    difference = as_array(image) - as_array(image.filter(ImageFilter.GaussianBlur(max(image.size) / 5)))
    return (difference**3).sum() > 0


def paper_of(image):
    """How light the image would be without its ink, at MAP_SIZE: the darker of two estimates, as both err upwards."""
    grey = as_array(shrunk(image, MAP_SIZE))
    light = np.maximum(light_of(grey), 0.1)
    size = max(1, round(max(grey.shape) * STROKE / 4))
    # White around the image, so that a digit that touches the border is no wider than it is
    level = ImageOps.expand(as_image(grey / light), 4 * size, 255)
    level = as_array(ImageOps.crop(closed(level, size), 4 * size))
    # What is left of hard shadows, at the border too, where they are narrow: there a filter sees half a square
    return np.minimum(level * light, as_array(closed(as_image(grey), round(1.5 * size))))


def closed(image, size):
    """The image without what is darker than around it and narrower than a square of 4 * size + 1 pixels."""
    for kind in (ImageFilter.MaxFilter(5), ImageFilter.MinFilter(5)):
        for _ in range(size):
            image = image.filter(kind)
    return image


def light_of(grey):
    """The light on the paper [height, width]: the quadratic surface below which most of the shades lie."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).reshape(-1, 6)
    weights = np.ones(grey.size)
    for _ in range(10):
        normal = terms.T * weights
        surface = terms @ np.linalg.lstsq(normal @ terms, normal @ grey.ravel(), rcond=None)[0]
        weights = np.where(grey.ravel() > surface, 1, 0.03)  # ink lies below
    return surface.reshape(grey.shape)


def otsu(values):
    """Otsu's threshold: it parts the values, from 0 to 1, into two groups whose means differ most."""
    counts, edges = np.histogram(values, 256, (0, 1))
    centres = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts), np.cumsum(counts * centres)
    above = np.maximum(below[-1] - below, 1e-9)
    between = (total[-1] * below / below[-1] - total) ** 2 / np.maximum(below * above, 1e-9)
    return edges[1 + np.argmax(between[:-1])]


def mask_of_digit(mask):
    """1 on the digit and close around it, 0 elsewhere, of a mask of all that is dark."""
    image = as_image(mask)
    labels = label_parts(as_array(shrunk(image, MAP_SIZE)) > 0.2)
    digit = as_image(np.isin(labels, parts_of_digit(labels))).filter(ImageFilter.MaxFilter(5))
    return as_array(digit.resize(image.size, Image.NEAREST))


def label_parts(mask):
    """The connected parts of a mask, numbered from 1; 0 is outside."""
    labels = np.zeros(mask.shape, int)
    todo = set(zip(*np.nonzero(mask)))
    while todo:
        front = [todo.pop()]
        number = labels.max() + 1
        while front:
            y, x = front.pop()
            labels[y, x] = number
            near = todo.intersection((y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
            todo -= near
            front.extend(near)
    return labels


def parts_of_digit(labels):
    """The numbers of the parts that make the digit: the largest, and those near it, like the bar of a 5."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    at_border = set(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = [number for number in np.flatnonzero(sizes) if number not in at_border]
    main = np.argmax(sizes)
    # what touches the border is often not the digit: a table, a thumb
    largest_inside = max(inside, key=lambda number: sizes[number], default=main)
    if main in at_border and sizes[largest_inside] > 0.1 * sizes[main]:
        main = largest_inside
    candidates = np.flatnonzero(sizes > 0.04 * sizes[main]) if main in at_border else inside
    top, left, bottom, right = bounds(labels == main)
    reach = 0.15 * max(bottom - top, right - left)

    def is_near(number):
        t, l, b, r = bounds(labels == number)  # noqa: E741
        return max(t - bottom, top - b, l - right, left - r) < reach

    return [n for n in candidates if n == main or sizes[n] > 0.04 * sizes[main] and is_near(n)]


# --------------------------------------------------------------------------------------------------------------- MNIST


def as_mnist(ink):
    """The ink [height, width] as a digit of MNIST [28, 28]: scaled into 20 x 20, its centre of mass at (14, 14)."""
    ink = thickened(cropped(ink))
    rows, columns = (max(1, round(side * 20 / max(ink.shape))) for side in ink.shape)
    small = np.asarray(Image.fromarray(ink.astype(np.float32)).resize((columns, rows), Image.BOX))
    small = np.clip(small / small.max(), 0, 1)
    # MNIST's centres of mass lie evenly from 13.5 to 14.5, in pixels that count from 0: 14, moved by whole pixels
    y = int(round(14 - np.arange(rows) @ small.sum(axis=1) / small.sum()))
    x = int(round(14 - np.arange(columns) @ small.sum(axis=0) / small.sum()))
    y, x = min(max(y, 0), 28 - rows), min(max(x, 0), 28 - columns)
    digit = np.zeros([28, 28])
    digit[y : y + rows, x : x + columns] = small
    return np.round(np.round(digit * 255) / 255, 4)  # 256 shades, with as many decimals as a request has


def cropped(ink):
    top, left, bottom, right = bounds(ink > 0.1)
    return ink[top:bottom, left:right]


def bounds(mask):
    """Top, left, bottom and right of the true values in a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def thickened(ink):
    """The ink with its lines made as wide as LINE, if they are thinner."""
    mask = np.pad(ink > 0.5, 1, mode="constant")
    inner = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    width = 2 * mask.sum() / max(mask.sum() - inner.sum(), 1)  # a line has two edges along its length
    grow = int(round((LINE * max(ink.shape) / 20 - width) / 2))
    if grow <= 0:
        return ink
    image = as_image(np.pad(ink, grow, mode="constant"))
    for _ in range(grow):
        image = image.filter(ImageFilter.MaxFilter(3))
    return as_array(image)


# --------------------------------------------------------------------------------------------------------------- model


def import_tensorflow():
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    import tensorflowvisu  # noqa: F401, it keeps TensorFlow's start-up logs quiet
    import tensorflow.compat.v1 as tf  # isort: skip

    return tf


def find_model(tf, path):
    """The folder of a SavedModel: path itself, or the highest number in it or in its folder export."""
    try:
        if tf.io.gfile.exists(os.path.join(path, "saved_model.pb")):
            return path
        for folder in (path, os.path.join(path, "export")):
            names = tf.io.gfile.listdir(folder) if tf.io.gfile.isdir(folder) else []
            versions = [name.strip("/") for name in names if name.strip("/").isdigit()]
            for version in sorted(versions, key=int, reverse=True):
                model = os.path.join(folder, version)
                if tf.io.gfile.exists(os.path.join(model, "saved_model.pb")):
                    return model
    except (tf.errors.OpError, OSError) as error:
        raise InputError(f"{path} can't be searched for a model ({first_line(error)}): pass another --model")
    raise InputError(
        f"{path} holds no model, expected saved_model.pb, or <number>/saved_model.pb, in it or in its folder export: "
        f"train one, or pass its folder with --model"
    )


def predict(tf, model, digits):
    """The classes [n] and the probabilities [n, 10] of digits [n, 28, 28], by the SavedModel in a folder."""
    with tf.Session(graph=tf.Graph()) as sess:
        try:
            signatures = tf.saved_model.load(sess, ["serve"], model).signature_def
        except Exception as error:  # each version of TensorFlow raises others
            raise InputError(
                f"{model} can't be loaded ({first_line(error)}), expected a SavedModel with the tag 'serve': export it "
                f"again"
            )
        image, classes, probabilities = tensors(tf, model, signatures)
        return sess.run([classes, probabilities], {image: digits})


def tensors(tf, model, signatures):
    """The names of the tensors image, classes and probabilities, from the signature serving_default."""
    expected = {"image": (tf.float32, [None, 28, 28]), "classes": (tf.int64, [None])}
    expected["probabilities"] = (tf.float32, [None, 10])
    found = {}
    if "serving_default" in signatures:
        found = {**signatures["serving_default"].inputs, **signatures["serving_default"].outputs}
    for name, (dtype, shape) in expected.items():
        info = found.get(name)
        if not info or info.dtype != dtype or not tf.TensorShape(info.tensor_shape).is_compatible_with(shape):
            raise InputError(
                f"{model} has no '{name}' of {dtype.name} {shape} in its signature serving_default, expected the input "
                f"image and the outputs classes and probabilities: pass a model of this project with --model"
            )
    return [found[name].name for name in expected]


def first_line(error):
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".:")


# ------------------------------------------------------------------------------------------------------------- program


def request_body(digits):
    """The body of a call of TensorFlow Serving's or Vertex AI's REST method predict."""
    return json.dumps({"instances": [{"image": digit.tolist()} for digit in digits]})


def write_request(path, digits):
    try:
        with open(path, "w") as file:
            file.write(request_body(digits))
    except OSError as error:
        raise InputError(f"{path} can't be written ({error.strerror}): pass another file with --request")


def read_digits(paths):
    """The digits of the images that can be read, by path, and how many can't; says of each why."""
    digits = {}
    for path in dict.fromkeys(paths):
        try:
            digits[path] = read_digit(path)
        except InputError as error:
            print(error, file=sys.stderr)
    return digits, len(set(paths)) - len(digits)


def print_predictions(paths, classes, probabilities):
    width = max(map(len, paths))
    for path, digit, row in zip(paths, classes, probabilities):
        print(f"{path:{width}}  {digit}  (" + "  ".join(f"{d}: {p:.4f}" for d, p in enumerate(row)) + ")")


def main():
    parser = argparse.ArgumentParser(description="Reads handwritten digits from image files, with an exported model.")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="an image file that shows one digit")
    parser.add_argument("--model", metavar="DIR", default="job", help="folder of the SavedModel or job (default: job)")
    parser.add_argument("--request", metavar="FILE", help="write the body of a REST predict call for the images, too")
    arguments = parser.parse_args()
    digits, failures = read_digits(arguments.images)
    if digits:
        try:
            if arguments.request:
                write_request(arguments.request, digits.values())
            tf = import_tensorflow()
            model = find_model(tf, arguments.model)
            print_predictions(digits, *predict(tf, model, list(digits.values())))
        except InputError as error:
            print(error, file=sys.stderr)
            failures += 1
    return 2 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
