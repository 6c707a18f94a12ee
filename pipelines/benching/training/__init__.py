"""One training iteration of a recipe, timed with each of the settings that change how fast it is."""
