"""From a trained network to one file that is proven to compute the same."""
