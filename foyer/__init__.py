"""The engine. It knows no app."""

VERSION = "0.1.0"
"""Of Foyer: what both schemas and the changelog say."""
