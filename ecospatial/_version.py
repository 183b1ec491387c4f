"""The version of the package, as setup.cfg reads it."""

__version__ = "0.1.0"
