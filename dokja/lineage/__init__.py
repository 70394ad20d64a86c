"""The weight audit: is this component of a checkpoint derived from that model? It knows nothing of programmes."""
