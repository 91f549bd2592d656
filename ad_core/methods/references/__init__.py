"""Classical detectors, one file each, wrapped from scikit-learn."""
