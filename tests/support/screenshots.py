"""What a screenshot of the six panels of a made-up training shows."""

import base64
import io

import matplotlib.image

CURVE, DIGITS, WEIGHTS, BIASES = (214, 39, 40), (255, 160, 160), (31, 78, 156), (160, 82, 45)
PANEL_COLOURS = (CURVE, CURVE, DIGITS, WEIGHTS, BIASES, DIGITS)  # what is drawn in panels 1 to 6, and in no frame
MIDDLE = (0.4, 0.4, 0.6, 0.6)  # panel 6 alone has no misrecognised digits there
TOP = (0.2, 0.15, 0.8, 0.25)  # and here, nothing else


def share(picture, colour, place):
    """How much of a part of a picture is nearly of that colour; place: left, top, right, bottom, from 0 to 1."""
    height, width = picture.shape[:2]
    left, top, right, bottom = place
    part = picture[int(top * height) : int(bottom * height), int(left * width) : int(right * width), :3]
    return (abs(255 * part - colour).max(axis=2) < 10).mean()


def panel_of(picture, number):
    """A panel of six, cut out of their picture."""
    row, column = divmod(number - 1, 3)
    height, width = (picture.shape[0] - 30) // 2, picture.shape[1] // 3  # below them is a line of text
    return picture[row * height : (row + 1) * height, column * width : (column + 1) * width]


def panels_shown(picture):
    """The numbers of the panels that show something, among the six."""
    numbers = range(1, 7)
    return [n for n in numbers if share(panel_of(picture, n), PANEL_COLOURS[n - 1], (0, 0, 1, 1)) > 0.0005]


def shows_panels(picture, *numbers):
    """Whether in the place of each of these panels is what is drawn there."""
    return set(numbers) <= set(panels_shown(picture))


def shows_six_panels(picture):
    return panels_shown(picture) == [1, 2, 3, 4, 5, 6]


def shows_panel_6_alone(picture):
    return share(picture, DIGITS, TOP) > 0.95 and share(picture, DIGITS, MIDDLE) < 0.05


def shows_nothing_but_red_digits(picture):
    return share(picture, DIGITS, MIDDLE) > 0.95


def decoded(png):
    """The picture [height, width, 3 or 4], from 0 to 1, of a PNG in base64."""
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(png)), format="png")
