"""What needs no training of ours: the answers that a model has to beat, by the name that tables give them."""
