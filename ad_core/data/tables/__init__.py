"""Tables: column kinds, encodings, row identity."""
