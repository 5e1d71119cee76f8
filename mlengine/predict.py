# SPDX-License-Identifier: Apache-2.0
"""Reads handwritten digits from image files, with a model that was trained on MNIST and exported as a SavedModel.

    .venv/bin/pip install -r mlengine/requirements.txt
    .venv/bin/python mlengine/predict.py --model job seven.png photo.jpg

An image may be of any size, dark on light or light on dark, in colour, on unevenly lit paper. MNIST's digits are not,
and a model knows no others. So of each image the ink is found, without shadows, noise and specks, and made one of
those by visu/ink.py.
"""

import argparse
import json
import os
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
try:
    import numpy as np
    from PIL import Image, ImageOps
    from scipy.ndimage import gaussian_filter, grey_closing, maximum_filter
    from skimage.filters import threshold_otsu
    from skimage.measure import label, regionprops

    from visu.ink import as_mnist
except ImportError as error:
    sys.exit(
        f"predict.py can't be used with {sys.executable} ({error}): pip install -r mlengine/requirements.txt, and "
        f"keep the folder visu beside mlengine, as in a clone of the project"
    )

SIZE = 800  # pixels of the longer side: larger images are shrunk to that, which also takes noise away
MAP_SIZE = 100  # the same, where it is about light, paper and the parts of a digit
STROKE = 1 / 3  # of the longer side: what is wider than this in both directions is not ink
CONTRAST = 0.08  # between ink and paper, where 1 is between black and white: ink is not fainter than this
CLARITY = 6  # standard deviations of the paper by which ink is darker: noise alone has up to 5.8, ink 6.1 and more


class InputError(Exception):
    """What is wrong with an image or a model, in one sentence for the person who gave it."""


# -------------------------------------------------------------------------------------------------------------- images


def read_digit(path):
    """An image file as a digit of MNIST [28, 28], 0 is paper and 1 is ink, with as many decimals as a request has."""
    grey = read_grey(path)
    ink = next((ink for ink in map(find_ink, (sheet_in(grey), grey)) if ink is not None), None)
    if ink is None:
        raise InputError(f"{path} shows no ink that stands out from the paper, expected one digit: pass another image")
    return np.round(np.float64(as_mnist(ink)), 4)


