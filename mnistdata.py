# SPDX-License-Identifier: Apache-2.0
"""MNIST, 70,000 handwritten digits, as numpy arrays in batches of any size.

    import mnistdata
    mnist = mnistdata.read_data_sets("data", one_hot=True, reshape=False)
    mnist.train.images                              # float32 [60000, 28, 28, 1], 0 is white, 1 is black
    mnist.train.labels                              # float32 [60000, 10], the 3 is [0 0 0 1 0 0 0 0 0 0]
    images, labels = mnist.train.next_batch(100)    # 100 of them, in a new random order each epoch
    mnist.test                                      # the same for the 10,000 digits kept apart for testing

The four files of the set are in IDX format (http://yann.lecun.com/exdb/mnist/): a big-endian header of 32-bit
integers, a magic number and the sizes, then one unsigned byte for each pixel or label. Any other set in that
format works, Fashion-MNIST for one. Files that are missing are downloaded, verified, and only then kept.
"""

import functools
import gzip
import hashlib
import http.client
import numbers
import operator
import sys
import urllib.error
import urllib.request
import uuid
import zlib
from collections import namedtuple
from pathlib import Path

import numpy as np

MIRRORS = (  # most reliable first
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
TIMEOUT = 20  # seconds without a byte before a mirror counts as down

IMAGES_MAGIC, LABELS_MAGIC = 0x00000803, 0x00000801  # unsigned bytes (08) in 3 dimensions, in 1 dimension
KINDS = {IMAGES_MAGIC: "images", LABELS_MAGIC: "labels"}

# The published MNIST files: name, SHA-256 of the archive, SHA-256 of the file in it
MnistFile = namedtuple("MnistFile", "name magic archive_sha256 file_sha256")
TRAIN_IMAGES = MnistFile(
    "train-images-idx3-ubyte",
    IMAGES_MAGIC,
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
)
TRAIN_LABELS = MnistFile(
    "train-labels-idx1-ubyte",
    LABELS_MAGIC,
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
)
TEST_IMAGES = MnistFile(
    "t10k-images-idx3-ubyte",
    IMAGES_MAGIC,
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)
TEST_LABELS = MnistFile(
    "t10k-labels-idx1-ubyte",
    LABELS_MAGIC,
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)

MNIST_FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

DataSets = namedtuple("DataSets", "train validation test")

CURE = "replace it or, if it is of MNIST, delete it and it will be downloaded"


class DataError(SystemExit, ValueError):
    """A data set that can't be had, said in one sentence.

    Uncaught, it ends the script with that sentence and status 1, as sys.exit(sentence) does: a traceback through
    this file would tell a learner nothing. To code that catches it, it is a ValueError.
    """


class DataSet:
    """Images and their labels, handed out in batches.

    images: array [n, rows, columns, 1] or [n, rows * columns]; labels: array [n, classes] or [n].
    """

    def __init__(self, images, labels, seed=None):
        self.images = images
        self.labels = labels
        # RandomState and not default_rng: numpy promises that its numbers for a seed will never change
        self._random = np.random.RandomState(seed)
        self._order = np.arange(0)  # the epoch's images, as indices, in the order in which they are handed out
        self._position = 0  # how many of them have been
        self._epochs_begun = 0

    @property
    def num_examples(self):
        """How many images there are."""
        return len(self.images)

    @property
    def epochs_completed(self):
        """How many times every image has been handed out."""
        return self._epochs_begun if self._position == len(self._order) else self._epochs_begun - 1

    def next_batch(self, batch_size, shuffle=True):
        """The next batch_size images and labels, as a pair of arrays.

        Every image comes exactly once an epoch. Each epoch has a random order of its own, or the order of the
        files if shuffle is False when it begins. A batch that reaches the end of an epoch is filled up from the
        next one.
        """
        if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
            raise ValueError(f"next_batch: batch_size is {batch_size!r}, expected a whole number, 1 or more")
        parts, missing = [], batch_size
        while missing:
            if self._position == len(self._order):
                self._begin_epoch(shuffle)
            part = self._order[self._position : self._position + missing]
            self._position += len(part)
            missing -= len(part)
            parts.append(part)
        indices = np.concatenate(parts)
        return self.images[indices], self.labels[indices]

    def _begin_epoch(self, shuffle):
        self._order = self._random.permutation(self.num_examples) if shuffle else np.arange(self.num_examples)
        self._position = 0
        self._epochs_begun += 1


def read_data_sets(data_dir, one_hot=False, reshape=True, validation_size=0, seed=None, dtype=np.float32):
    """Reads the four files of a data set and returns its parts: .train, .validation and .test, each a DataSet.

    data_dir: the folder of the files, as .gz archives or unzipped; a relative one that is not in the current
        folder is looked up beside this module. MNIST files that are missing there are downloaded into it.
    one_hot: labels as float32 [n, 10] with a single 1 each, instead of uint8 [n].
    reshape: images as [n, 784] instead of [n, 28, 28, 1].
    validation_size: how many of the first training images to put into .validation instead of .train.
    seed: an integer for the same batches in every run, on every machine; None for others each time.
    dtype: float32 for pixels in [0, 1], uint8 for pixels in 0..255 as they are in the files.

    The keywords are those of TensorFlow's own former reader, and mean what they meant there.
    Raises DataError, a ValueError, with one sentence that names the file and the cure.
    """
    dtype = getattr(dtype, "as_numpy_dtype", dtype)  # tf.float32 will do as well
    if dtype not in (np.float32, np.uint8, "float32", "uint8"):
        raise DataError(f"read_data_sets: dtype is {dtype!r}, expected float32 or uint8")
    dtype = np.dtype(dtype)
    if seed is not None and not (isinstance(seed, numbers.Integral) and 0 <= seed < 2**32):
        raise DataError(f"read_data_sets: seed is {seed!r}, expected None or a whole number from 0 to 2**32 - 1")
    folder = find_folder(data_dir)
    # the largest file first: its archive is in memory beside its pixels, and nothing else is yet
    train_images, train_labels = read_pair(folder, TRAIN_IMAGES, TRAIN_LABELS, dtype)
    test_images, test_labels = read_pair(folder, TEST_IMAGES, TEST_LABELS, dtype)
    if train_images.shape[1:] != test_images.shape[1:]:
        raise DataError(
            f"{folder}: the training images have {train_images.shape[1:3]} pixels and the test images "
            f"{test_images.shape[1:3]}, expected the same size; put the files of one data set into this folder"
        )
    if not isinstance(validation_size, numbers.Integral) or not 0 <= validation_size < len(train_images):
        raise DataError(
            f"read_data_sets: validation_size is {validation_size!r}, expected a whole number from 0 to "
            f"{len(train_images) - 1}, less than the training images there are"
        )
    if reshape:
        train_images = train_images.reshape(len(train_images), -1)
        test_images = test_images.reshape(len(test_images), -1)
    if one_hot:
        classes = max(10, train_labels.max() + 1, test_labels.max() + 1)
        train_labels = np.eye(classes, dtype=np.float32)[train_labels]
        test_labels = np.eye(classes, dtype=np.float32)[test_labels]
    v = validation_size
    return DataSets(
        train=DataSet(train_images[v:], train_labels[v:], seed),
        validation=DataSet(train_images[:v], train_labels[:v], seed) if v else None,
        test=DataSet(test_images, test_labels, seed),
    )


def find_folder(data_dir):
    """The Path of data_dir in the current folder, or else beside this module; the one of them that holds data."""
    try:
        here = Path(data_dir)
    except TypeError:
        raise DataError(f"read_data_sets: data_dir is {data_dir!r}, expected the path of a folder")
    beside_module = Path(__file__).resolve().parent / here  # an absolute path stays what it is
    folders = [folder for folder in (here, beside_module) if folder.is_dir()]
    for folder in folders:
        if any(local_path(folder, file) for file in MNIST_FILES):
            return folder
    if folders:
        return folders[0]
    if here.exists():
        raise DataError(f"{here} is a file, expected the folder that holds the four files of a data set")
    raise DataError(
        f"Data folder '{data_dir}' not found, neither in the current folder nor as {beside_module}: pass the folder "
        f"of the MNIST files ('data' in a clone of this project), or make it and they will be downloaded into it"
    )


def read_pair(folder, images_file, labels_file, dtype):
    """The images [n, rows, columns, 1] and labels [n] of two files that belong together."""
    images, images_path, images_published = read_idx(folder, images_file)
    # multiply into a new array, block by block inside numpy: no second copy of all pixels in float32
    pixels = images
    if dtype == np.float32:
        pixels = np.multiply(images, np.float32(1 / 255), out=aligned_array(images.shape, dtype))
    del images
    labels, labels_path, labels_published = read_idx(folder, labels_file)
    if len(pixels) != len(labels):
        raise DataError(
            f"{images_path} holds {len(pixels)} images and {labels_path} {len(labels)} labels, expected as many of "
            f"one as of the other; replace the file that is not of this data set"
        )
    if images_published != labels_published:  # either both are MNIST's, or both are another set's
        stranger, mate = (images_path, labels_path) if labels_published else (labels_path, images_path)
        raise DataError(
            f"{stranger} is not the published MNIST file (its SHA-256 differs), but {mate} is: it is damaged or of "
            f"another data set; delete it and it will be downloaded, or put both files of the other set there"
        )
    return pixels[..., np.newaxis], labels


def aligned_array(shape, dtype):
    """A new array that begins at a multiple of 64 bytes: such a one TensorFlow takes as it is, others it copies."""
    size = functools.reduce(operator.mul, shape) * dtype.itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def read_idx(folder, file):
    """Reads one file of the folder, verifies it, and returns (array uint8, its path, whether it is MNIST's own)."""
    path = local_path(folder, file) or download(folder, file)
    content = read_content(path)
    return parse_idx(content, file.magic, path), path, sha256(content) == file.file_sha256


def local_path(folder, file):
    """The path of a file under any of its usual names, or None if the folder has it under none of them."""
    dotted = file.name.replace("-idx", ".idx")  # the name that some programs unzip to
    for name in (file.name + ".gz", file.name, dotted + ".gz", dotted):
        try:
            if (folder / name).is_file():
                return folder / name
        except OSError as error:
            raise DataError(f"{folder} can't be searched ({error.strerror}): make it a folder that you may read")
    return None


def read_content(path):
    """The bytes of a file, unzipped if its name ends in .gz."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}): make it a file that you may read")
    if path.suffix != ".gz":
        return content
    if content[:2] != b"\x1f\x8b":
        raise DataError(f"{path} is {describe(content)}, expected a gzip archive; {CURE}")
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{path} is a damaged gzip archive of {len(content):,} bytes ({error}), expected a whole one; {CURE}"
        )


def parse_idx(content, magic, path):
    """The bytes of an IDX file as an array uint8: [n, rows, columns] for images, [n] for labels."""
    dimensions = 3 if magic == IMAGES_MAGIC else 1
    header_size = 4 + 4 * dimensions
    if len(content) < header_size:
        raise DataError(
            f"{path} is {describe(content)}, expected IDX {KINDS[magic]} of {header_size} bytes or more; {CURE}"
        )
    found, *shape = np.frombuffer(content, dtype=">u4", count=1 + dimensions).tolist()
    if found != magic:
        raise DataError(
            f"{path} is {describe(content)}, expected a file of {KINDS[magic]} (magic number {magic:#010x}, found "
            f"{found:#010x}); {CURE}"
        )
    if 0 in shape:
        raise DataError(f"{path} holds no {KINDS[magic]}, its header announces {shape}; {CURE}")
    # the product in Python integers, which can't overflow: a bad header may announce any sizes
    expected = header_size + functools.reduce(operator.mul, shape)
    if len(content) != expected:
        raise DataError(
            f"{path} holds {len(content):,} bytes, expected {expected:,} for the {'x'.join(map(str, shape))} "
            f"{KINDS[magic]} that its header announces; {CURE}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header_size).reshape(shape)


def describe(content):
    """What the content of a file looks like that should have been another."""
    if not content:
        return "an empty file"
    if looks_like_html(content):
        return "a web page"
    kind = KINDS.get(int.from_bytes(content[:4], "big"))
    return f"a file of {kind}" if kind else f"a file of another type that begins with {content[:8]}"


def looks_like_html(content):
    return content.lstrip()[:1] == b"<"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def download(folder, file):
    """Downloads an archive from the first mirror that has it whole, and returns its path."""
    refuse_to_mix(folder, file)
    path = folder / (file.name + ".gz")
    reasons = []
    for mirror in MIRRORS:
        url = mirror + path.name
        try:
            archive = fetch(url)
        except (OSError, http.client.HTTPException) as error:
            cause = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
            reasons.append(f"{url}: {str(cause) or type(cause).__name__}")
            continue
        if sha256(archive) == file.archive_sha256:
            save(archive, path)
            return path
        what = "a web page" if looks_like_html(archive) else "something else"
        reasons.append(f"{url}: sent {what} ({len(archive):,} bytes, wrong SHA-256)")
    raise DataError(
        f"{path} is missing and no mirror gave it ({'; '.join(reasons)}): check the network, or copy the file there "
        f"by hand"
    )


def refuse_to_mix(folder, file):
    """Raises DataError if the folder holds files of another data set: a file of MNIST must not complete those."""
    for other in MNIST_FILES:
        path = local_path(folder, other)
        if path and sha256(read_content(path)) != other.file_sha256:
            raise DataError(
                f"{folder} has no {file.name}.gz, and its {path.name} is not the published one of MNIST: put the "
                f"missing file of that data set there"
            )


def fetch(url):
    """The bytes behind a URL, with a progress bar where standard error is a terminal."""
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        total = response.length or 0  # bytes; None where the server does not say
        chunks, received = [], 0
        for chunk in iter(lambda: response.read(1 << 16), b""):
            chunks.append(chunk)
            received += len(chunk)
            show_progress(url, received, total)
    if received < total:
        raise OSError(f"the connection ended after {received:,} of {total:,} bytes")
    return b"".join(chunks)


def show_progress(url, received, total):
    if sys.stderr and sys.stderr.isatty() and total:
        done = min(received / total, 1)
        bar = ("#" * round(30 * done)).ljust(30)
        end = "\n" if done == 1 else ""
        sys.stderr.write(f"\r{url.rpartition('/')[2]} [{bar}] {done:4.0%}{end}")
        sys.stderr.flush()


def save(content, path):
    """Writes a file so that nobody ever sees half of it under its name: two scripts may start at once."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            if part.exists():
                part.unlink()
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror}): pass a folder that has room and that you may write to, or "
            f"copy the four MNIST files there by hand"
        )
