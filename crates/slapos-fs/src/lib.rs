//! Atomic file replacement and pid-file locks for the slapos-rs tools.
