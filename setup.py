"""Packages are found; the folders of data at the root are placed under ``ecospatial.data``. All else: setup.cfg."""

from setuptools import find_packages, setup

FOUND = find_packages(include=["ecospatial", "ecospatial.*"])

setup(packages=[*FOUND, "ecospatial.data.layers", "ecospatial.data.maps"])
