//! What the slapos-rs command-line tools share: common options, logging, exit codes, error printing.
