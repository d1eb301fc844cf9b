"""A trained network as one ONNX file, and its 8-bit sibling."""
