"""What runs a trained model, with or without torch."""
