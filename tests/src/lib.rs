//! Fixtures of the whole-tool tests.
