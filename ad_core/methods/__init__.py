"""What scores an item: the contracts of pretext tasks, encoders, scorers and classical detectors, and their parts."""
