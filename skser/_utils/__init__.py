"""Tools that know nothing of audio, features or pipelines."""
