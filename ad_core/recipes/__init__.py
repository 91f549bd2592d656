"""Recipes, one file per recipe and modality."""
