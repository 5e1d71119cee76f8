# SPDX-License-Identifier: Apache-2.0
"""What both processes know of the window's looks: titles, colours, keys, layouts and sizes."""

import collections

CURVES = ("training", "test")  # the two curves of a panel, and the two pictures of digits
BUCKETS = 7  # bands of the weights and biases panels, each with 1/7 of the values

TITLES = (  # with the numbers of the keys that show a panel alone
    "1  Accuracy",
    "2  Loss",
    "3  Training digits",
    "4  Weights",
    "5  Biases",
    "6  Test digits",
)
COLOURS = {
    "training": "#2f6fb7",
    "test": "#d62728",
    "text": "#333333",
    "grid": "#e4e4e4",
    "frame": "#b0b0b0",
    "background": "white",
}
WHITE, RED = (255, 255, 255), (255, 160, 160)  # behind recognised and misrecognised digits
BAND_COLOURS = ("#1f4e9c", "#a0522d", "#c2188b", "#2e7d32", "#6a3d9a", "#00838f", "#b8860b")

LAYOUTS = {  # key: the panels it shows, as they stand in the window
    "0": [[1, 2, 3], [4, 5, 6]],
    "1": [[1]],
    "2": [[2]],
    "3": [[3]],
    "4": [[4]],
    "5": [[5]],
    "6": [[6]],
    "7": [[1, 2]],
    "8": [[4, 5]],
    "9": [[3, 6]],
}
KEYS = dict.fromkeys(LAYOUTS, "show_layout")  # key: the method of WindowShow that it calls
KEYS.update({"escape": "show_all", " ": "pause_or_resume", "h": "reset_zooms"})  # matplotlib has o and ctrl+s
PAD_KEYS = {  # of a window with a pad, too
    "d": "show_or_hide_pad",
    "c": "clear_pad",
    "m": "centre_or_not",
    "l": "show_or_hide_layers",
    "s": "change_scales",
    "b": "put_digit",
    "t": "put_digit",
}
PUT_KEYS = {"b": "training", "t": "test"}  # whose digits these put on the pad
PAD_PLACE = 3  # the panel that makes room for the pad
DIGIT_PANELS = {3: "training", 6: "test"}  # what is clicked on there is put on the pad

SIZE = (19.2, 10.8)  # inches
MARGINS = {"left": 0.85, "right": 0.3, "top": 0.6, "bottom": 0.5}  # inches around each panel, in a window of that size
FONT_SIZES = {"title": 15, "ticks": 11, "legend": 12, "status": 12}  # points, in a window of that size
LINE_WIDTHS = {"training": 0.8, "test": 2.5, "frame": 0.8}  # points, in a window of that size
SCALES = (0.75, 3.0)  # all these grow with the window, and shrink with it no further than can be read

# What a script chooses of all that: titles of 6 panels, 2 indices into BAND_COLOURS, dots per inch
Style = collections.namedtuple("Style", "titles band_colours dpi")
