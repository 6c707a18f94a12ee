"""Pictures from folders: reading, layouts, splits, samples, augmentation."""
