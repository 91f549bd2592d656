"""Synthetic anomalies, injected into rows, windows and images."""
