"""Files that survive: atomic writes, and checkpoints that are whole or absent."""
