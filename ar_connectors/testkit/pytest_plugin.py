"""pytest entry point of the testkit; it imports nothing until a fixture is used."""
