"""Parts assembled into methods, tasks and the command."""
