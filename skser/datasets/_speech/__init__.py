"""The synthesiser of make_emotional_speech: sounds, voices, utterances, waveforms."""
