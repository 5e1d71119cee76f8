"""What a screenshot of the six panels of a made-up training shows."""

import base64
import io

import matplotlib.image

CURVE, DIGITS, WEIGHTS, BIASES = (214, 39, 40), (255, 160, 160), (31, 78, 156), (160, 82, 45)
PANEL_COLOURS = (CURVE, CURVE, DIGITS, WEIGHTS, BIASES, DIGITS)  # what is drawn in panels 1 to 6, and in no frame
MIDDLE = (0.4, 0.4, 0.6, 0.6)  # panel 6 alone has no misrecognised digits there
TOP = (0.2, 0.15, 0.8, 0.25)  # and here, nothing else


def share(picture, colour, place):
    """How much of a part of a picture is of that colour; place: left, top, right, bottom, from 0 to 1."""
    height, width = picture.shape[:2]
    left, top, right, bottom = place
    part = picture[int(top * height) : int(bottom * height), int(left * width) : int(right * width), :3]
    return (abs(255 * part - colour).max(axis=2) < 10).mean()


def panels_shown(picture):
    """The numbers of the panels that show something, among the six."""
    places = [(column / 3, row / 2, (column + 1) / 3, (row + 1) / 2) for row in (0, 1) for column in (0, 1, 2)]
    shares = [share(picture, colour, place) for colour, place in zip(PANEL_COLOURS, places)]
    return [number for number, part in enumerate(shares, start=1) if part > 0.0005]


def shows_six_panels(picture):
    return panels_shown(picture) == [1, 2, 3, 4, 5, 6]


def shows_panel_6_alone(picture):
    return share(picture, DIGITS, TOP) > 0.95 and share(picture, DIGITS, MIDDLE) < 0.05


def shows_nothing_but_red_digits(picture):
    return share(picture, DIGITS, MIDDLE) > 0.95


def decoded(png):
    """The picture [height, width, 3 or 4], from 0 to 1, of a PNG in base64."""
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(png)), format="png")
