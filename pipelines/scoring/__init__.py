"""Scoring held-out pictures: by validation while a run trains, and by the report when it ends."""
