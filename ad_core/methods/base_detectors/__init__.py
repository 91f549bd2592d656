"""The ensemble members that the balanced recipes combine."""
