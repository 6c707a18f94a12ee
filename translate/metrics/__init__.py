"""Measures of pictures, alone and in pairs."""
