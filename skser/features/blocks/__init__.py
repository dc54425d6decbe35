"""Feature blocks, one class per feature."""
