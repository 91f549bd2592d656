"""Fitting a method on the training rows, beside the classical detectors."""
