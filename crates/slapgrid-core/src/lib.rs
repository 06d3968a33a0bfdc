//! Installs software releases and runs computer partitions on a SlapOS node.
