from ._speech_embedding import SpeechEmbedding as SpeechEmbedding
