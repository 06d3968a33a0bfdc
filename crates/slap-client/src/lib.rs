//! Blocking client of a SlapOS master (SLAP protocol).
