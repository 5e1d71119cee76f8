# SPDX-License-Identifier: Apache-2.0
"""The digit in an image file, made one like MNIST's.

An image may be of any size, dark on light or light on dark, in colour, on unevenly lit paper. MNIST's digits are not,
and a model knows no others. So of each image the ink is found, without shadows, noise and specks, and made one of
those by ink.py.
"""

import os
import warnings

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter, grey_closing, maximum_filter
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops

from ink import as_mnist

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
    if not os.path.exists(path):
        what = "matches no file" if set("*?[") & set(path) else "does not exist"
        raise InputError(f"{path} {what}, expected an image file: check the path")
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
    shades = small(grey)
    light = shades > threshold_otsu(shades)
    sheet = max(regionprops(label(light)), key=lambda region: region.area, default=None)
    if sheet is None or sheet.area < max(0.2 * light.size, 0.85 * light.sum()):  # in a large 0 there is light, too
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
    light, size = np.maximum(light_of(grey), 0.1), round(STROKE * max(grey.shape))
    # white around the image, so that a digit that touches the border is no wider than it is; and as it is at the border
    level = grey_closing(np.clip(grey / light, 0, 1), size, mode="constant", cval=1)
    return np.minimum(level * light, grey_closing(grey, 3 * size // 2, mode="nearest"))


def light_of(grey):
    """The light on the paper [height, width]: the quadratic surface below which most of the shades lie."""
    y, x = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij"))
    terms, shades, weights = np.stack([y**0, x, y, x * y, x * x, y * y], axis=-1), grey.ravel(), np.ones(grey.size)
    for _ in range(10):
        weighted = terms.T * weights
        surface = terms @ np.linalg.lstsq(weighted @ terms, weighted @ shades, rcond=None)[0]
        weights = np.where(shades > surface, 1, 0.03)  # ink lies below
    return surface.reshape(grey.shape)


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
