"""The air interface of sound."""
