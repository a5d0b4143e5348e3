"""Answers a package installer's questions about a source package without running any code of that package.

`pip download` insists on building a source package's metadata before it hands over the archive, which would
need that package's build tools (here: setuptools and Cython, or a Rust compiler). We want only the archive. This
stand-in build backend is found instead of the real one, through PYTHONPATH, and answers with the PKG-INFO
file that every source package already carries.
"""

import os


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    with open("PKG-INFO", encoding="utf-8") as source:
        text = source.read()
    fields = dict(line.split(": ", 1) for line in text.split("\n\n", 1)[0].splitlines() if ": " in line)
    folder = "{}-{}.dist-info".format(fields["Name"].replace("-", "_"), fields["Version"])
    os.makedirs(os.path.join(metadata_directory, folder))
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w", encoding="utf-8") as target:
        target.write(text)
    with open(os.path.join(metadata_directory, folder, "WHEEL"), "w", encoding="utf-8") as target:
        target.write("Wheel-Version: 1.0\nGenerator: deps\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    return folder


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise RuntimeError("only the source archive is wanted; nothing is built from it")
