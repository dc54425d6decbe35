"""Tools that are independent of audio, features and pipelines."""