def read_grey(path):
    """An image file as shades of grey [height, width], with 1 between black and white and the longer side shrunk."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of large images and odd files
            with Image.open(path) as image:
                if image.mode in ("1", "P", "PA") or "transparency" in image.info:
                    image = image.convert("RGBA")
                elif image.mode.startswith("I"):  # 16 bits a pixel or more
                    image = image.convert("F")
                image.thumbnail((SIZE, SIZE), Image.BOX)  # a JPEG is not even decoded in full
                return grey_of(ImageOps.exif_transpose(image))  # a camera notes how it was held
    except FileNotFoundError:
        raise InputError(f"{path} does not exist, expected an image file: check the path")
    except (Image.DecompressionBombError, MemoryError) as error:
        what = str(error).split(",")[0] or "out of memory"  # the number of pixels, and the limit
        raise InputError(f"{path} is too large ({what}), expected a photo of one digit: make it smaller")
    except Exception as error:  # Pillow raises many kinds of them for damaged files
        what = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} can't be read as an image ({what}), expected a whole PNG or JPEG file: save it again")


def grey_of(image):
    """An image of any mode as shades of grey [height, width]: of its colours, what differs most between them."""
    if image.mode == "F":
        pixels = np.asarray(image)
        return (pixels - pixels.min()) / max(np.ptp(pixels), 1)
    pixels = np.asarray(image.convert("RGBA"), np.float64) / 255
    pixels[..., :3] *= pixels[..., 3:]  # ink or paper may be what is opaque
    # red on green differs in colour only, and yellow on white in blue only: the principal axis has both, and opacity
    axis = np.linalg.eigh(np.cov(pixels.reshape(-1, 4).T, bias=True))[1][:, -1]
    return pixels @ axis / abs(axis).sum() * (1 if axis.sum() >= 0 else -1)


# ----------------------------------------------------------------------------------------------------------------- ink


def find_ink(grey):
    """How much ink of the digit is on each pixel [height, width], 0 is none and 1 is all; or None without any ink."""
    if np.ptp(grey) < CONTRAST:
        return None
    grey = gaussian_filter((grey - grey.min()) / np.ptp(grey), max(grey.shape) / 500)
    if is_light_on_dark(small(grey)):
        grey = 1 - grey
    paper = resized(paper_of(small(grey)), grey.shape, Image.BICUBIC)
    ink = np.clip(1 - grey / np.maximum(paper, 0.1), 0, 1)
    is_dark = ink > threshold_otsu(ink)
    none, full = np.median(ink[~is_dark]), np.percentile(ink[is_dark], 75)
    if full - none < max(CONTRAST, CLARITY * ink[~is_dark].std()):
        return None
    ink = np.clip((ink - none) / (full - none), 0, 1)
    return ink * mask_of_digit(ink > 0.5)


def sheet_in(grey):
    """The image without what is around a sheet of paper on a darker table, if it shows one: a large light part."""
    light = small(grey) > threshold_otsu(small(grey))
    sheet = max(regionprops(label(light)), key=lambda region: region.area, default=None)
    if sheet is None or sheet.area < max(
        0.2 * light.size, 0.85 * light.sum()
    ):  # the inside of a large 0 is not the only light part
        return grey
    top, left, bottom, right = sheet.bbox
    borders = np.equal(sheet.bbox, [0, 0, *light.shape]).sum()  # light that ends at one line only is a shadow's edge
    if borders > 2 or sheet.extent < 0.7:
        return grey
    scale, margin = max(grey.shape) / max(light.shape), 0.05 * max(bottom - top, right - left)
    y, x = (slice(int((a + margin) * scale), int((b - margin) * scale)) for a, b in ((top, bottom), (left, right)))
    return grey[y, x]


def is_light_on_dark(grey):
    """Whether the lines are lighter than what is around them: lines are few and differ much, paper differs little."""
    return ((grey - gaussian_filter(grey, max(grey.shape) / 5)) ** 3).sum() > 0


def paper_of(grey):
    """How light the image would be without what is dark and narrow: the darker of two estimates, both err upwards."""
    size = round(STROKE * max(grey.shape))
    # white around the image, so that a digit that touches the border is no wider than it is; and as it is at the border
    return np.minimum(
        grey_closing(grey, size, mode="constant", cval=1), grey_closing(grey, round(1.5 * size), mode="nearest")
    )


def mask_of_digit(dark):
    """1 on the digit and close around it, 0 elsewhere: of all that is dark the largest part, and those near it."""
    labels = label(small(dark) > 0.2)
    regions = regionprops(labels)
    largest = max(regions, key=lambda region: region.area)
    # what touches the border is often not the digit: a table, a thumb
    inside = [r for r in regions if min(r.bbox) > 0 and r.bbox[2] < labels.shape[0] and r.bbox[3] < labels.shape[1]]
    main = max(inside, key=lambda region: region.area, default=largest)
    if main.area < 0.1 * largest.area:
        main = largest
    top, left, bottom, right = main.bbox
    reach = 0.15 * max(bottom - top, right - left)

    def belongs(region):
        t, l, b, r = region.bbox  # noqa: E741
        is_near = max(t - bottom, top - b, l - right, left - r) < reach
        return region.area > 0.04 * main.area and is_near and (region in inside or main not in inside)

    digit = np.isin(labels, [region.label for region in regions if belongs(region)])
    return resized(maximum_filter(digit, 5), dark.shape, Image.NEAREST)


def small(array):
    scale = min(1, MAP_SIZE / max(array.shape))
    return resized(array, [max(1, round(side * scale)) for side in array.shape], Image.BOX)


def resized(array, shape, method):
    return np.asarray(Image.fromarray(np.float32(array)).resize(tuple(shape[::-1]), method))


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
