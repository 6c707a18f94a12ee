"""The parts: networks, losses, data, metrics, the engine. Knows no paper and no task's user interface."""
