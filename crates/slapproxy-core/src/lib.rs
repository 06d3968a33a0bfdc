//! A small SlapOS master with SQLite.
