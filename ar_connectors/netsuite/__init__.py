"""NetSuite: SuiteQL for reading, REST records for writing. Peculiarities of the platform, with sources: quirks.md."""
