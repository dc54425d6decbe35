"""Features of many clips: in parallel and cached."""
