# SPDX-License-Identifier: Apache-2.0
"""The pictures by name: functions of the runs and of the digits that return a figure."""

from figures import cheat_sheet, curves, landscape, parts

PICTURES = {
    "neuron": parts.neuron,
    "batch": parts.batch,
    "softmax": parts.softmax_bars,
    "correction": parts.correction,
    "activations": parts.activations,
    "landscape": landscape.landscape,
    "rates": curves.rates,
    "noise": curves.noise,
    "overfitting": curves.overfitting,
    "dropout": parts.dropout,
    "strides": parts.strides,
    "filters": parts.filters,
    "misread": curves.misread,
    "last_misread": curves.last_misread,
    "last_dropout": curves.last_dropout,
    "normalised": curves.normalised,
    "record": curves.record,
    "comparison": curves.comparison,
    "bent": parts.bent,
    "card": cheat_sheet.cheat_sheet,
}
