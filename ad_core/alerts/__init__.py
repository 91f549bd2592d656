"""From scores to alerts: calibration, threshold rules, error guarantees, events."""
