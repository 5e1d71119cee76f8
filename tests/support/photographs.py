"""Photographs of digits, made up: paper and light, pens, what lies beside the paper."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import predict

# Strokes from 0 to 1, to the right and down
FIVE = [[(0.8, 0), (0.2, 0), (0.15, 0.4), (0.6, 0.4), (0.85, 0.65), (0.6, 1), (0.1, 0.95)]]
EIGHT = [
    [(0.5, 0.45), (0.85, 0.25), (0.5, 0), (0.15, 0.25), (0.5, 0.45), (0.9, 0.75), (0.5, 1), (0.1, 0.75), (0.5, 0.45)]
]
FOUR = [[(0.2, 0), (0.15, 0.55), (0.9, 0.55)], [(0.7, 0.3), (0.68, 1)]]


def ink(strokes, width, height, box, line):
    """How much ink is on each pixel [height, width]: a digit in a box (left, top, right, bottom)."""
    left, top, right, bottom = box
    image = Image.new("L", (width, height))
    for stroke in strokes:
        places = [(left + x * (right - left), top + y * (bottom - top)) for x, y in stroke]
        ImageDraw.Draw(image).line(places, fill=255, width=line, joint="curve")
    return np.asarray(image.filter(ImageFilter.GaussianBlur(1.5)), np.float64) / 255


def photographs():
    """Shades of grey [height, width] of each, {what is special: photograph}, 0 is black and 1 is white."""
    random = np.random.RandomState(0)
    y, x = np.mgrid[0:1:600j, 0:1:800j]
    pen = ink(FIVE, 800, 600, (250, 120, 520, 480), 30)
    even = 0.9 - 0.75 * pen
    table = np.full([600, 800], 0.25)
    table[60:540, 150:650] = 0.85 - 0.7 * ink(EIGHT, 500, 480, (170, 120, 330, 380), 22)
    beside = pen.copy()
    beside[520:600, 700:800] = beside[40:60, 60:90] = beside[300:306, 600:606] = 1
    lined = 0.9 - 0.7 * np.maximum(
        ink(FOUR, 800, 600, (300, 100, 480, 420), 12), 0.15 * (np.arange(600) % 60 < 3)[:, None]
    )
    return {
        "even": even,
        "shadow": even * (1 - 0.5 * x - 0.2 * y),
        "half in the shade": even * np.where(x + 0.3 * y < 0.6, 1, 0.55),
        "noise": even + random.normal(0, 0.06, even.shape),
        "faint": 0.8 - 0.15 * pen + random.normal(0, 0.005, pen.shape),
        "chalk": 0.15 + 0.7 * ink(EIGHT, 800, 600, (300, 100, 480, 420), 16),
        "thin": 0.95 - 0.8 * ink(FOUR, 800, 600, (300, 100, 480, 420), 4),
        "fat": 0.95 - 0.8 * ink(FOUR, 800, 600, (250, 100, 550, 500), 90),
        "table": table,
        "marks": 0.9 - 0.75 * beside,
        "lined": lined,
        "small": 0.9 - 0.75 * ink(FIVE, 800, 600, (60, 450, 110, 520), 7),
        "wide": 0.9 - 0.75 * ink(EIGHT, 800, 300, (80, 80, 720, 220), 20),
    }


def read(folder):
    """What is read from each, side by side, uint8 [28, 28 * how many], 0 is paper."""
    digits = []
    for number, grey in enumerate(photographs().values()):
        path = folder / f"{number}.png"
        Image.fromarray(np.uint8(np.round(255 * np.clip(grey, 0, 1)))).save(str(path))
        digits.append(predict.read_digit(str(path)))
    return np.uint8(np.round(255 * np.concatenate(digits, axis=1)))
