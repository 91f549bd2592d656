"""Scorers, one file per way to make a score of a trained task."""
