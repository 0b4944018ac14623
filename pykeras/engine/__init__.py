"""Layers, the graphs they form, and the training of models."""
