"""Numbers from waveforms: spectra, pitch, derivatives and statistics, without estimators."""
