"""What Keras 1 knew and Keras 2 keeps: old keywords, old layers."""
