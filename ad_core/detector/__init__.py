"""A trained detector: scoring, streams, drift, events."""
