"""Thresholds without training and without labels: the search, and the folder that it leaves."""

from ltp_core.calibration.walk import Calibration, Found, Walk, calibrate, divergence

__all__ = ["Calibration", "Found", "Walk", "calibrate", "divergence"]
