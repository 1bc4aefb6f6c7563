"""Learned rounding: codes, scales and tables improved by gradients, after error feedback."""
