"""Reports of a case and of a run, each as one file."""
