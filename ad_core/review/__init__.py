"""Verdicts: which case comes next, exchange files, recalibration."""
