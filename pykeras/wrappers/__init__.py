"""Models behind the interfaces of other libraries; `scikit_learn` is imported by its own name."""
