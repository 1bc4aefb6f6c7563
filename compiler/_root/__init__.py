"""Optimum Compile: an ahead-of-time compiler that puts language models on phones."""

__version__ = "0.1.0"
