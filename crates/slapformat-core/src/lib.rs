//! Prepares a machine as a SlapOS node: partitions, directories, addresses.
