# SPDX-License-Identifier: Apache-2.0
"""Reads handwritten digits from image files, with a model that was trained on MNIST and exported as a SavedModel.

    .venv/bin/pip install -r mlengine/requirements.txt
    .venv/bin/python mlengine/predict.py --model job seven.png photo.jpg

photo.py finds the digit in each image.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
try:
    from command_line import named_by, print_everything
    from photo import InputError, read_digit
    from visu.words import first_line
except ImportError as error:
    sys.exit(
        f"predict.py can't be used with {sys.executable} ({error}): pip install -r mlengine/requirements.txt, and "
        f"keep the folder visu beside mlengine, as in a clone of the project"
    )

# --------------------------------------------------------------------------------------------------------------- model


def import_tensorflow():
    import tensorflowsetup  # noqa: F401, it keeps TensorFlow's start-up logs quiet
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


# ------------------------------------------------------------------------------------------------------------- program


def request_body(digits):
    """The body of a call of TensorFlow Serving's or Vertex AI's REST method predict."""
    return json.dumps({"instances": [{"image": digit.tolist()} for digit in digits]})


def write_request(path, digits):
    try:
        with open(path, "w", encoding="utf-8") as file:
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
    print_everything()
    digits, failures = read_digits(named_by(arguments.images))
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
