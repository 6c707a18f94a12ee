"""What is fastest on this machine: a recipe's training iterations, pictures through a model. For `pixturn bench`."""
