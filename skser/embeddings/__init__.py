"""Pre-trained encoders of speech as transformers."""
