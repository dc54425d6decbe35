"""A service as users write it today, for `serving.py`: FastAPI, librosa and Keras' predict."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import _one_thread  # noqa: F401
import joblib
import keras
import numpy as np
import uvicorn
from fastapi import FastAPI, UploadFile
from features import librosa_195

folder = Path(sys.argv[1])
network = keras.models.load_model(folder / "model.keras")
scaler = joblib.load(folder / "scaler.joblib")
app = FastAPI()


@app.post("/predict")
async def predict(file: UploadFile) -> dict:
    """Probabilities of a recording of 3 s."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as copy:
        copy.write(await file.read())
        copy.flush()
        features = librosa_195(copy.name, "cqt")
    probabilities = network.predict(scaler.transform(features[np.newaxis]), verbose=0)[0]
    return {"probabilities": probabilities.tolist()}


if __name__ == "__main__":
    uvicorn.run(app, port=0, access_log=False)
