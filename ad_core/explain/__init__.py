"""Why an item has its score: attributions, their checks, similar cases, what-if."""
