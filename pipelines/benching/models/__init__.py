"""Pictures through a model, timed on every engine that is there. No torch, but for a run's own checkpoint."""
