"""Scorers, one file each: from a trained task to an anomaly score."""
